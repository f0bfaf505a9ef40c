#include "agent/cli/since.hpp"

#include <algorithm>

#include "agent/base/time_format.hpp"

namespace nodeagent::cli {

std::optional<std::int64_t> since_time(std::string_view text, std::chrono::system_clock::time_point now) {
    if (text.empty()) return 0;
    if (const auto moment = parse_rfc3339(text)) {
        return std::max<std::int64_t>(0, std::chrono::nanoseconds(moment->time_since_epoch()).count());
    }
    const auto span = parse_go_duration(text);
    if (!span || span->count() < 0) return std::nullopt;
    return std::max<std::int64_t>(0, std::chrono::nanoseconds(now.time_since_epoch()).count() - span->count());
}

}  // namespace nodeagent::cli
