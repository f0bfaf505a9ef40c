#pragma once
// Looks at this host, puts it right, says what came of it. Blocks (iptables is run); any thread. Repeatable: what is
// there already stays as it is, so nothing is open for an instant.

#include <string>
#include <vector>

#include "agent/host_setup/plan.hpp"

namespace nodeagent::host_setup {

/// Where the lock is that lets one set-up run at a time, and what the last one left.
inline constexpr const char* kOutcomeFolder = "/run/ecs-host-setup";

/// What of `wishes` the host itself says: its loopback interface, IPv6, routes.
[[nodiscard]] Wishes completed_by_host(Wishes wishes);

[[nodiscard]] Present look(const Wanted& wanted, bool ipv6);

struct Applied {
    std::vector<std::string> done;    ///< a line for each change
    std::vector<std::string> errors;  ///< what could not be done, with the remedy
    std::vector<Finding> findings;    ///< afterwards
};
/// Goes on after an error with what does not depend on it. What changed meanwhile is looked at again, three times.
Applied apply(const Wishes& wishes);

}  // namespace nodeagent::host_setup
