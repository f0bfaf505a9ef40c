#include "runtime/containerd/containers.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/cgroup_path.hpp"
#include "runtime/containerd/oci/exec_process.hpp"
#include "runtime/containerd/stop_signal.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Error no_such_container(const std::string& id) {
    return Error{.kind = ErrorKind::NotFound, .what = "No such container: " + id};
}

std::string filter_of(std::string_view key, std::string_view value) {
    return "labels.\"" + std::string(key) + "\"==\"" + std::string(value) + "\"";
}

constexpr int kAskShim = 3;  ///< times, of two seconds each

bool runs(TaskStatus status) {
    return status == TaskStatus::Running || status == TaskStatus::Paused || status == TaskStatus::Pausing;
}

/// A folder with files of a container's, and the shared memory that is mounted in it.
Result<void> remove_folder(const std::string& folder, const std::string& shm) {
    // EINVAL: nothing is mounted there
    if (::umount2(shm.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != ENOENT && errno != EINVAL) {
        return from_errno("unmount " + shm);
    }
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return from_error_code("remove " + folder, failed);
    return {};
}

std::string cgroups_path(const std::string& spec) {
    const auto document = parse_json(spec);
    if (!document || !document->is_object()) return {};
    const auto linux = document->find("linux");
    if (linux == document->end() || !linux->is_object()) return {};
    const auto path = linux->find("cgroupsPath");
    return path != linux->end() && path->is_string() ? path->get<std::string>() : std::string();
}

}  // namespace

Containers::Containers(std::shared_ptr<Client> client, const Options& options, ImageStore& images, Volumes& volumes,
                       Loggers& loggers)
    : client_(std::move(client)),
      options_(options),
      images_(images),
      volumes_(volumes),
      loggers_(loggers),
      networks_(options.network) {}

std::string Containers::data_folder(const std::string& id) const { return options_.data_dir + "/containers/" + id; }
std::string Containers::run_folder(const std::string& id) const { return options_.run_dir + "/" + id; }

// ---- which container

Result<Container> Containers::own(const std::string& id) {
    auto container = client_->get_container(id);
    if (!container && container.error().kind == ErrorKind::NotFound) return no_such_container(id);
    return container;
}

/// Nothing: the container has no process, running or ended. Its status is unknown when its shim does not answer within
/// two seconds.
Result<std::optional<Process>> Containers::told_task_of(const std::string& id) {
    auto task = client_->get_task(id, {});
    if (task) return std::optional<Process>(*std::move(task));
    if (task.error().kind == ErrorKind::NotFound) return std::optional<Process>();
    return std::move(task).error();
}

/// Likewise for those who must know whether it runs.
Result<std::optional<Process>> Containers::task_of(const std::string& id) {
    for (int tries = 1;; ++tries) {
        auto task = told_task_of(id);
        if (!task || !*task || (*task)->status != TaskStatus::Unknown) return task;
        if (tries < kAskShim) continue;
        return Error{.kind = ErrorKind::Timeout,
                     .what = "containerd cannot tell whether container " + id + " runs: its shim does not answer"};
    }
}

Result<std::string> Containers::id_of(const std::string& id_or_name) {
    constexpr std::size_t kIdLength = 64;
    const bool may_be_id =
        id_or_name.size() == kIdLength && id_or_name.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (may_be_id) {
        const auto container = client_->get_container(id_or_name);
        if (container) return container->id;
        if (container.error().kind != ErrorKind::NotFound) return container.error();
    }
    if (id_or_name.empty() || id_or_name.find('"') != std::string::npos) return no_such_container(id_or_name);
    const auto named = client_->list_containers({filter_of(kNameLabel, id_or_name)});
    if (!named) return named.error();
    if (named->empty()) return no_such_container(id_or_name);
    return named->front().id;
}

// ---- what it is

Result<Containers::Inspected> Containers::inspect(const std::string& id_or_name) {
    const auto id = id_of(id_or_name);
    if (!id) return id.error();
    const auto container = own(*id);
    if (!container) return container.error();
    const auto task = told_task_of(*id);
    if (!task) return task.error();
    const Process* process = *task ? &**task : nullptr;
    Inspected inspected{.view = view_of(*container, process)};
    const bool over = process != nullptr && process->status == TaskStatus::Stopped;
    const Life life = life_of(*container);
    // without a process: it went with the machine, or somebody deleted it
    inspected.end_unnoted = (over || (process == nullptr && life.started_at)) && !life.finished_at;
    if (const auto creation = creation_of(*container)) inspected.health_checked = creation->health_check.has_value();
    return inspected;
}

