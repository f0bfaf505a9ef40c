#pragma once
// Kernel parameters below /proc/sys. Keys are paths there: an interface's name may have dots.

#include <optional>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::host_setup {

/// Nothing: no such key.
[[nodiscard]] std::optional<std::string> read_sysctl(const std::string& key);
Result<void> write_sysctl(const std::string& key, const std::string& value);

}  // namespace nodeagent::host_setup
