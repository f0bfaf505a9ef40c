#include "cgroups/task_cgroups.hpp"

#include "cgroups/task_cgroups_v1.hpp"
#include "cgroups/task_cgroups_v2.hpp"

namespace nodeagent::cgroups {

Result<std::unique_ptr<TaskCgroups>> make_task_cgroups(TaskCgroupsOptions options) {
    using Made = Result<std::unique_ptr<TaskCgroups>>;
    DirectoryOps& directories = options.directories != nullptr ? *options.directories : kernel_directories();
    const bool systemd = options.hierarchy.driver == Driver::Systemd;
    if (options.hierarchy.version == Version::V1) {
        if (systemd) {
            return Error{.kind = ErrorKind::Unavailable,
                         .what =
                             "task cgroups: the container runtime uses the systemd driver on cgroup v1, which accepts "
                             "no parent of ours; use its cgroupfs driver, boot with cgroup v2, or set "
                             "ECS_ENABLE_TASK_CPU_MEM_LIMIT=false"};
        }
        return Made(std::make_unique<TaskCgroupsV1>(std::move(options.hierarchy), directories));
    }
    auto units = systemd ? make_systemd_units(std::move(options.bus_address), options.job_timeout) : nullptr;
    return Made(std::make_unique<TaskCgroupsV2>(std::move(options.hierarchy), directories, std::move(units)));
}

}  // namespace nodeagent::cgroups
