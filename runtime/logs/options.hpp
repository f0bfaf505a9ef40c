#pragma once
// Options of log drivers as people write them. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/logs/config.hpp"

namespace nodeagent::runtime::logs {

/// The value, or "".
[[nodiscard]] std::string option(const Options& options, const char* name);
/// Go's ParseBool: 1, t, T, TRUE, true, True, and their opposites.
[[nodiscard]] std::optional<bool> parse_go_bool(std::string_view text);
/// Docker's sizes: "10m", "1.5g", "4096", "10MB"; a kilobyte has 1,000 bytes (`binary`: 1,024).
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text, bool binary);

inline constexpr std::int64_t kDefaultRing = 1'000'000;

/// What lies between the container and its log (options mode and max-buffer-size).
struct Delivery {
    bool non_blocking = false;
    std::int64_t ring_bytes = kDefaultRing;
};
[[nodiscard]] Delivery delivery_of(const Options& options);

}  // namespace nodeagent::runtime::logs
