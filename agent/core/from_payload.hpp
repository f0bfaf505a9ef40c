#pragma once
// model::Task -> TaskState: the only bridge from the wire to live state. Validates what the reference validates
// (control-plane.md 7, task-engine.md 3.1), refuses by name what this agent lacks, and drops role credentials from the
// definition that is kept.

#include <functional>
#include <memory>
#include <string>

#include <boost/system/result.hpp>

#include "agent/core/task_state.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::core {

/// Where new names come from; random outside tests. The callables are given the payload's own names.
struct Identity {
    std::function<std::string()> uuid;
    std::function<std::string(const model::Task& task, const std::string& container)> container_name;
    std::function<std::string(const model::Task& task, const std::string& volume)> volume_name;
};

struct AcceptanceRules {
    bool task_limits = true;    ///< the task gets a cgroup of its own
    bool gpu_support = false;   ///< ECS_ENABLE_GPU_SUPPORT
    std::uint64_t arrival = 0;  ///< TaskState::arrival
};

/// Why a task is not taken up. Its STOPPED is reported with `reason` and nothing of it is kept.
struct Rejection {
    std::string reason;  ///< complete text for ECS
    /// false: the payload could not be understood, which suppresses every ack of it. true: it was understood, but the
    /// task cannot run here; the payload is acknowledged.
    bool handled = false;
};

/// `payload` is not null and has an ARN (a task without one is only logged, by the caller).
[[nodiscard]] boost::system::result<TaskState, Rejection> from_payload(
    const std::shared_ptr<const model::Task>& payload, const Identity& identity, const AcceptanceRules& rules);

/// "UnrecogniedTaskError: Error loading task - <detail>", spelled as the service knows it.
[[nodiscard]] std::string unrecognised_task(std::string_view detail);

/// "resource cannot be initialized for task <arn>: <detail>".
[[nodiscard]] std::string resource_not_initialised(std::string_view task_arn, std::string_view detail);

}  // namespace nodeagent::core
