#pragma once
// A containerd in memory that keeps the contract of containerd::Client, with a collector as eager as the real one may
// be: what no image, container or lease leads to goes at every deletion, or at collect(). Any thread.
//
//   containerd.on("write_content", "layer-sha256:ab...").fail({.kind = ErrorKind::Unavailable, .what = "gone"}, 1);
//   containerd.on("apply_diff").block();          ... containerd.release("apply_diff");
//   containerd.exit("web", 3);                     // a task ends by itself
//   containerd.go_away();                          // every call is Unavailable, watches break, waits are Unavailable

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/evp.h>

#include "agent/base/gzip.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/client.hpp"

namespace nodeagent::fakes {

namespace ctr = runtime::containerd;

class FakeContainerd final : public ctr::Client {
  public:
    using Labels = ctr::Labels;
    using Process = ctr::Process;
    using TaskStatus = ctr::TaskStatus;

    struct Blob {
        std::string bytes;
        Labels labels;
    };
    struct Snapshot {
        ctr::SnapshotInfo info;
        std::int64_t usage = 0;
    };
    struct Task {
        ctr::NewTask made;
        std::map<std::string, Process> processes;  ///< by exec id; "" the init process
        std::map<std::string, ctr::NewExec> execs;
    };

    FakeContainerd() {
        known_plugins = {{.type = "io.containerd.snapshotter.v1", .id = "native", .usable = true, .exports = {}},
                         {.type = "io.containerd.snapshotter.v1", .id = "overlayfs", .usable = true, .exports = {}}};
    }
    ~FakeContainerd() override {
        {
            const std::lock_guard lock(mutex_);
            away_ = true;
            scripts_.clear();
            changed_.notify_all();
        }
        deliver_ = {};  // joined before what it uses goes
    }

    // ---- what tests do

    /// What happens when a verb is called with its first argument (the second for snapshots: the key). "": any.
    class Script {
      public:
        /// The next `times` calls fail; negative: all of them.
        Script& fail(Error error, int times = -1) {
            failures_.emplace_back(std::move(error), times);
            return *this;
        }
        /// The next `times` calls have their effect, but the answer is lost with the connection: of create_container,
        /// create_task and start all of it; of delete_task that the process is gone, while its shim stays.
        Script& lose_answer(int times = 1) {
            lost_ = times;
            return *this;
        }
        /// The next `calls` (negative: all) wait until release() of the same verb and argument.
        Script& block(int calls = -1) {
            blocked_ = true;
            to_block_ = calls;
            return *this;
        }

