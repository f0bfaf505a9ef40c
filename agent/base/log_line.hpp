#pragma once
// A log line as text, for who writes one besides the sink.

#include <string>
#include <string_view>

#include "agent/base/log.hpp"

namespace nodeagent::log {

/// What write() would give to the sink, in the format that is set.
[[nodiscard]] std::string format_line(Level level, std::string_view message, Fields fields = {});

}  // namespace nodeagent::log
