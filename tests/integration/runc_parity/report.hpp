#pragma once
// What a process says of the place it is in: a shell script that writes a report, and the report read so that two of
// them can be compared.

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::parity {

/// Writes to /report/out. Sections begin with "== ". Only busybox is needed.
inline constexpr const char* kScript = R"sh(
b=/bin/busybox
$b cp /proc/$$/environ /report/environ
{
echo "== status"; $b grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)' /proc/$$/status
echo "== environment"; $b tr '\0' '\n' </report/environ
echo "== mounts"; $b cat /proc/self/mountinfo
echo "== cgroups"; $b cat /proc/self/cgroup
echo "== limits"; $b cat /proc/self/limits
echo "== hidden"
for f in /proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats \
         /proc/sched_debug /proc/scsi /sys/firmware; do
    if [ -d $f ]; then echo "$f holds $($b ls $f | $b wc -l)"; else $b stat -c '%n %F %t:%T' $f 2>&1; fi
done
echo "== devices"; for d in $($b find /dev ! -type d ! -path '/dev/pts/*' ! -path '/dev/shm/*' | $b sort); do
    $b stat -c '%n %F %a %u:%g %t:%T' $d; done
echo "== device rules"; $b sort /sys/fs/cgroup/devices/devices.list
echo "== sysctls"
for f in net/ipv4/ping_group_range net/ipv4/ip_unprivileged_port_start net/core/somaxconn kernel/domainname \
         kernel/hostname kernel/shmmax kernel/msgmax; do echo "$f $($b cat /proc/sys/$f 2>&1)"; done
echo "== namespaces"; for n in cgroup ipc mnt net pid user uts; do echo "$n $($b readlink /proc/self/ns/$n)"; done
echo "== cgroup values"
for f in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes \
         memory/memory.swappiness memory/memory.oom_control cpu/cpu.shares cpu/cpu.cfs_quota_us \
         cpu/cpu.cfs_period_us cpuset/cpuset.cpus pids/pids.max; do
    echo "$f $($b grep -v under_oom /sys/fs/cgroup/$f 2>&1)"
done
echo "== process"; echo "score $($b cat /proc/self/oom_score_adj)"; echo "directory $PWD"
echo "first $($b tr '\0' ' ' </proc/1/cmdline | $b head -c 40)"; echo "user $($b id -u):$($b id -g) $($b id -G)"
echo "== attempts"
for try in "$b touch /new" "$b mkdir /sys/new" "$b unshare -m $b true" "$b unshare -n $b true" "$b mount -t tmpfs x /mnt" \
           "$b chroot / $b true" "$b mknod /report/node c 1 3" "$b touch /dev/shm/x" "$b touch /tmp/x" \
           "$b sysctl -w kernel.shmmax=1000" "$b ls /data" "$b touch /data/x" "$b cat /data/file" \
           "$b chown 5 /report/environ" "$b head -c 1 /dev/xzero" "$b ulimit -n"; do
    $try >/report/said 2>&1; echo "$try -> $? $($b head -n 1 /report/said | $b tr -d '\0')"
done
} >/report/out 2>&1
$b mv /report/out /report/done
)sh";

using Sections = std::map<std::string, std::vector<std::string>>;

inline Sections sections_of(const std::string& report) {
    Sections sections;
    std::vector<std::string>* current = nullptr;
    for (const std::string_view line : split(report, '\n')) {
        if (line.starts_with("== ")) {
            current = &sections[std::string(line.substr(3))];
        } else if (current != nullptr && !line.empty()) {
            current->emplace_back(line);
        }
    }
    return sections;
}

/// A line of mountinfo without what depends on where a container's files are: numbers, sources; of binds and the root
/// the file system, too.
inline std::string comparable_mount(const std::string& line) {
    const auto columns = split(line, ' ');
    std::size_t dash = 6;
    std::string propagation;
    while (dash < columns.size() && columns[dash] != "-") {
        propagation += " " + std::string(columns[dash].substr(0, columns[dash].find(':')));
        ++dash;
    }
    if (dash + 3 >= columns.size()) return line;
    const std::string point(columns[4]);
    // of the root and of volumes it depends on where images and volumes are kept
    if (point == "/" || point == "/data") propagation.clear();
    std::string out = point + " " + std::string(columns[5]) + propagation;
    static const std::vector<std::string> kKernels{"proc", "sysfs", "devpts", "mqueue", "cgroup"};
    const std::string type(columns[dash + 1]);
    const bool kernels = std::find(kKernels.begin(), kKernels.end(), type) != kKernels.end();
    const bool memory = type == "tmpfs" && point != "/" && !point.starts_with("/etc/") &&
                        !point.starts_with("/report") && !point.starts_with("/data");
    if (kernels || memory) out += " " + type + " " + std::string(columns[dash + 3]);
    return out;
}

}  // namespace nodeagent::parity
