#include "agent/host_setup_condition.hpp"

#include "agent/base/log.hpp"

namespace nodeagent {

model::HostSetupCondition host_setup_condition(const std::optional<host_setup::Outcome>& outcome, bool on_ec2) {
    model::HostSetupCondition condition;
    if (outcome) {
        condition.at = outcome->at;
        condition.problems = outcome->problems;
    } else {
        condition.problems.emplace_back(
            "not done since the machine started: systemctl restart ecs, or ecs-node-agent host-setup");
    }
    if (on_ec2) condition.instance_metadata_open = !outcome || !outcome->imds_blocked;
    return condition;
}

void warn_of_host_setup(const model::HostSetupCondition& condition) {
    for (const std::string& problem : condition.problems) log::warn("host set-up", {{"problem", problem}});
    if (!condition.instance_metadata_open.value_or(false)) return;
    log::warn(
        "containers in network mode bridge can reach the instance metadata service, and with it the credentials "
        "of this instance's role",
        {{"remedy", "ECS_BRIDGE_BLOCK_IMDS=true, or a hop limit of 1 in the instance's metadata options"}});
}

}  // namespace nodeagent
