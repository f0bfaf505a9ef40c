#pragma once
// The packet filter rules of the bridge and of published ports, as text for iptables-restore. Pure.
//
//   filter  FORWARD     -> ECS-FORWARD -> ECS-USER   rules of the host's owner come first; never written by us
//                                      -> accept what the bridge's containers send and are answered; what is DNATed
//   nat     PREROUTING, OUTPUT (to addresses of this host) -> ECS-DNAT   one rule for each published port
//           POSTROUTING -> ECS-POSTROUTING   masquerade what leaves the bridge, and what comes back to it by DNAT
// Rules of ours are spelled as iptables-save spells them: that is how one is found again.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/containerd/network/subnet.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

/// A DNAT rule, with the container's id as its comment: "-A ECS-DNAT ...".
[[nodiscard]] std::string port_rule(const std::string& id, const std::string& ipv4, const PortBinding& port);

/// Rules of published ports in what iptables-save printed, and the id in each.
struct PortRule {
    std::string id, rule;
};
[[nodiscard]] std::vector<PortRule> port_rules(std::string_view saved);

/// What iptables-restore --noflush has to be told so that the bridge works; "" when `saved` (of iptables-save) has it
/// all. Chains of the bridge that other subnets' rules are in are written anew.
[[nodiscard]] std::string bridge_setup(std::string_view saved, const std::string& bridge, const Subnet& subnet);

/// Adds and removes rules of the chain of published ports, in one transaction. "" for nothing.
[[nodiscard]] std::string port_changes(const std::vector<std::string>& added, const std::vector<std::string>& removed);

}  // namespace nodeagent::runtime::containerd
