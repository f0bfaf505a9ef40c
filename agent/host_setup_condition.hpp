#pragma once
// What the agent makes of the last host set-up: for its log, `ecs-node status` and metrics.

#include <optional>

#include "agent/host_setup/outcome.hpp"
#include "agent/model/host_conditions.hpp"

namespace nodeagent {

/// `outcome` is nothing where none was left. `on_ec2`: there is an instance metadata service to reach. Pure.
[[nodiscard]] model::HostSetupCondition host_setup_condition(const std::optional<host_setup::Outcome>& outcome,
                                                             bool on_ec2);

/// Once, at the start: a warning for each problem, and one when containers reach the instance's role.
void warn_of_host_setup(const model::HostSetupCondition& condition);

}  // namespace nodeagent
