#pragma once
// Becoming a container instance of the cluster: what registration says of this machine, gathered and sent.

#include <string>
#include <vector>

#include "agent/config/environment.hpp"
#include "agent/ecs/registration.hpp"
#include "agent/ending.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

struct AwsClients;
struct Host;

/// All outlive the call.
struct JoinParts {
    const config::Environment& environment;
    const config::Config& config;
    AwsClients& aws;
    Clock& clock;
    runtime::Backend& backend;
    const runtime::Capabilities& capabilities;
    const Host& host;
    bool task_limits = false;                        ///< there are cgroups for tasks
    const std::vector<std::string>& pause_programs;  ///< engine::pause_program_places()
    std::string ec2_instance_id;                     ///< "" on a machine that is none
    std::string restored_arn;                        ///< "": first registration
};

/// Registers, once more with `restored_arn`. Tries transient failures again for an hour.
asio::awaitable<OrEnding<ecs::Registered>> join_cluster(JoinParts parts);

}  // namespace nodeagent
