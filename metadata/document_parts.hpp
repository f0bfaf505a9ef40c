#pragma once
// Members that several metadata documents share. endpoints.md 2.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/snapshot.hpp"
#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

/// What the tags routes add to a task document.
struct Tags {
    struct Failure {
        std::string field;  ///< "ContainerInstanceTags", "TaskTags"
        std::string message;
        std::string resource_arn;
    };
    std::map<std::string, std::string> task;
    std::map<std::string, std::string> container_instance;
    std::vector<Failure> failures;  ///< shown by v4 only
};

/// DockerId to ImageID.
void write_container_identity(JsonWriter& out, const model::ContainerView& container);
/// Ports, nothing when there are none; `host_ip` as v4 has it.
void write_ports(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container, bool host_ip);
/// DesiredStatus, KnownStatus, ExitCode, Limits, CreatedAt, StartedAt, FinishedAt, Type.
void write_container_state(JsonWriter& out, const model::ContainerView& container);
void write_health(JsonWriter& out, const model::ContainerView& container);
void write_volumes(JsonWriter& out, const model::ContainerView& container);
/// The Networks of an awsvpc task: one entry, the interface; `properties` as v4 has them.
void write_interface_network(JsonWriter& out, const model::ElasticNetworkInterface& interface, bool properties);
/// The Networks of any other task, as the runtime tells them; `ipv6` as v4 has it.
void write_runtime_networks(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container,
                            bool ipv6);
/// Cluster to KnownStatus.
void write_task_identity(JsonWriter& out, const model::TaskView& task, std::string_view cluster);
/// Limits, PullStartedAt, PullStoppedAt, ExecutionStoppedAt, AvailabilityZone.
void write_task_state(JsonWriter& out, const model::TaskView& task, std::string_view availability_zone);
/// TaskTags, ContainerInstanceTags.
void write_tags(JsonWriter& out, const Tags& tags);

/// Whether the container's networks are known: told by the runtime, or the task's own interface.
[[nodiscard]] bool has_networks(const model::TaskView& task, const model::ContainerView& container);
/// Whether the runtime has the container.
[[nodiscard]] inline bool created(const model::ContainerView& container) { return !container.docker_id.empty(); }

}  // namespace nodeagent::metadata
