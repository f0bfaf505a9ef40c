#include "cgroups/task_cgroups_v2.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"
#include "cgroups/cpu.hpp"
#include "cgroups/memory.hpp"
#include "cgroups/pids.hpp"
#include "cgroups/task_id.hpp"
#include "cgroups/unoccupied.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::string_view kParentSlice = "ecstasks.slice";

std::string slice_of(const std::string& task_id) { return "ecstasks-" + task_id + ".slice"; }

bool lists(std::string_view controllers, std::string_view wanted) {
    const auto words = split(trimmed(controllers), ' ');
    return std::find(words.begin(), words.end(), wanted) != words.end();
}

// Hands controllers down to the children of `cgroup`. cpu and memory are needed; the others serve pids limits and
// statistics and may be missing.
Result<void> enable_controllers(const Cgroup& cgroup) {
    Result<std::string> offered = cgroup.read("cgroup.controllers");
    if (!offered) return std::move(offered).error();
    Result<std::string> enabled = cgroup.read("cgroup.subtree_control");
    if (!enabled) return std::move(enabled).error();
    for (const std::string_view controller : {"cpu", "memory", "pids", "io"}) {
        if (lists(*enabled, controller)) continue;
        const bool needed = controller == "cpu" || controller == "memory";
        if (!lists(*offered, controller)) {
            if (!needed) continue;
            return Error{.kind = ErrorKind::Unavailable,
                         .what = "cgroup " + cgroup.path() + " does not offer the " + std::string(controller) +
                                 " controller; boot with cgroup_enable=" + std::string(controller) +
                                 " or enable it in the parent's cgroup.subtree_control"};
        }
        Result<void> written = cgroup.write("cgroup.subtree_control", "+" + std::string(controller));
        if (!written && needed) return written;
    }
    return {};
}

}  // namespace

SliceProperties slice_properties(const std::string& slice, const TaskLimits& limits) {
    SliceProperties properties{.description = "cgroup " + slice};
    if (limits.memory_bytes) properties.numbers.emplace_back("MemoryMax", *limits.memory_bytes);
    if (limits.cpu) {
        const CpuBandwidth bandwidth = cpu_bandwidth(*limits.cpu, limits.cpu_period);
        properties.numbers.emplace_back("CPUQuotaPerSecUSec", cpu_quota_per_second(bandwidth));
    } else {
        properties.numbers.emplace_back("CPUWeight", cpu_weight(limits.cpu_shares));
    }
    if (limits.pids) {
        properties.tasks_accounting = true;
        properties.numbers.emplace_back("TasksMax", *limits.pids);
    }
    return properties;
}

TaskCgroupsV2::TaskCgroupsV2(Hierarchy hierarchy, DirectoryOps& directories, std::unique_ptr<SystemdUnits> systemd)
    : hierarchy_(std::move(hierarchy)), directories_(directories), systemd_(std::move(systemd)) {}

std::string TaskCgroupsV2::parent_for(const std::string& task_id) const {
    if (systemd_) return slice_of(task_id);
    return "/" + std::string(kParentSlice) + "/" + slice_of(task_id);
}

Result<void> TaskCgroupsV2::prepare() {
    Result<Cgroup> root = Cgroup::open_root(hierarchy_.root);
    if (!root) return with_context("prepare task cgroups", std::move(root).error());
    if (auto enabled = enable_controllers(*root); !enabled) {
        return with_context("prepare task cgroups", std::move(enabled).error());
    }
    if (systemd_) return {};  // the first task's slice brings its parent slice with it
    Result<Cgroup> parent = root->ensure_child(kParentSlice, directories_);
    if (!parent) return with_context("prepare task cgroups", std::move(parent).error());
    if (auto enabled = enable_controllers(*parent); !enabled) {
        return with_context("prepare task cgroups", std::move(enabled).error());
    }
    return {};
}

Result<void> TaskCgroupsV2::create_directory(const std::string& task_id, const TaskLimits& limits) {
    Result<Cgroup> root = Cgroup::open_root(hierarchy_.root);
    if (!root) return std::move(root).error();
    Result<Cgroup> parent = root->ensure_child(kParentSlice, directories_);
    if (!parent) return std::move(parent).error();
    const std::string slice = slice_of(task_id);
    if (parent->has_child(slice)) return {};
    Result<Cgroup> task = parent->create_child(slice, directories_);
    if (!task) return std::move(task).error();
    FileWrites files = cpu_files(Version::V2, limits);
    for (FileWrite& file : memory_files(Version::V2, limits)) files.push_back(std::move(file));
    for (FileWrite& file : pids_files(limits)) files.push_back(std::move(file));
    for (const FileWrite& file : files) {
        Result<void> written = task->write(file.file, file.value);
        if (written) continue;
        (void)parent->remove_child(slice, directories_);  // half a cgroup would pass for a whole one
        return written;
    }
    return {};
}

Result<void> TaskCgroupsV2::create(const std::string& task_id, const TaskLimits& limits) {
    if (auto checked = check_task_id(task_id); !checked) return checked;
    const std::string doing = "create cgroup of task " + task_id;
    if (!systemd_) {
        Result<void> made = create_directory(task_id, limits);
        if (!made) return with_context(doing, std::move(made).error());
        return {};
    }
    const std::string slice = slice_of(task_id);
    if (auto started = systemd_->start_slice(slice, slice_properties(slice, limits)); !started) {
        return with_context(doing, std::move(started).error());
    }
    // systemd hands controllers down only to units with settings for them; container cgroups need them here.
    Result<Cgroup> root = Cgroup::open_root(hierarchy_.root);
    if (!root) return with_context(doing, std::move(root).error());
    if (auto enabled = enable_controllers(*root); !enabled) return with_context(doing, std::move(enabled).error());
    Result<Cgroup> parent = root->child(kParentSlice);
    if (!parent) return with_context(doing, std::move(parent).error());
    if (auto enabled = enable_controllers(*parent); !enabled) return with_context(doing, std::move(enabled).error());
    return {};
}

Result<std::vector<std::string>> TaskCgroupsV2::unoccupied() const {
    return unoccupied_in(hierarchy_.root + "/" + std::string(kParentSlice), "ecstasks-", ".slice");
}

Result<void> TaskCgroupsV2::remove(const std::string& task_id) {
    if (auto checked = check_task_id(task_id); !checked) return checked;
    const std::string doing = "remove cgroup of task " + task_id;
    Result<void> removed;
    if (systemd_) {
        removed = systemd_->stop_unit(slice_of(task_id));
    } else {
        Result<Cgroup> root = Cgroup::open_root(hierarchy_.root);
        Result<Cgroup> parent = root ? root->child(kParentSlice) : std::move(root);
        if (parent) {
            removed = parent->remove_child(slice_of(task_id), directories_);
        } else if (parent.error().kind != ErrorKind::NotFound) {
            removed = std::move(parent).error();
        }
    }
    if (!removed) return with_context(doing, std::move(removed).error());
    return {};
}

}  // namespace nodeagent::cgroups
