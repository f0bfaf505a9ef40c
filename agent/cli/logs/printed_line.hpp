#pragma once
// A line of a log as it is shown. Pure.

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

struct LineStyle {
    bool timestamps = false;
    bool json = false;           ///< an object a line
    bool terminal = false;       ///< control characters and bytes that are no UTF-8 are escaped
    std::size_t name_width = 0;  ///< of the container's name before the line; 0: no name
};

/// Ends with a newline. A line that holds others gets the container's name before each.
[[nodiscard]] std::string printed_line(const LogLine& line, std::string_view container, const LineStyle& style);

/// "\x1b", "\r", "\xff"; tabs and newlines stay.
[[nodiscard]] std::string escaped_for_terminal(std::string_view text);

}  // namespace nodeagent::cli
