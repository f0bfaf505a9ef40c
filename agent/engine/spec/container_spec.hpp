#pragma once
// TaskState -> runtime::ContainerSpec: names, labels, environment, ports, volumes, limits exactly as task-engine.md 3
// says. Pure; every value it needs comes in.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/core/task_state.hpp"
#include "agent/engine/spec/secret_values.hpp"
#include "agent/model/payload.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

/// What a spec depends on beside the task.
struct SpecContext {
    std::string cluster;  ///< as configured, for the label
    std::string region;
    bool external = false;
    bool cgroup_v2 = false;
    bool propagate_memory_limit = false;  ///< ECS_PROPAGATE_TASK_MEMORY_LIMIT_CGROUPV2
    bool gpu_support = false;
    bool inferentia_support = false;
    std::string nvidia_runtime = "nvidia";
    std::map<std::string, std::string> pause_labels;  ///< ECS_PAUSE_LABELS, for internal containers
    std::string cgroup_parent;                        ///< empty: leave the payload's
    std::vector<std::string> image_env;               ///< the image's own environment, "KEY=value"
    std::string docker_version;                       ///< daemon version, for the tests of 3.5 e
    bool ipv6_only = false;
    /// Whether the credentials registry knows the task's execution credentials (logsAuthStrategy ExecutionRole).
    bool execution_credentials_known = true;
    SecretValues secrets;                                 ///< fetched for the task
    std::map<std::string, std::string> file_environment;  ///< what the container's environment files define
    std::string metadata_file_source;  ///< directory of the container's metadata file as the runtime knows it; "": none
    bool selinux = false;              ///< the runtime labels what is mounted
};

/// An error ECS users see by name: HostConfigError, DockerClientConfigError, CannotCreateContainerError.
struct SpecError {
    std::string name;
    std::string message;
};

[[nodiscard]] boost::system::result<runtime::ContainerSpec, SpecError> container_spec(
    const core::TaskState& task, const core::ContainerState& container, const SpecContext& context);

/// ecs-<family>-<version>-<clean name>-<20 hex digits>, from 63 random bits. task-engine.md 3.3.
[[nodiscard]] std::string docker_container_name(const std::string& family, const std::string& version,
                                                const std::string& container, std::uint64_t random63);
/// ecs-<family>-<version>-<volume>-<20 hex digits>. task-engine.md 3.7.
[[nodiscard]] std::string docker_volume_name(const std::string& family, const std::string& version,
                                             const std::string& volume, std::uint64_t random63);

}  // namespace nodeagent::engine
