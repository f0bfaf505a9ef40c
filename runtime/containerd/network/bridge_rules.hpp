#pragma once
// What this host needs once for the bridge, so that no container needs it again: forwarding, masquerading, and rules
// that let its packets pass where somebody, Docker for one, drops what he does not know.

#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

/// Idempotent. NotFound when iptables is missing, with the package.
[[nodiscard]] Result<void> set_bridge_rules(const std::string& bridge, const std::string& subnet);
void remove_bridge_rules(const std::string& bridge, const std::string& subnet);

}  // namespace nodeagent::runtime::containerd
