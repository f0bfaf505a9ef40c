#pragma once
// The cgroup of a task: the parent of its containers' cgroups, with the task-level CPU, memory and pids limits.
// Paths, files and values: task-engine.md 4.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::cgroups {

struct TaskLimits {
    std::optional<double> cpu;     ///< vCPUs; absent: shares instead
    std::uint64_t cpu_shares = 2;  ///< used when cpu is absent; 2..262144
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::uint32_t> pids;
    std::chrono::nanoseconds cpu_period = std::chrono::milliseconds(100);
};

/// Blocking; call from the blocking pool. create() of an existing cgroup succeeds and leaves its limits alone; remove()
/// of an absent one succeeds.
class TaskCgroups {
  public:
    virtual ~TaskCgroups() = default;
    /// Once at start-up: makes the root (/ecs, or controllers of ecstasks.slice). Denied or Unavailable when
    /// impossible.
    virtual Result<void> prepare() = 0;
    virtual Result<void> create(const std::string& task_id, const TaskLimits& limits) = 0;
    virtual Result<void> remove(const std::string& task_id) = 0;
    /// Ids of tasks that have a cgroup in which no process lives: leftovers, unless the task is about to start.
    [[nodiscard]] virtual Result<std::vector<std::string>> unoccupied() const = 0;
    /// The CgroupParent that containers of the task get: "/ecs/<id>" (v1) or "ecstasks-<id>.slice" (v2).
    [[nodiscard]] virtual std::string parent_for(const std::string& task_id) const = 0;
};

}  // namespace nodeagent::cgroups
