#pragma once
// Makes the TaskCgroups that fit the host.

#include <chrono>
#include <memory>
#include <string>

#include "cgroups/cgroup.hpp"
#include "cgroups/hierarchy.hpp"
#include "cgroups/task_cgroup.hpp"

namespace nodeagent::cgroups {

struct TaskCgroupsOptions {
    Hierarchy hierarchy;
    /// Where systemd answers; empty: the system bus.
    std::string bus_address;
    std::chrono::seconds job_timeout{30};
    /// How directories come and go; null: the kernel's way. Must outlive the TaskCgroups.
    DirectoryOps* directories = nullptr;
};

/// Unavailable for v1 with the systemd driver, which refuses the parent "/ecs/<id>".
[[nodiscard]] Result<std::unique_ptr<TaskCgroups>> make_task_cgroups(TaskCgroupsOptions options);

}  // namespace nodeagent::cgroups
