#pragma once
// awslogs-datetime-format. Pure.

#include <string>
#include <string_view>

namespace nodeagent::runtime::logs {

/// The regular expression that a datetime format stands for (containerd.md 11): %Y becomes \d{4}; other text is a pattern
/// itself, as in Docker.
[[nodiscard]] std::string datetime_pattern(std::string_view format);

}  // namespace nodeagent::runtime::logs
