#include "runtime/containerd/oci/cgroup_support.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string line_of(const std::string& path) {
    const auto text = read_file(path, 1U << 16U);
    return text ? std::string(trimmed(*text)) : std::string();
}

CgroupSupport support_v1(const std::string& root) {
    const std::string memory = root + "/memory/memory.";
    const std::string cpu = root + "/cpu/cpu.";
    const std::string blkio = root + "/blkio/blkio.";
    CgroupSupport out;
    out.memory = is_there(memory + "limit_in_bytes");
    out.swap_limit = is_there(memory + "memsw.limit_in_bytes");
    out.swappiness = is_there(memory + "swappiness");
    out.oom_kill_disable = is_there(memory + "oom_control");
    out.kernel_memory = is_there(memory + "kmem.limit_in_bytes");
    out.kernel_memory_tcp = is_there(memory + "kmem.tcp.limit_in_bytes");
    out.cpu_shares = is_there(cpu + "shares");
    out.cpu_cfs = is_there(cpu + "cfs_quota_us");
    out.cpu_realtime = is_there(cpu + "rt_period_us");
    out.cpuset_cpus = line_of(root + "/cpuset/cpuset.cpus");
    out.cpuset_mems = line_of(root + "/cpuset/cpuset.mems");
    out.cpuset = is_there(root + "/cpuset/cpuset.cpus");
    out.pids = is_there(root + "/pids");
    out.blkio_weight = is_there(blkio + "weight") || is_there(blkio + "bfq.weight");
    out.blkio_weight_device = is_there(blkio + "weight_device") || is_there(blkio + "bfq.weight_device");
    out.blkio_throttle = is_there(blkio + "throttle.read_bps_device");
    return out;
}

/// Whether some cgroup below the root has a file that the root itself never has.
bool a_child_has(const std::string& root, const std::vector<std::string>& files) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(root, failed)) {
        std::error_code ignored;
        if (!entry.is_directory(ignored)) continue;
        for (const std::string& file : files) {
            if (is_there(entry.path().string() + "/" + file)) return true;
        }
    }
    return false;
}

CgroupSupport support_v2(const std::string& root) {
    const std::string controllers = line_of(root + "/cgroup.controllers");
    const auto has = [&controllers](std::string_view name) {
        const auto names = split(controllers, ' ');
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    CgroupSupport out;
    out.memory = has("memory");
    out.swap_limit = out.memory && a_child_has(root, {"memory.swap.max"});
    out.swappiness = out.oom_kill_disable = out.kernel_memory = out.kernel_memory_tcp = false;
    out.cpu_shares = out.cpu_cfs = has("cpu");
    out.cpuset = has("cpuset");
    out.pids = has("pids");
    out.blkio_throttle = has("io");
    out.blkio_weight = out.blkio_throttle && a_child_has(root, {"io.weight", "io.bfq.weight"});
    out.blkio_weight_device = out.blkio_weight;
    out.cpuset_cpus = line_of(root + "/cpuset.cpus.effective");
    out.cpuset_mems = line_of(root + "/cpuset.mems.effective");
    return out;
}

}  // namespace

CgroupSupport cgroup_support(const std::string& root, bool v2) {
    CgroupSupport out = v2 ? support_v2(root) : support_v1(root);
    out.cpus = static_cast<int>(std::max(0L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    return out;
}

}  // namespace nodeagent::runtime::containerd::oci
