#pragma once
// The daemon's flags as rows, for the parser and for --help.

#include <optional>
#include <span>
#include <string_view>

#include "agent/config/command_line.hpp"

namespace nodeagent::config {

struct Flag {
    std::string_view name;   ///< without dashes
    std::string_view value;  ///< name of its value; empty: a switch
    std::string_view help;
    std::optional<Command> command;  ///< what the program does instead of running; the first one given counts
};

[[nodiscard]] std::span<const Flag> flags();

}  // namespace nodeagent::config
