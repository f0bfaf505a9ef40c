#pragma once
// Which limits this host's kernel can enforce. What it cannot, Docker leaves out with a warning instead of failing.

#include <string>

namespace nodeagent::runtime::containerd::oci {

struct CgroupSupport {
    bool memory = true;             ///< and its reservation
    bool swap_limit = true;         ///< v1: memory.memsw.limit_in_bytes is there
    bool swappiness = true;         ///< v1 only
    bool oom_kill_disable = true;   ///< v1 only
    bool kernel_memory = false;     ///< v1, and a kernel that still enforces it
    bool kernel_memory_tcp = true;  ///< v1 only
    bool cpu_shares = true;
    bool cpu_cfs = true;
    bool cpu_realtime = false;
    bool cpuset = true;
    bool pids = true;
    bool blkio_weight = true;
    bool blkio_weight_device = true;
    bool blkio_throttle = true;
    int cpus = 0;               ///< of the host; 0: not known
    std::string cpuset_cpus{};  ///< those a container may ask for ("0-3"); "": not known
    std::string cpuset_mems{};
};

/// Looks at the hierarchy mounted at `root` ("/sys/fs/cgroup"). v2 looks at controllers and, where the root lacks the
/// files that only children have, at the first child.
[[nodiscard]] CgroupSupport cgroup_support(const std::string& root, bool v2);

}  // namespace nodeagent::runtime::containerd::oci
