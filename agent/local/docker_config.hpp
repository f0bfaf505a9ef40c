#pragma once
// The dockerConfig of a payload container: what the service translates from a container definition into Docker's Config
// and HostConfig, as JSON texts the agent merges over its own (task-engine.md 3.2). Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/local/task_definition.hpp"

namespace nodeagent::local {

struct DockerConfigTexts {
    std::string config;
    std::string host_config;
    std::string version;  ///< the lowest Docker API version that knows every member used
};

/// `memory_reservation` and the memory limit are MiB after overrides; 0 when unset. `task_id` is in the name that
/// awslogs-stream-prefix makes for the container's log stream.
[[nodiscard]] DockerConfigTexts docker_config(const ContainerDefinition& container, std::string_view task_id,
                                              const std::string& network_mode, std::int64_t memory,
                                              std::int64_t memory_reservation);

}  // namespace nodeagent::local
