#pragma once
// What the host itself says about settings nobody gave: routes, the kernel's port range.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "agent/base/error.hpp"

namespace nodeagent::config {

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// True when there is a default route for IPv6 and none for IPv4. A host that cannot be asked counts as IPv4.
[[nodiscard]] bool has_only_ipv6_routes(const ReadFile& read_file);

/// First and last port of /proc/sys/net/ipv4/ip_local_port_range, inclusive.
[[nodiscard]] std::optional<std::pair<std::uint16_t, std::uint16_t>> kernel_port_range(const ReadFile& read_file);

}  // namespace nodeagent::config
