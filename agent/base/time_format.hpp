#pragma once
// Timestamps as the wire and people want them. All UTC.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nodeagent {

/// 2026-02-03T04:05:06Z
[[nodiscard]] std::string rfc3339_seconds(std::chrono::system_clock::time_point when);
/// 2026-02-03T04:05:06.123456789Z; trailing zeros of the fraction go, and the point with them (Go's RFC3339Nano).
[[nodiscard]] std::string rfc3339_nanos(std::chrono::system_clock::time_point when);
/// 20260203T040506Z, for request signing.
[[nodiscard]] std::string iso8601_basic(std::chrono::system_clock::time_point when);
/// RFC 3339 with any fraction and offset; nothing if malformed. Docker's zero time "0001-01-01T00:00:00Z" is nothing
/// too.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);
/// Go's notation: 45s, 3m0s, 2h0m0s, 1.5s, 250ms.
[[nodiscard]] std::string go_duration(std::chrono::nanoseconds duration);
/// Inverse of the above and everything Go accepts: "1h30m", "1.5h", "10s", "0". Nothing if malformed or out of range.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);
/// Epoch seconds rounded down to milliseconds, as the service's JSON wants timestamps: 1767225600.123
[[nodiscard]] double epoch_seconds(std::chrono::system_clock::time_point when);

}  // namespace nodeagent
