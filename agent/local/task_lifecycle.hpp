#pragma once
// How a task's record changes: what the agent reports, what users ask, what the agent acknowledges. Pure; every
// function bumps Task::version when it changed something a user can see. Times are epoch seconds.
//
//   PENDING -> RUNNING -> STOPPING -> STOPPED     (any of them -> STOPPED; nothing goes back)

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/local/records.hpp"

namespace nodeagent::local {

struct ContainerStateChange {
    std::string container_name;
    std::string status;
    std::optional<std::int64_t> exit_code;
    std::string reason;
    std::string runtime_id;
    std::string image_digest;
    std::optional<std::vector<NetworkBinding>> network_bindings;
    static constexpr auto json_fields() {
        using T = ContainerStateChange;
        return std::tuple{optional_field("containerName", &T::container_name),
                          optional_field("status", &T::status),
                          optional_field("exitCode", &T::exit_code),
                          optional_field("reason", &T::reason),
                          optional_field("runtimeId", &T::runtime_id),
                          optional_field("imageDigest", &T::image_digest),
                          optional_field("networkBindings", &T::network_bindings)};
    }
};

struct ManagedAgentStateChange {
    std::string container_name;
    std::string managed_agent_name;
    std::string status;
    std::string reason;
    static constexpr auto json_fields() {
        using T = ManagedAgentStateChange;
        return std::tuple{optional_field("containerName", &T::container_name),
                          optional_field("managedAgentName", &T::managed_agent_name),
                          optional_field("status", &T::status), optional_field("reason", &T::reason)};
    }
};

/// The request of SubmitTaskStateChange.
struct TaskStateChange {
    std::string cluster;
    std::string task;
    std::string status;
    std::string reason;
    std::vector<ContainerStateChange> containers;
    std::vector<ManagedAgentStateChange> managed_agents;
    nlohmann::json attachments;
    double pull_started_at = 0;
    double pull_stopped_at = 0;
    double execution_stopped_at = 0;
    static constexpr auto json_fields() {
        using T = TaskStateChange;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("task", &T::task),
                          optional_field("status", &T::status),
                          optional_field("reason", &T::reason),
                          optional_field("containers", &T::containers),
                          optional_field("managedAgents", &T::managed_agents),
                          optional_field("attachments", &T::attachments),
                          optional_field("pullStartedAt", &T::pull_started_at),
                          optional_field("pullStoppedAt", &T::pull_stopped_at),
                          optional_field("executionStoppedAt", &T::execution_stopped_at)};
    }
};

/// What an agent's report makes of the task. Late, repeated and shuffled reports are harmless.
void apply_state_change(Task& task, const TaskStateChange& change, double now);

/// A user or the control plane wants it stopped; nothing happens to a task already stopping.
void request_stop(Task& task, std::string_view stop_code, std::string_view reason, double now);

/// The agent acknowledged a payload with this desired status.
void acknowledge_delivery(Task& task, std::string_view desired_status);

/// The instance is gone: the task ends without the agent's word.
void orphan(Task& task, std::string_view reason, double now);

/// HEALTHY, UNHEALTHY or UNKNOWN of a container, from PublishHealthRequest. False if nothing changed.
bool apply_health(Task& task, std::string_view container, std::string_view status);

/// The task's health: UNHEALTHY if an essential container with a health check is, HEALTHY if all of them are.
[[nodiscard]] std::string task_health(const Task& task);

}  // namespace nodeagent::local
