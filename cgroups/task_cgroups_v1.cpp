#include "cgroups/task_cgroups_v1.hpp"

#include <array>
#include <thread>

#include "agent/base/strings.hpp"
#include "cgroups/cpu.hpp"
#include "cgroups/memory.hpp"
#include "cgroups/pids.hpp"
#include "cgroups/task_id.hpp"
#include "cgroups/unoccupied.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::string_view kParent = "ecs";

// The controllers the reference makes directories in, where they are mounted. host.md 4.
constexpr std::array<std::string_view, 14> kControllers{"systemd",    "freezer", "pids",    "net_cls", "net_prio",
                                                        "perf_event", "cpuset",  "cpu",     "cpuacct", "memory",
                                                        "blkio",      "rdma",    "devices", "hugetlb"};

FileWrites files_for(const std::string& controller, const TaskLimits& limits) {
    if (controller == "cpu") return cpu_files(Version::V1, limits);
    if (controller == "memory") return memory_files(Version::V1, limits);
    if (controller == "pids") return pids_files(limits);
    return {};
}

// A cpuset without CPUs or memory nodes accepts no process.
Result<void> inherit_cpuset(const Cgroup& parent, const Cgroup& child) {
    for (const std::string_view file : {"cpuset.cpus", "cpuset.mems"}) {
        Result<std::string> own = child.read(file);
        if (!own) return std::move(own).error();
        if (!trimmed(*own).empty()) continue;
        Result<std::string> inherited = parent.read(file);
        if (!inherited) return std::move(inherited).error();
        if (auto written = child.write(file, trimmed(*inherited)); !written) return written;
    }
    return {};
}

// Old kernels count children against a limit only when told so. Where the parent is hierarchical already, it reads 1.
Result<void> account_children(const Cgroup& memory) {
    Result<std::string> current = memory.read("memory.use_hierarchy");
    if (!current) return std::move(current).error();
    if (trimmed(*current) == "1") return {};
    return memory.write("memory.use_hierarchy", "1");
}

// The last process of a cgroup stays visible for a moment after its exit was reported.
Result<void> remove_when_empty(const Cgroup& parent, const std::string& name, DirectoryOps& directories) {
    auto pause = std::chrono::milliseconds(10);
    for (int attempt = 1;; ++attempt) {
        Result<void> removed = parent.remove_child(name, directories);
        if (removed || removed.error().kind != ErrorKind::Conflict || attempt == 5) return removed;
        Result<Cgroup> cgroup = parent.child(name);
        if (!cgroup) continue;
        Result<std::string> processes = cgroup->read("cgroup.procs");
        if (!processes || !processes->empty()) return removed;
        std::this_thread::sleep_for(pause);
        pause *= 2;
    }
}

}  // namespace

TaskCgroupsV1::TaskCgroupsV1(Hierarchy hierarchy, DirectoryOps& directories)
    : hierarchy_(std::move(hierarchy)), directories_(directories) {
    for (const std::string_view controller : kControllers) {
        if (hierarchy_.has(controller)) controllers_.emplace_back(controller);
    }
}

std::string TaskCgroupsV1::parent_for(const std::string& task_id) const {
    return "/" + std::string(kParent) + "/" + task_id;
}

Result<void> TaskCgroupsV1::prepare() {
    for (const std::string_view needed : {"cpu", "memory"}) {
        if (hierarchy_.has(needed)) continue;
        return Error{.kind = ErrorKind::Unavailable,
                     .what = "prepare task cgroups: the " + std::string(needed) + " controller is not mounted under " +
                             hierarchy_.root + "; boot with cgroup_enable=" + std::string(needed)};
    }
    for (const std::string& controller : controllers_) {
        Result<Cgroup> root = Cgroup::open_root(hierarchy_.root + "/" + controller);
        if (!root) return with_context("prepare task cgroups", std::move(root).error());
        Result<Cgroup> parent = root->ensure_child(kParent, directories_);
        if (!parent) return with_context("prepare task cgroups", std::move(parent).error());
        if (controller == "cpuset") {
            if (auto inherited = inherit_cpuset(*root, *parent); !inherited) {
                return with_context("prepare task cgroups", std::move(inherited).error());
            }
        }
    }
    return {};
}

Result<Cgroup> TaskCgroupsV1::parent_in(const std::string& controller) const {
    Result<Cgroup> root = Cgroup::open_root(hierarchy_.root + "/" + controller);
    if (!root) return root;
    return root->ensure_child(kParent, directories_);
}

Result<void> TaskCgroupsV1::create_in(const std::string& controller, const std::string& task_id,
                                      const TaskLimits& limits) const {
    Result<Cgroup> parent = parent_in(controller);
    if (!parent) return std::move(parent).error();
    Result<Cgroup> task = parent->ensure_child(task_id, directories_);
    if (!task) return std::move(task).error();
    if (controller == "cpuset") {
        if (auto inherited = inherit_cpuset(*parent, *task); !inherited) return inherited;
    }
    for (const FileWrite& limit : files_for(controller, limits)) {
        if (auto written = task->write(limit.file, limit.value); !written) return written;
    }
    if (controller == "memory") return account_children(*task);
    return {};
}

Result<void> TaskCgroupsV1::create(const std::string& task_id, const TaskLimits& limits) {
    if (auto checked = check_task_id(task_id); !checked) return checked;
    const std::string doing = "create cgroup of task " + task_id;
    // Memory is the last of those with limits, so what has it was completed. What exists is taken as it is (restart).
    Result<Cgroup> memory = parent_in("memory");
    if (!memory) return with_context(doing, std::move(memory).error());
    if (memory->has_child(task_id)) return {};
    std::vector<std::string> order;
    for (const std::string& controller : controllers_) {
        if (controller != "memory") order.push_back(controller);
    }
    order.emplace_back("memory");
    for (const std::string& controller : order) {
        Result<void> made = create_in(controller, task_id, limits);
        if (made) continue;
        (void)remove(task_id);  // half a cgroup would pass for a whole one
        return with_context(doing, std::move(made).error());
    }
    return {};
}

Result<std::vector<std::string>> TaskCgroupsV1::unoccupied() const {
    return unoccupied_in(hierarchy_.root + "/memory/" + std::string(kParent), "", "");
}

Result<void> TaskCgroupsV1::remove(const std::string& task_id) {
    if (auto checked = check_task_id(task_id); !checked) return checked;
    // Where v2 is mounted beside v1, the runtime makes the parent of its containers there too and leaves it behind.
    std::vector<std::string> places = controllers_;
    places.emplace_back("unified");
    Result<void> outcome;
    for (const std::string& controller : places) {
        Result<Cgroup> root = Cgroup::open_root(hierarchy_.root + "/" + controller);
        Result<Cgroup> parent = root ? root->child(kParent) : std::move(root);
        Result<void> removed;
        if (parent) {
            removed = remove_when_empty(*parent, task_id, directories_);
        } else if (parent.error().kind != ErrorKind::NotFound) {
            removed = std::move(parent).error();
        }
        // the other controllers' directories still go
        if (!removed && outcome) outcome = with_context("remove cgroup of task " + task_id, std::move(removed).error());
    }
    return outcome;
}

}  // namespace nodeagent::cgroups
