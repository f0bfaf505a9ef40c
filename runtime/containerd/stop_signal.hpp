#pragma once
// Signals by the names people give them.

#include <optional>
#include <string_view>

namespace nodeagent::runtime::containerd {

/// "TERM", "SIGTERM", "sigterm", "15", "SIGRTMIN+3"; nothing for what is no signal of this kernel.
[[nodiscard]] std::optional<int> signal_number(std::string_view name);

}  // namespace nodeagent::runtime::containerd