Result<std::vector<ContainerView>> Containers::list(const std::string& label) {
    std::vector<std::string> filters;
    if (!label.empty()) filters.push_back("labels.\"" + label + "\"");
    const auto containers = client_->list_containers(filters);
    if (!containers) return containers.error();
    const auto tasks = client_->list_tasks();
    if (!tasks) return tasks.error();
    std::map<std::string, const Process*> processes;
    for (const Process& task : *tasks) processes.emplace(task.container_id, &task);
    std::vector<ContainerView> views;
    views.reserve(containers->size());
    for (const Container& container : *containers) {
        const auto process = processes.find(container.id);
        views.push_back(listed_view(container, process == processes.end() ? nullptr : process->second));
    }
    return views;
}

// ---- its end

Result<bool> Containers::signal(const std::string& id, int signal, bool all) {
    const auto task = told_task_of(id);
    if (!task) return task.error();
    // one whose shim does not tell may run: the signal finds out
    if (!*task || (!runs((*task)->status) && (*task)->status != TaskStatus::Unknown)) return false;
    const auto done = client_->kill(id, {}, signal, all);
    if (!done && done.error().kind != ErrorKind::NotFound) return done.error();
    return done.has_value();
}

Result<int> Containers::stop_signal(const std::string& id) {
    const auto container = own(id);
    if (!container) return container.error();
    const auto creation = creation_of(*container);
    return creation ? creation->stop_signal : SIGTERM;
}

Result<void> Containers::set_life(const std::string& id, const Life& life) {
    return client_->set_extension(id, kLifeKey, encode(life));
}

Result<void> Containers::note_end(const std::string& id, bool out_of_memory) {
    const auto container = own(id);
    if (!container) return container.error();
    Life life = life_of(*container);
    if (life.finished_at) return {};
    const auto task = task_of(id);
    if (!task) return task.error();
    if (*task && (*task)->status != TaskStatus::Stopped) return {};
    if (!*task && !life.started_at) return {};
    life.oom_killed =
        out_of_memory || was_out_of_memory(options_.cgroup_root, options_.cgroup_v2, cgroups_path(container->spec));
    life.finished_at = std::chrono::system_clock::now();
    // a task that is gone without our noting its end: the machine was restarted, or somebody deleted it
    life.exit_code = kUnknownExit;
    if (*task) {
        life.exit_code = static_cast<int>((*task)->exit_status);
        if ((*task)->exited_at) life.finished_at = (*task)->exited_at;
    }
    return set_life(id, life);
}

Result<std::optional<Running>> Containers::take_down(const std::string& id) {
    const auto container = own(id);
    if (!container) {
        if (container.error().kind == ErrorKind::NotFound) return std::optional<Running>();
        return container.error();
    }
    const auto task = task_of(id);
    if (!task) return task.error();
    if (*task && runs((*task)->status)) return running_of(*container);
    // also without a task: a deletion that broke off with its caller leaves a shim that containerd does not list
    const auto deleted = client_->delete_task(id);
    if (!deleted && deleted.error().kind != ErrorKind::NotFound) return deleted.error();
    Life life = life_of(*container);
    if (!life.attached) return std::optional<Running>();
    if (auto detached = networks_.detach(id); !detached) return detached.error();
    life.attached = false;
    if (auto set = set_life(id, life); !set) return set.error();
    return std::optional<Running>();
}

Result<void> Containers::remove(const std::string& id) {
    const auto container = own(id);
    if (!container) {
        if (container.error().kind == ErrorKind::NotFound) return {};
        return container.error();
    }
    const auto task = task_of(id);
    if (!task) return task.error();
    if (*task && runs((*task)->status)) {
        return Error{.kind = ErrorKind::Conflict,
                     .what = "You cannot remove a running container " + id +
                             ". Stop the container before attempting removal or force remove"};
    }
    if (*task && (*task)->status == TaskStatus::Created) {  // a start that broke off
        (void)client_->kill(id, {}, SIGKILL, true);
    }
    if (const auto down = take_down(id); !down) return down.error();
    const auto creation = creation_of(*container);
    return unmake(id, creation ? &*creation : nullptr);
}

/// The record goes last: as long as it is there, another try finds what is left.
Result<void> Containers::unmake(const std::string& id, const Creation* creation) {
    if (creation != nullptr) {
        for (const std::string& volume : creation->anonymous_volumes) {
            if (auto removed = volumes_.remove(volume); !removed && removed.error().kind != ErrorKind::NotFound) {
                return removed;
            }
        }
    }
    // also of a start that broke off before it could write down that there is something
    if (auto detached = networks_.detach(id); !detached) return detached;
    if (auto retired = loggers_.retire(id, data_folder(id)); !retired) return retired;
    for (const std::string& folder : {run_folder(id), data_folder(id)}) {
        if (auto removed = remove_folder(folder, shm_folder(id)); !removed) return removed;
    }
    if (auto removed = images_.remove_root(id); !removed) return removed;
    const auto deleted = client_->delete_container(id);
    if (!deleted && deleted.error().kind != ErrorKind::NotFound) return deleted;
    return {};
}

