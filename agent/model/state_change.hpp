#pragma once
// What the engine tells ECS, before it becomes SubmitTaskStateChange (control-plane.md 3.5, 9). engine -> ecs, by
// value.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/status.hpp"

namespace nodeagent::model {

struct NetworkBinding {
    std::string bind_ip;
    std::optional<int> container_port;
    std::optional<int> host_port;
    std::string container_port_range;  ///< instead of the two ports, together with host_port_range
    std::string host_port_range;
    std::string protocol;  ///< "tcp", "udp"
    friend bool operator==(const NetworkBinding&, const NetworkBinding&) = default;
};

struct ContainerStateChange {
    std::string task_arn;
    std::string container_name;
    ContainerStatus status = ContainerStatus::None;
    std::string reason;  ///< "" when there is none
    std::optional<int> exit_code;
    std::string runtime_id;
    std::string image_digest;
    std::vector<NetworkBinding> network_bindings;
    friend bool operator==(const ContainerStateChange&, const ContainerStateChange&) = default;
};

struct TaskStateChange {
    using WallTime = std::chrono::system_clock::time_point;
    std::string task_arn;
    TaskStatus status = TaskStatus::None;
    std::string reason;
    std::optional<WallTime> pull_started_at;
    std::optional<WallTime> pull_stopped_at;
    std::optional<WallTime> execution_stopped_at;
    friend bool operator==(const TaskStateChange&, const TaskStateChange&) = default;
};

/// ECS has acknowledged these statuses: the engine raises `sent` to them. ecs -> engine, by value. With `refused` it
/// will never take them (it does not know the task, or the report cannot be written down): nobody waits for them any
/// more.
struct StateChangeAck {
    std::string task_arn;
    std::optional<TaskStatus> task_status;
    std::vector<std::pair<std::string, ContainerStatus>> containers;  ///< name, status
    std::string refused{};                                             ///< why ECS never will; "" when it has
};

}  // namespace nodeagent::model
