#pragma once
// Where a container's cgroup is, from its OCI document's cgroupsPath. Pure, but for the one file it reads.

#include <string>
#include <string_view>

namespace nodeagent::runtime::containerd {

/// Below the hierarchy's mount: "/ecs/task/id" as it is; systemd's "a-b.slice:ecs:id" is
/// "/a.slice/a-b.slice/ecs-id.scope".
/// "" for what is neither.
[[nodiscard]] std::string cgroup_folder(std::string_view cgroups_path);

/// Whether the kernel has killed a process of that cgroup for want of memory; false when the cgroup is gone.
[[nodiscard]] bool was_out_of_memory(const std::string& root, bool v2, std::string_view cgroups_path);

}  // namespace nodeagent::runtime::containerd