// ---- after a start

Result<Containers::Found> Containers::take_stock() {
    const auto containers = client_->list_containers({});
    if (!containers) return containers.error();
    const auto tasks = client_->list_tasks();
    if (!tasks) return tasks.error();
    std::map<std::string, const Process*> processes;
    for (const Process& task : *tasks) processes.emplace(task.container_id, &task);
    Found found;
    std::set<std::string> ids;
    std::set<std::string> attached;
    for (const Container& container : *containers) {
        ids.insert(container.id);
        const Life life = life_of(container);
        if (life.attached) attached.insert(container.id);
        const auto process = processes.find(container.id);
        const bool has_task = process != processes.end();
        if (has_task && runs(process->second->status)) {
            if (auto running = running_of(container)) found.running.push_back(*std::move(running));
        } else if ((has_task && process->second->status != TaskStatus::Created) || life.attached ||
                   (life.started_at && !has_task)) {
            found.ended.push_back(container.id);
        }
    }
    networks_.reconcile(attached);
    remove_strays(ids);
    return found;
}

Containers::BeingMade::BeingMade(Containers& containers, std::string id) : containers_(containers), id_(std::move(id)) {
    const std::lock_guard lock(containers_.mutex_);
    containers_.being_made_.insert(id_);
}

Containers::BeingMade::~BeingMade() {
    const std::lock_guard lock(containers_.mutex_);
    containers_.being_made_.erase(id_);
}

bool Containers::is_stray(const std::string& id) {
    {
        const std::lock_guard lock(mutex_);
        if (being_made_.contains(id)) return false;
    }
    // asked only now: one that was being made until a moment ago is there
    const auto container = client_->get_container(id);
    return !container && container.error().kind == ErrorKind::NotFound;
}

/// What containers have left whose removal broke off, or whose creation did.
void Containers::remove_strays(const std::set<std::string>& ids) {
    for (const std::string& folder : {options_.data_dir + "/containers", options_.run_dir}) {
        std::error_code failed;
        for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
            const std::string id = entry.path().filename().string();
            if (ids.contains(id) || !is_stray(id)) continue;
            if (!loggers_.retire(id, entry.path().string())) continue;  // tried again after the next start
            (void)remove_folder(entry.path().string(), shm_folder(id));
        }
    }
    const auto roots = images_.roots();
    for (const std::string& id : roots ? *roots : std::vector<std::string>()) {
        if (!ids.contains(id) && is_stray(id)) (void)images_.remove_root(id);
    }
    for (const auto& [volume, container] : volumes_.made_for_containers()) {
        if (!ids.contains(container) && is_stray(container)) (void)volumes_.remove(volume);
    }
    images_.delete_earlier_leases();
}

std::optional<Running> Containers::running_of(const Container& container) {
    const auto creation = creation_of(container);
    if (!creation) return std::nullopt;
    const Life life = life_of(container);
    return Running{.id = container.id,
                   .started_at = life.started_at.value_or(std::chrono::system_clock::now()),
                   .health_check = creation->health_check,
                   .process = creation->health_check ? oci::exec_template(container.spec) : std::string()};
}

Result<void> Containers::begin_exec(const NewExec& exec) {
    if (auto added = client_->add_exec(exec); !added) return added;
    constexpr std::chrono::seconds kStartLimit{30};
    auto started = client_->start(exec.container_id, exec.exec_id, kStartLimit);
    if (!started) (void)client_->delete_exec(exec.container_id, exec.exec_id);
    return started;
}

Result<void> Containers::remove_volume(const std::string& name) {
    const auto containers = client_->list_containers({});
    if (!containers) return containers.error();
    for (const Container& container : *containers) {
        const auto creation = creation_of(container);
        if (!creation) continue;
        const auto uses = [&name](const Mount& mount) { return mount.name == name; };
        if (std::any_of(creation->mounts.begin(), creation->mounts.end(), uses)) {
            return Error{.kind = ErrorKind::Conflict,
                         .what = "remove " + name + ": volume is in use - [" + container.id + "]"};
        }
    }
    auto removed = volumes_.remove(name);
    if (!removed && removed.error().kind == ErrorKind::NotFound) return {};
    return removed;
}

}  // namespace nodeagent::runtime::containerd
