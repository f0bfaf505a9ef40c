#pragma once
// The value of --since: a span before now ("10m", "1h30m") or a moment ("2026-02-03T04:05:06Z").

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nodeagent::cli {

/// ns since the epoch; 0 for "". Nothing if it is neither.
[[nodiscard]] std::optional<std::int64_t> since_time(std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace nodeagent::cli