      private:
        friend class FakeContainerd;
        std::deque<std::pair<Error, int>> failures_;
        int lost_ = 0;
        bool blocked_ = false;
        int to_block_ = 0;
    };
    Script& on(const std::string& verb, const std::string& argument = {}) {
        const std::lock_guard lock(mutex_);
        return scripts_[{verb, argument}];
    }
    void release(const std::string& verb, const std::string& argument = {}) {
        const std::lock_guard lock(mutex_);
        scripts_[{verb, argument}].blocked_ = false;
        changed_.notify_all();
    }
    [[nodiscard]] int calls(const std::string& verb, const std::string& argument = {}) const {
        const std::lock_guard lock(mutex_);
        int count = 0;
        for (const auto& [called, with] : log_)
            count += called == verb && (argument.empty() || with == argument) ? 1 : 0;
        return count;
    }
    /// Returns once the verb has been called so often.
    void await_calls(const std::string& verb, int times) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
            return std::count_if(log_.begin(), log_.end(), [&](const auto& call) { return call.first == verb; }) >=
                   times;
        });
    }
    void go_away() {
        const std::lock_guard lock(mutex_);
        away_ = true;
        ++streams_;
        writers_.clear();
        for (auto& [key, waiting] : waits_) {
            for (auto& [number, done] : waiting) deliver([done = std::move(done)] { done(gone()); });
        }
        waits_.clear();
        changed_.notify_all();
    }
    void come_back() {
        const std::lock_guard lock(mutex_);
        away_ = false;
    }
    /// The event stream breaks, as when the daemon closes it; the daemon stays.
    void break_watch() {
        const std::lock_guard lock(mutex_);
        ++streams_;
        changed_.notify_all();
    }
    /// A process ends by itself.
    void exit(const std::string& container, std::uint32_t status, const std::string& exec = {}) {
        const std::lock_guard lock(mutex_);
        end_process(container, exec, status);
    }
    /// From now on nobody who waits for an end is told of it, until they all are.
    void hold_back_ends(bool held) {
        const std::lock_guard lock(mutex_);
        ends_held_ = held;
        changed_.notify_all();
    }
    void emit(ctr::Event event) {
        const std::lock_guard lock(mutex_);
        tell(std::move(event));
    }
    /// The init process of this container ignores everything but SIGKILL.
    void ignore_signals(const std::string& container) {
        const std::lock_guard lock(mutex_);
        deaf_.insert(container);
    }
    /// The shim of this container does not say how it is, as while it waits for the logging program.
    void silence(const std::string& container) {
        const std::lock_guard lock(mutex_);
        silent_.insert(container);
    }
    void unsilence(const std::string& container) {
        const std::lock_guard lock(mutex_);
        silent_.erase(container);
    }
    /// Removes what nothing leads to, as the daemon may at any time.
    void collect() {
        const std::lock_guard lock(mutex_);
        collect_unused();
    }
    void put_blob(std::string bytes, Labels labels = {}) {
        const std::lock_guard lock(mutex_);
        const std::string digest = digest_of(bytes);
        contents_[digest] = {std::move(bytes), std::move(labels)};
    }

    // what is there now, copied
    [[nodiscard]] std::map<std::string, Blob> blobs() const { return copy(contents_); }
    [[nodiscard]] std::map<std::string, std::string> ingests() const { return copy(ingests_); }
    [[nodiscard]] std::map<std::string, ctr::Image> images() const { return copy(images_); }
    [[nodiscard]] std::map<std::string, Snapshot> snapshots(const std::string& snapshotter = "overlayfs") const {
        const std::lock_guard lock(mutex_);
        std::map<std::string, Snapshot> out;
        for (const auto& [key, snapshot] : snapshots_) {
            if (key.first == snapshotter) out.emplace(key.second, snapshot);
        }
        return out;
    }
    [[nodiscard]] std::map<std::string, ctr::Container> containers() const { return copy(containers_); }
    [[nodiscard]] std::map<std::string, Task> tasks() const { return copy(tasks_); }
    /// Of containers with a process, and of those whose deletion broke off.
    [[nodiscard]] std::set<std::string> shims() const { return copy(shims_); }
    [[nodiscard]] std::map<std::string, Labels> leases() const {
        const std::lock_guard lock(mutex_);
        std::map<std::string, Labels> out;
        for (const auto& [id, lease] : leases_) out.emplace(id, lease.labels);
        return out;
    }
    [[nodiscard]] static std::string digest_of(std::string_view bytes) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned int length = 0;
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
        return "sha256:" + hex(std::string_view(reinterpret_cast<const char*>(digest.data()), length));
    }

    // set before use
    std::string known_version = "1.6.20";
    std::vector<ctr::Plugin> known_plugins;

    // ---- the contract

    Result<std::string> version(std::chrono::nanoseconds) override {
        auto call = enter("version");
        if (call.error) return *call.error;
        return known_version;
    }
    Result<std::vector<ctr::Plugin>> plugins() override {
        auto call = enter("plugins");
        if (call.error) return *call.error;
        return known_plugins;
    }
    Result<void> make_namespace() override {
        auto call = enter("make_namespace");
        if (call.error) return *call.error;
        return {};
    }

    Result<void> create_lease(const std::string& id, const Labels& labels) override {
        auto call = enter("create_lease", id);
        if (call.error) return *call.error;
        if (!leases_.emplace(id, Lease{.labels = labels, .holds = {}}).second) return exists("lease", id);
        return {};
    }
    Result<void> delete_lease(const std::string& id) override {
        auto call = enter("delete_lease", id);
        if (call.error) return *call.error;
        leases_.erase(id);
        collect_unused();
        return {};
    }
    Result<std::vector<std::string>> list_leases() override {
        auto call = enter("list_leases");
        if (call.error) return *call.error;
        std::vector<std::string> ids;
        for (const auto& [id, lease] : leases_) ids.push_back(id);
        return ids;
    }

    Result<ctr::ContentInfo> content_info(const std::string& digest) override {
        auto call = enter("content_info", digest);
        if (call.error) return *call.error;
        const auto found = contents_.find(digest);
        if (found == contents_.end()) return absent("content", digest);
        return ctr::ContentInfo{.digest = digest,
                                .size = static_cast<std::int64_t>(found->second.bytes.size()),
                                .labels = found->second.labels};
    }
    Result<std::string> read_content(const std::string& digest, std::size_t limit) override {
        auto call = enter("read_content", digest);
        if (call.error) return *call.error;
        const auto found = contents_.find(digest);
        if (found == contents_.end()) return absent("content", digest);
        if (found->second.bytes.size() > limit) {
            return Error{.kind = ErrorKind::Malformed, .what = digest + " is too long"};
        }
        return found->second.bytes;
    }
    Result<void> label_content(const std::string& digest, const Labels& labels) override {
        auto call = enter("label_content", digest);
        if (call.error) return *call.error;
        const auto found = contents_.find(digest);
        if (found == contents_.end()) return absent("content", digest);
        for (const auto& [key, value] : labels) found->second.labels[key] = value;
        return {};
    }
    Result<std::unique_ptr<ctr::ContentWriter>> write_content(const std::string& ref, std::int64_t size,
                                                              const std::string& digest,
                                                              const std::string& lease) override {
        auto call = enter("write_content", ref);
        if (call.error) return *call.error;
        if (contents_.contains(digest)) {
            hold(lease, "content/" + digest);
            return exists("content", digest);
        }
        if (writers_.contains(ref)) {
            return Error{.kind = ErrorKind::Unavailable, .what = "ref " + ref + " locked for 1s: unavailable"};
        }
        (void)size;
        ingests_[ref];
        hold(lease, "ingest/" + ref);
        const std::uint64_t number = ++writers_made_;
        writers_[ref] = number;
        return std::unique_ptr<ctr::ContentWriter>(
            std::make_unique<Writer>(*this, ref, number, lease, static_cast<std::int64_t>(ingests_[ref].size())));
    }
    Result<void> abort_content(const std::string& ref) override {
        auto call = enter("abort_content", ref);
        if (call.error) return *call.error;
        ingests_.erase(ref);
        drop("ingest/" + ref);
        return {};
    }

    Result<ctr::Image> get_image(const std::string& name) override {
        auto call = enter("get_image", name);
        if (call.error) return *call.error;
        const auto found = images_.find(name);
        if (found == images_.end()) return absent("image", name);
        return found->second;
    }
    Result<std::vector<ctr::Image>> list_images() override {
        auto call = enter("list_images");
        if (call.error) return *call.error;
        std::vector<ctr::Image> all;
        for (const auto& [name, image] : images_) all.push_back(image);
        return all;
    }
    Result<void> put_image(const ctr::Image& image) override {
        auto call = enter("put_image", image.name);
        if (call.error) return *call.error;
        images_[image.name] = image;
        return {};
    }
    Result<void> delete_image(const std::string& name, bool) override {
        auto call = enter("delete_image", name);
        if (call.error) return *call.error;
        if (images_.erase(name) == 0) return absent("image", name);
        collect_unused();
        return {};
    }

    Result<ctr::SnapshotInfo> stat_snapshot(const std::string& snapshotter, const std::string& key) override {
        auto call = enter("stat_snapshot", key);
        if (call.error) return *call.error;
        const auto found = snapshots_.find({snapshotter, key});
        if (found == snapshots_.end()) return absent("snapshot", key);
        return found->second.info;
    }
    Result<std::vector<ctr::SnapshotMount>> prepare_snapshot(const std::string& snapshotter, const std::string& key,
                                                             const std::string& parent, const Labels& labels,
                                                             const std::string& lease) override {
        auto call = enter("prepare_snapshot", key);
        if (call.error) return *call.error;
        const auto wanted = labels.find("containerd.io/snapshot.ref");
        if (wanted != labels.end() && snapshots_.contains({snapshotter, wanted->second})) {
            return exists("target snapshot", wanted->second);
        }
        if (snapshots_.contains({snapshotter, key})) return exists("snapshot", key);
        if (!parent.empty() && !snapshots_.contains({snapshotter, parent})) return absent("parent snapshot", parent);
        snapshots_[{snapshotter, key}] = {
            .info = {.name = key, .parent = parent, .kind = ctr::SnapshotInfo::Kind::Active, .labels = labels},
            .usage = 0};
        hold(lease, "snapshot/" + snapshotter + "/" + key);
        return mounts_of(snapshotter, key);
    }
    Result<std::vector<ctr::SnapshotMount>> snapshot_mounts(const std::string& snapshotter,
                                                            const std::string& key) override {
        auto call = enter("snapshot_mounts", key);
        if (call.error) return *call.error;
        if (!snapshots_.contains({snapshotter, key})) return absent("snapshot", key);
        return mounts_of(snapshotter, key);
    }
    Result<void> commit_snapshot(const std::string& snapshotter, const std::string& name, const std::string& key,
                                 const Labels& labels, const std::string& lease) override {
        auto call = enter("commit_snapshot", name);
        if (call.error) return *call.error;
        const auto found = snapshots_.find({snapshotter, key});
        if (found == snapshots_.end()) return absent("snapshot", key);
        if (snapshots_.contains({snapshotter, name})) return exists("snapshot", name);
        Snapshot committed = found->second;
        committed.info.name = name;
        committed.info.kind = ctr::SnapshotInfo::Kind::Committed;
        committed.info.labels = labels;
        snapshots_.erase(found);
        drop("snapshot/" + snapshotter + "/" + key);
        snapshots_[{snapshotter, name}] = std::move(committed);
        hold(lease, "snapshot/" + snapshotter + "/" + name);
        return {};
    }
    Result<void> remove_snapshot(const std::string& snapshotter, const std::string& key) override {
        auto call = enter("remove_snapshot", key);
        if (call.error) return *call.error;
        if (!snapshots_.contains({snapshotter, key})) return absent("snapshot", key);
        for (const auto& [id, snapshot] : snapshots_) {
            if (id.first == snapshotter && snapshot.info.parent == key) {
                return Error{.kind = ErrorKind::Conflict, .what = "cannot remove snapshot with child"};
            }
        }
        snapshots_.erase({snapshotter, key});
        drop("snapshot/" + snapshotter + "/" + key);
        return {};
    }
    Result<std::int64_t> snapshot_usage(const std::string& snapshotter, const std::string& key) override {
        auto call = enter("snapshot_usage", key);
        if (call.error) return *call.error;
        const auto found = snapshots_.find({snapshotter, key});
        if (found == snapshots_.end()) return absent("snapshot", key);
        return found->second.usage;
    }
    Result<std::vector<ctr::SnapshotInfo>> list_snapshots(const std::string& snapshotter) override {
        auto call = enter("list_snapshots", snapshotter);
        if (call.error) return *call.error;
        std::vector<ctr::SnapshotInfo> all;
        for (const auto& [id, snapshot] : snapshots_) {
            if (id.first == snapshotter) all.push_back(snapshot.info);
        }
        return all;
    }
    /// Layers are plain or gzip; what is in them is not looked at.
    Result<ctr::Descriptor> apply_diff(const ctr::Descriptor& layer, const std::vector<ctr::SnapshotMount>& mounts,
                                       const std::string&, std::stop_token stop) override {
        auto call = enter("apply_diff", layer.digest, stop);
        if (call.error) return *call.error;
        const auto found = contents_.find(layer.digest);
        if (found == contents_.end()) return absent("content", layer.digest);
        std::string plain = found->second.bytes;
        if (plain.starts_with("\x1f\x8b")) {
            auto unpacked = gunzip(plain, std::size_t{1} << 30U);
            if (!unpacked)
                return Error{.kind = ErrorKind::Internal, .what = "failed to extract layer: " + unpacked.error().what};
            plain = *std::move(unpacked);
        }
        for (auto& [id, snapshot] : snapshots_) {
            if (!mounts.empty() && mounts.front().source == source_of(id.first, id.second)) {
                snapshot.usage += static_cast<std::int64_t>(plain.size());
            }
        }
        return ctr::Descriptor{.media_type = "application/vnd.oci.image.layer.v1.tar",
                               .digest = digest_of(plain),
                               .size = static_cast<std::int64_t>(plain.size())};
    }

    Result<void> create_container(const ctr::Container& container) override {
        auto call = enter("create_container", container.id);
        if (call.error) return *call.error;
        if (!containers_.emplace(container.id, container).second) return exists("container", container.id);
        containers_[container.id].created_at = std::chrono::system_clock::now();
        tell({.topic = "/containers/create", .container_id = container.id, .exec_id = {}});
        if (call.answer_lost) return gone();
        return {};
    }
    Result<ctr::Container> get_container(const std::string& id) override {
        auto call = enter("get_container", id);
        if (call.error) return *call.error;
        const auto found = containers_.find(id);
        if (found == containers_.end()) return absent("container", id);
        return found->second;
    }
    /// Filters by id and labels only: `id==x`, `labels."key"==value`, `labels."key"`.
    Result<std::vector<ctr::Container>> list_containers(const std::vector<std::string>& filters) override {
        auto call = enter("list_containers");
        if (call.error) return *call.error;
        std::vector<ctr::Container> all;
        for (const auto& [id, container] : containers_) {
            const bool chosen = filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const auto& filter) {
                                    return matches(filter, container);
                                });
            if (chosen) all.push_back(container);
        }
        return all;
    }
    Result<void> set_extension(const std::string& id, const std::string& key, const ctr::Opaque& value) override {
        auto call = enter("set_extension", id);
        if (call.error) return *call.error;
        const auto found = containers_.find(id);
        if (found == containers_.end()) return absent("container", id);
        found->second.extensions[key] = value;
        return {};
    }
    Result<void> set_spec(const std::string& id, const std::string& spec) override {
        auto call = enter("set_spec", id);
        if (call.error) return *call.error;
        const auto found = containers_.find(id);
        if (found == containers_.end()) return absent("container", id);
        found->second.spec = spec;
        return {};
    }
    Result<void> delete_container(const std::string& id) override {
        auto call = enter("delete_container", id);
        if (call.error) return *call.error;
        if (containers_.erase(id) == 0) return absent("container", id);
        tell({.topic = "/containers/delete", .container_id = id, .exec_id = {}});
        collect_unused();
        return {};
    }

    Result<std::uint32_t> create_task(const ctr::NewTask& task, std::chrono::nanoseconds) override {
        auto call = enter("create_task", task.container_id);
        if (call.error) return *call.error;
        if (!containers_.contains(task.container_id)) return absent("container", task.container_id);
        if (!shims_.insert(task.container_id).second) return exists("task", task.container_id);
        const std::uint32_t pid = ++pids_;
        Task& made = tasks_[task.container_id];
        made.made = task;
        made.processes[""] = {
            .container_id = task.container_id, .exec_id = {}, .pid = pid, .status = TaskStatus::Created};
        tell({.topic = "/tasks/create", .container_id = task.container_id, .exec_id = {}});
        if (call.answer_lost) return gone();
        return pid;
    }
    Result<void> start(const std::string& container, const std::string& exec, std::chrono::nanoseconds) override {
        auto call = enter("start", container);
        if (call.error) return *call.error;
        Process* process = find_process(container, exec);
        if (process == nullptr) return absent("process", container);
        if (process->status != TaskStatus::Created) {
            return Error{.kind = ErrorKind::Conflict, .what = "cannot start a container that is not created"};
        }
        process->status = TaskStatus::Running;
        if (process->pid == 0) process->pid = ++pids_;
        tell({.topic = exec.empty() ? "/tasks/start" : "/tasks/exec-started",
              .container_id = container,
              .exec_id = exec});
        if (call.answer_lost) return gone();
        return {};
    }
    Result<Process> get_task(const std::string& container, const std::string& exec) override {
        auto call = enter("get_task", container);
        if (call.error) return *call.error;
        const Process* process = find_process(container, exec);
        if (process == nullptr) return absent("process", container);
        return told(container, *process);
    }
    Result<std::vector<Process>> list_tasks() override {
        auto call = enter("list_tasks");
        if (call.error) return *call.error;
        std::vector<Process> all;
        for (const auto& [id, task] : tasks_) all.push_back(told(id, task.processes.at("")));
        return all;
    }
    Result<void> kill(const std::string& container, const std::string& exec, int signal, bool) override {
        auto call = enter("kill", container);
        if (call.error) return *call.error;
        const Process* process = find_process(container, exec);
        if (process == nullptr) return absent("process", container);
        if (process->status == TaskStatus::Stopped) return absent("process already finished", container);
        if (signal != SIGKILL && exec.empty() && deaf_.contains(container)) return {};
        end_process(container, exec, 128U + static_cast<std::uint32_t>(signal));
        return {};
    }
    std::shared_ptr<void> wait(const std::string& container, const std::string& exec,
                               std::function<void(Result<ctr::Exit>)> done) override {
        auto call = enter("wait", container);
        if (call.error) {
            deliver([done = std::move(done), error = *call.error] { done(error); });
            return nullptr;
        }
        const Process* process = find_process(container, exec);
        if (process == nullptr) {
            deliver([done = std::move(done), error = absent("process", container)] { done(error); });
            return nullptr;
        }
        if (process->status == TaskStatus::Stopped) {
            deliver([done = std::move(done), exit = exit_of(*process)] { done(exit); });
            return nullptr;
        }
        const std::uint64_t number = ++waits_made_;
        waits_[{container, exec}].emplace(number, std::move(done));
        return {static_cast<void*>(this), [this, key = std::pair(container, exec), number](void*) {
                    const std::lock_guard lock(mutex_);
                    if (const auto found = waits_.find(key); found != waits_.end()) found->second.erase(number);
                }};
    }
    Result<ctr::Exit> delete_task(const std::string& container) override {
        auto call = enter("delete_task", container);
        if (call.error) return *call.error;
        const auto found = tasks_.find(container);
        if (found == tasks_.end()) {
            shims_.erase(container);
            return absent("task", container);
        }
        const Process init = found->second.processes.at("");
        if (init.status != TaskStatus::Stopped && init.status != TaskStatus::Created) {
            return Error{.kind = ErrorKind::Conflict, .what = "task must be stopped before deletion"};
        }
        tasks_.erase(found);
        tell({.topic = "/tasks/delete", .container_id = container, .exec_id = {}, .exit_status = init.exit_status});
        if (call.answer_lost) return gone();
        shims_.erase(container);
        return exit_of(init);
    }
    Result<void> add_exec(const ctr::NewExec& exec) override {
        auto call = enter("add_exec", exec.container_id);
        if (call.error) return *call.error;
        const auto found = tasks_.find(exec.container_id);
        if (found == tasks_.end()) return absent("task", exec.container_id);
        if (found->second.processes.contains(exec.exec_id)) return exists("exec", exec.exec_id);
        found->second.execs[exec.exec_id] = exec;
        found->second.processes[exec.exec_id] = {
            .container_id = exec.container_id, .exec_id = exec.exec_id, .pid = 0, .status = TaskStatus::Created};
        tell({.topic = "/tasks/exec-added", .container_id = exec.container_id, .exec_id = exec.exec_id});
        return {};
    }
    Result<ctr::Exit> delete_exec(const std::string& container, const std::string& exec) override {
        auto call = enter("delete_exec", container);
        if (call.error) return *call.error;
        const Process* process = find_process(container, exec);
        if (process == nullptr) return absent("process", container);
        const ctr::Exit exit = exit_of(*process);
        tasks_.at(container).processes.erase(exec);
        tasks_.at(container).execs.erase(exec);
        return exit;
    }

    Error watch(std::stop_token stop, std::function<void()> connected, std::function<void(ctr::Event)> sink) override {
        std::uint64_t stream = 0;
        std::size_t next = 0;
        {
            auto call = enter("watch");
            if (call.error) return *call.error;
            stream = streams_;
            next = events_.size();
        }
        connected();
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, stop, [&] { return streams_ != stream || next < events_.size(); });
            if (stop.stop_requested()) return {.kind = ErrorKind::Unavailable, .what = "no longer watched"};
            if (streams_ != stream) return gone();
            ctr::Event event = events_[next++];
            lock.unlock();
            sink(std::move(event));
            lock.lock();
        }
    }

  private:
    struct Lease {
        Labels labels;
        std::set<std::string> holds;  ///< "content/<digest>", "snapshot/<snapshotter>/<key>", "ingest/<ref>"
    };
    struct Call {
        std::unique_lock<std::mutex> lock;
        std::optional<Error> error;
        bool answer_lost = false;
    };

    class Writer final : public ctr::ContentWriter {
      public:
        Writer(FakeContainerd& daemon, std::string ref, std::uint64_t number, std::string lease, std::int64_t offset)
            : daemon_(daemon), ref_(std::move(ref)), number_(number), lease_(std::move(lease)), offset_(offset) {}
        ~Writer() override {
            const std::lock_guard lock(daemon_.mutex_);
            if (open()) daemon_.writers_.erase(ref_);
        }
        Writer(const Writer&) = delete;
        Writer& operator=(const Writer&) = delete;
        [[nodiscard]] std::int64_t offset() const override { return offset_; }
        Result<void> write(std::string_view bytes) override {
            auto call = daemon_.enter("write", ref_);
            if (call.error) return *call.error;
            if (!open()) return gone();
            daemon_.ingests_[ref_] += bytes;
            offset_ += static_cast<std::int64_t>(bytes.size());
            return {};
        }
        Result<void> commit(std::int64_t size, const std::string& digest, const Labels& labels) override {
            auto call = daemon_.enter("commit", ref_);
            if (call.error) return *call.error;
            if (!open()) return gone();
            const std::string bytes = daemon_.ingests_[ref_];
            if (size != 0 && size != static_cast<std::int64_t>(bytes.size())) {
                return Error{.kind = ErrorKind::Malformed, .what = "unexpected commit size: failed precondition"};
            }
            const std::string found = digest_of(bytes);
            if (!digest.empty() && digest != found) {
                return Error{.kind = ErrorKind::Malformed, .what = "unexpected commit digest: failed precondition"};
            }
            daemon_.writers_.erase(ref_);
            daemon_.ingests_.erase(ref_);
            daemon_.drop("ingest/" + ref_);
            daemon_.hold(lease_, "content/" + found);
            if (!daemon_.contents_.emplace(found, Blob{.bytes = bytes, .labels = labels}).second) {
                return exists("content", found);
            }
            return {};
        }

      private:
        [[nodiscard]] bool open() const {
            const auto found = daemon_.writers_.find(ref_);
            return found != daemon_.writers_.end() && found->second == number_;
        }
        FakeContainerd& daemon_;
        std::string ref_;
        std::uint64_t number_;
        std::string lease_;
        std::int64_t offset_;
    };

    static Error gone() {
        return {.kind = ErrorKind::Unavailable, .what = "connection error: desc = \"transport: connection refused\""};
    }
    static Error absent(const std::string& what, const std::string& which) {
        return {.kind = ErrorKind::NotFound, .what = what + " \"" + which + "\": not found"};
    }
    static Error exists(const std::string& what, const std::string& which) {
        return {.kind = ErrorKind::Conflict, .what = what + " \"" + which + "\": already exists"};
    }
    static std::string source_of(const std::string& snapshotter, const std::string& key) {
        return "/snapshots/" + snapshotter + "/" + key;
    }
    static std::vector<ctr::SnapshotMount> mounts_of(const std::string& snapshotter, const std::string& key) {
        return {{.type = "bind", .source = source_of(snapshotter, key), .options = {"rbind", "rw"}}};
    }
    Process told(const std::string& container, Process process) const {
        if (silent_.contains(container)) process.status = TaskStatus::Unknown;
        return process;
    }
    static ctr::Exit exit_of(const Process& process) {
        return {.status = process.exit_status, .at = process.exited_at};
    }
    template <class T>
    T copy(const T& from) const {
        const std::lock_guard lock(mutex_);
        return from;
    }

    Call enter(const std::string& verb, const std::string& argument = {}, const std::stop_token& stop = {}) {
        Call call{.lock = std::unique_lock(mutex_), .error = {}, .answer_lost = false};
        log_.emplace_back(verb, argument);
        changed_.notify_all();
        for (const std::string& with : {argument, std::string()}) {
            const auto found = scripts_.find({verb, with});
            if (found == scripts_.end() || !found->second.blocked_ || found->second.to_block_ == 0) continue;
            if (found->second.to_block_ > 0) --found->second.to_block_;
            const auto blocked = [this, key = found->first] {
                const auto script = scripts_.find(key);
                return script != scripts_.end() && script->second.blocked_;
            };
            changed_.wait(call.lock, stop, [&] { return !blocked() || away_; });
        }
        if (stop.stop_requested()) call.error = Error{.kind = ErrorKind::Unavailable, .what = "context canceled"};
        if (away_) call.error = gone();
        if (call.error) return call;
        for (const std::string& with : {argument, std::string()}) {
            const auto found = scripts_.find({verb, with});
            if (found == scripts_.end()) continue;
            if (found->second.lost_ > 0) {
                --found->second.lost_;
                call.answer_lost = true;
                return call;
            }
            if (found->second.failures_.empty()) continue;
            auto& [error, times] = found->second.failures_.front();
            call.error = error;
            if (times > 0 && --times == 0) found->second.failures_.pop_front();
            return call;
        }
        return call;
    }

    // all below: with the lock held
    void hold(const std::string& lease, const std::string& what) {
        if (const auto found = leases_.find(lease); found != leases_.end()) found->second.holds.insert(what);
    }
    void drop(const std::string& what) {
        for (auto& [id, lease] : leases_) lease.holds.erase(what);
    }
    Process* find_process(const std::string& container, const std::string& exec) {
        const auto task = tasks_.find(container);
        if (task == tasks_.end()) return nullptr;
        const auto found = task->second.processes.find(exec);
        return found == task->second.processes.end() ? nullptr : &found->second;
    }
    void end_process(const std::string& container, const std::string& exec, std::uint32_t status) {
        Process* process = find_process(container, exec);
        if (process == nullptr || process->status == TaskStatus::Stopped) return;
        process->status = TaskStatus::Stopped;
        process->exit_status = status;
        process->exited_at = std::chrono::system_clock::now();
        const ctr::Exit exit = exit_of(*process);
        tell({.topic = "/tasks/exit",
              .container_id = container,
              .exec_id = exec,
              .exit_status = status,
              .exited_at = process->exited_at});
        const auto waiting = waits_.extract({container, exec});
        if (waiting.empty()) return;
        for (auto& [number, done] : waiting.mapped()) deliver([done, exit] { done(exit); });
    }
    void tell(ctr::Event event) {
        events_.push_back(std::move(event));
        changed_.notify_all();
    }
    static bool matches(const std::string& filter, const ctr::Container& container) {
        for (const std::string_view term : split(filter, ',')) {
            const std::size_t equals = term.find("==");
            const std::string_view field = term.substr(0, equals);
            std::string_view value = equals == std::string_view::npos ? "" : term.substr(equals + 2);
            if (value.size() > 1 && value.front() == '"' && value.back() == '"')
                value = value.substr(1, value.size() - 2);
            if (field == "id") {
                if (container.id != value) return false;
                continue;
            }
            if (!field.starts_with("labels.")) return false;
            const std::string key(field.substr(8, field.size() - 9));  // labels."key"
            const auto label = container.labels.find(key);
            if (label == container.labels.end() || (equals != std::string_view::npos && label->second != value)) {
                return false;
            }
        }
        return true;
    }
    void mark(const std::string& node, std::set<std::string>& kept) const {
        if (!kept.insert(node).second) return;
        if (node.starts_with("content/")) {
            const auto found = contents_.find(node.substr(8));
            if (found == contents_.end()) return;
            for (const auto& [key, value] : found->second.labels) {
                if (key.starts_with("containerd.io/gc.ref.content")) mark("content/" + value, kept);
                constexpr std::string_view kSnapshot = "containerd.io/gc.ref.snapshot.";
                if (key.starts_with(kSnapshot)) mark("snapshot/" + key.substr(kSnapshot.size()) + "/" + value, kept);
            }
        }
        if (node.starts_with("snapshot/")) {
            const std::size_t slash = node.find('/', 9);
            const std::string snapshotter = node.substr(9, slash - 9);
            const auto found = snapshots_.find({snapshotter, node.substr(slash + 1)});
            if (found == snapshots_.end() || found->second.info.parent.empty()) return;
            mark("snapshot/" + snapshotter + "/" + found->second.info.parent, kept);
        }
    }
    void collect_unused() {
        std::set<std::string> kept;
        for (const auto& [id, lease] : leases_) {
            for (const std::string& held : lease.holds) mark(held, kept);
        }
        for (const auto& [name, image] : images_) mark("content/" + image.target.digest, kept);
        for (const auto& [id, container] : containers_) {
            mark("snapshot/" + container.snapshotter + "/" + container.snapshot_key, kept);
        }
        for (const auto& [key, snapshot] : snapshots_) {
            if (snapshot.info.labels.contains("containerd.io/gc.root")) {
                mark("snapshot/" + key.first + "/" + key.second, kept);
            }
        }
        std::erase_if(contents_, [&](const auto& blob) { return !kept.contains("content/" + blob.first); });
        std::erase_if(ingests_, [&](const auto& ingest) {
            return !kept.contains("ingest/" + ingest.first) && !writers_.contains(ingest.first);
        });
        std::erase_if(snapshots_, [&](const auto& snapshot) {
            return !kept.contains("snapshot/" + snapshot.first.first + "/" + snapshot.first.second);
        });
    }

    /// Runs `work` on the daemon's own thread, without the lock.
    void deliver(std::function<void()> work) {
        deliveries_.push_back(std::move(work));
        changed_.notify_all();
        if (deliver_.joinable()) return;
        deliver_ = std::jthread([this](const std::stop_token& stop) {
            std::unique_lock lock(mutex_);
            while (changed_.wait(lock, stop, [this] { return !ends_held_ && !deliveries_.empty(); })) {
                const std::function<void()> next = std::move(deliveries_.front());
                deliveries_.pop_front();
                lock.unlock();
                next();
                lock.lock();
            }
        });
    }

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    bool away_ = false;
    std::map<std::pair<std::string, std::string>, Script> scripts_;
    std::vector<std::pair<std::string, std::string>> log_;

    std::map<std::string, Lease> leases_;
    std::map<std::string, Blob> contents_;
    std::map<std::string, std::string> ingests_;
    std::map<std::string, std::uint64_t> writers_;  ///< open ones, by ref
    std::uint64_t writers_made_ = 0;
    std::map<std::string, ctr::Image> images_;
    std::map<std::pair<std::string, std::string>, Snapshot> snapshots_;
    std::map<std::string, ctr::Container> containers_;
    std::map<std::string, Task> tasks_;
    std::set<std::string> shims_;
    std::set<std::string> deaf_;
    std::set<std::string> silent_;
    std::uint32_t pids_ = 1000;
    std::map<std::pair<std::string, std::string>, std::map<std::uint64_t, std::function<void(Result<ctr::Exit>)>>>
        waits_;
    std::uint64_t waits_made_ = 0;
    std::uint64_t streams_ = 0;
    std::vector<ctr::Event> events_;
    std::deque<std::function<void()>> deliveries_;
    bool ends_held_ = false;
    std::jthread deliver_;
};

}  // namespace nodeagent::fakes
