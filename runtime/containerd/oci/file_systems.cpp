#include "runtime/containerd/oci/file_systems.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>

#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr std::int64_t kDefaultShmSize = 64LL << 20;
constexpr const char* kShm = "/dev/shm";

std::vector<MountPlan> default_mounts() {
    return {
        {"proc", "proc", "/proc", {"nosuid", "noexec", "nodev"}},
        {"tmpfs", "tmpfs", "/dev", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
        {"devpts", "devpts", "/dev/pts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
        {"sysfs", "sysfs", "/sys", {"nosuid", "noexec", "nodev", "ro"}},
        {"cgroup", "cgroup", "/sys/fs/cgroup", {"ro", "nosuid", "noexec", "nodev"}},
        {"mqueue", "mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"}},
        {"tmpfs", "shm", kShm, {"nosuid", "noexec", "nodev", "mode=1777"}},
    };
}

bool lists_option(const MountPlan& mount, std::string_view option) {
    return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

/// These stay writable in a root that is read-only.
bool stays_writable(std::string_view destination) {
    constexpr std::array<std::string_view, 5> kWritable{"/proc", "/dev", "/dev/pts", kShm, "/dev/mqueue"};
    return std::find(kWritable.begin(), kWritable.end(), destination) != kWritable.end();
}

Json mount_json(const MountPlan& mount) {
    return {
        {"destination", mount.destination}, {"type", mount.type}, {"source", mount.source}, {"options", mount.options}};
}

/// The container's mounts, outer ones first.
std::vector<MountPlan> own_mounts(const SpecInputs& inputs) {
    std::vector<MountPlan> mounts;
    std::set<std::string_view> taken;
    for (const MountPlan& mount : inputs.mounts) {
        if (taken.insert(mount.destination).second) mounts.push_back(mount);
    }
    const auto is_shm = [](const MountPlan& mount) { return mount.destination == kShm; };
    std::string shm = inputs.shm_source;
    if (shm.empty() && inputs.ipc_namespace == "host") shm = kShm;
    const bool none = text_of(inputs.host_config, "IpcMode") == "none";
    if (!shm.empty() && !none && std::none_of(mounts.begin(), mounts.end(), is_shm)) {
        mounts.push_back({"bind", shm, kShm, {"rbind", "rprivate"}});
    }
    std::stable_sort(mounts.begin(), mounts.end(), [](const MountPlan& a, const MountPlan& b) {
        return std::count(a.destination.begin(), a.destination.end(), '/') <
               std::count(b.destination.begin(), b.destination.end(), '/');
    });
    return mounts;
}

/// A shared or slave mount inside needs a root that lets its events through.
std::string root_propagation_for(const std::vector<MountPlan>& mounts) {
    std::string propagation;
    for (const MountPlan& mount : mounts) {
        if (lists_option(mount, "shared") || lists_option(mount, "rshared")) return "shared";
        if (lists_option(mount, "slave") || lists_option(mount, "rslave")) propagation = "rslave";
    }
    return propagation;
}

/// A list of HostConfig that, even empty, replaces the default.
Json paths_of(const Json& host_config, std::string_view field, std::initializer_list<const char*> defaults) {
    Json paths = Json::array();
    if (const Json* given = member_of(host_config, field); given != nullptr && given->is_array()) {
        for (std::string& path : texts_of(host_config, field)) paths.push_back(std::move(path));
    } else if (!flag_of(host_config, "Privileged")) {
        for (const char* path : defaults) paths.push_back(path);
    }
    return paths;
}

}  // namespace

bool wants_init(const SpecInputs& inputs) {
    return flag_of(inputs.host_config, "Init") && inputs.pid_namespace.empty();
}

Result<FileSystems> file_systems(const SpecInputs& inputs) {
    const Json& host = inputs.host_config;
    std::int64_t shm_size = integer_or_zero(host, "ShmSize");
    if (shm_size < 0) return malformed("SHM size can not be less than 0");
    if (shm_size == 0) shm_size = kDefaultShmSize;
    const bool privileged = flag_of(host, "Privileged");
    const bool read_only = flag_of(host, "ReadonlyRootfs");
    const bool no_shm = text_of(host, "IpcMode") == "none";

    const std::vector<MountPlan> own = own_mounts(inputs);
    std::set<std::string_view> taken;
    for (const MountPlan& mount : own) taken.insert(mount.destination);

    std::vector<MountPlan> defaults = default_mounts();
    if (wants_init(inputs)) {
        if (inputs.init_program.empty()) {
            return malformed("HostConfig.Init: this host has no init program for containers: install tini");
        }
        defaults.push_back({"bind", inputs.init_program, kInitInside, {"bind", "ro"}});
    }
    FileSystems out;
    for (MountPlan& mount : defaults) {
        if (taken.contains(mount.destination)) continue;
        if (taken.contains("/dev") && mount.destination.starts_with("/dev/")) continue;
        if (mount.destination == kShm) {
            if (no_shm) continue;
            mount.options.push_back("size=" + std::to_string(shm_size));
        }
        if (read_only && !stays_writable(mount.destination) && !lists_option(mount, "ro")) {
            mount.options.emplace_back("ro");
        }
        if (privileged && (mount.type == "sysfs" || mount.type == "cgroup")) std::erase(mount.options, "ro");
        out.mounts.push_back(mount_json(mount));
    }
    for (const MountPlan& mount : own) out.mounts.push_back(mount_json(mount));
    out.root_propagation = root_propagation_for(own);
    return out;
}

Json masked_paths(const Json& host_config) {
    return paths_of(
        host_config, "MaskedPaths",
        {"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
         "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"});
}

Json read_only_paths(const Json& host_config) {
    return paths_of(host_config, "ReadonlyPaths",
                    {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
}

}  // namespace nodeagent::runtime::containerd::oci
