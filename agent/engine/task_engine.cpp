#include "agent/engine/task_engine.hpp"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "agent/base/clock.hpp"
#include "agent/base/log.hpp"
#include "agent/base/random.hpp"
#include "agent/base/strings.hpp"
#include "agent/config/config.hpp"
#include "agent/core/pull_rules.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/stop_time.hpp"
#include "agent/core/waiting.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/disk.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/lifecycle_settings.hpp"
#include "agent/engine/resources/environment_files.hpp"
#include "agent/engine/resources/metadata_files.hpp"
#include "agent/engine/resources/task_directories.hpp"
#include "agent/engine/spec/container_spec.hpp"
#include "agent/engine/step_sink.hpp"

namespace nodeagent::engine {

core::Identity random_identity() {
    const auto random63 = [] { return thread_random()() >> 1U; };
    core::Identity identity;
    identity.uuid = uuid4;
    identity.container_name = [random63](const model::Task& task, const std::string& container) {
        return docker_container_name(task.family, task.version, container, random63());
    };
    identity.volume_name = [random63](const model::Task& task, const std::string& volume) {
        return docker_volume_name(task.family, task.version, volume, random63());
    };
    return identity;
}

TaskEngine::State::State(EngineParts given)
    : parts(std::move(given)),
      identity(random_identity()),
      task_limits(parts.cgroups != nullptr),
      board(parts.shard, parts.snapshots, [this](const core::TaskState& task) { return outlook(task); }),
      host(parts.shard, parts.clock, parts.totals,
           core::QueueRules{.overtake_after = parts.config.task_queue_overtake_after,
                            .max_overtaken = parts.config.task_queue_max_overtaken},
           [this] { board.refresh_waiting(); }),
      link(parts.shard, parts.clock, parts.backend),
      observer(parts.shard, parts.backend),
      claims(parts.shard),
      janitor(JanitorTools{.shard = parts.shard,
                           .clock = parts.clock,
                           .backend = parts.backend,
                           .link = link,
                           .images = images,
                           .claims = claims,
                           .store = parts.store,
                           .events = parts.events,
                           .config = parts.config,
                           .disk_use = [this](std::string folder) { return look_at_disk(std::move(folder)); },
                           .is_ours = [this](const runtime::ContainerView& view) { return knows(view); }}),
      puller(parts.shard, parts.clock, parts.backend, link, pull_limits(parts.config),
             PullHooks{.changed = [this](const std::string& arn) { board.refresh(arn); },
                       .make_room = [this] { return janitor.make_room(); }}),
      actions(ActionTools{.clock = parts.clock,
                          .pool = parts.pool,
                          .backend = parts.backend,
                          .link = link,
                          .observer = observer,
                          .puller = puller,
                          .images = images,
                          .claims = claims,
                          .host = host,
                          .cgroups = parts.cgroups,
                          .credentials = parts.credentials,
                          .registry_auth = parts.registry_auth,
                          .reports = parts.reports,
                          .config = parts.config,
                          .pause_programs = parts.pause_programs,
                          .vault = vault,
                          .services = parts.services,
                          .machine = parts.machine,
                          .gave_up = [this](const std::string& arn) { given_up.insert(arn); }}),
      tools{.shard = parts.shard,
            .clock = parts.clock,
            .store = parts.store,
            .images = images,
            .actions = actions,
            .board = board,
            .events = parts.events,
            .steps = parts.steps,
            .settings = lifecycle_settings(parts.config),
            .on_store_failure =
                [this](const Error& error) {
                    if (std::exchange(alarmed, error.kind) == error.kind) return;
                    if (parts.on_store_failure) parts.on_store_failure(error);
                },
            .given_up = [this](const std::string& arn) { return given_up.contains(arn); }},
      own_tasks(parts.shard),
      watching(parts.shard),
      stopping(parts.shard) {}

TaskBoard::Outlook TaskEngine::State::outlook(const core::TaskState& task) const {
    if (task.acquiring) return {.waiting_for = host.explain(task.arn), .pulls = {}};
    TaskBoard::Outlook outlook{.waiting_for = {}, .pulls = puller.pulls(task.arn)};
    if (!link.reachable() && task.known < core::TaskStatus::Running) {
        outlook.waiting_for = "waits for the container runtime, which cannot be reached";
    } else {
        outlook.waiting_for = core::waiting_for(task, tools.settings, parts.clock.now(), outlook.pulls);
    }
    return outlook;
}

bool TaskEngine::State::knows(const runtime::ContainerView& container) const {
    if (board.find(container.id) != nullptr) return true;
    return std::any_of(runners.begin(), runners.end(), [&](const auto& entry) {  // made, and its id not heard of yet
        const auto& containers = entry.second->state().containers;
        return std::any_of(containers.begin(), containers.end(),
                           [&](const core::ContainerState& own) { return own.docker_name == container.name; });
    });
}

asio::awaitable<Result<core::DiskUse>> TaskEngine::State::look_at_disk(std::string folder) {
    if (parts.disk_use) {
        Result<core::DiskUse> use = co_await parts.disk_use(std::move(folder));
        co_return use;
    }
    auto work = [folder = std::move(folder)] { return disk_use(folder); };
    Result<core::DiskUse> use = co_await parts.pool.run(std::move(work));
    co_return use;
}

asio::awaitable<void> TaskEngine::State::fit_pulls_to_disk() {
    const runtime::Capabilities capabilities = co_await link.first_answer();
    if (capabilities.data_root.empty() || parts.config.image_pull_parallel > 0) co_return;
    auto work = [folder = capabilities.data_root] { return disk_rotates(folder); };
    const std::optional<bool> rotates = co_await parts.pool.run(std::move(work));
    puller.set_parallel(core::parallel_pulls(0, std::thread::hardware_concurrency(), rotates));
}

/// Cgroups of tasks that ended while nobody could remove them.
asio::awaitable<void> TaskEngine::State::remove_empty_cgroups() {
    if (parts.cgroups == nullptr) co_return;
    auto look = [cgroups = parts.cgroups] { return cgroups->unoccupied(); };
    const Result<std::vector<std::string>> found = co_await parts.pool.run(std::move(look));
    if (!found) {
        log::warn("leftover cgroups cannot be listed", {{"cause", found.error().what}});
        co_return;
    }
    for (const std::string& id : *found) {
        const bool known = std::any_of(runners.begin(), runners.end(),
                                       [&id](const auto& entry) { return core::task_id(entry.first) == id; });
        if (known) continue;
        auto work = [cgroups = parts.cgroups, id] { return cgroups->remove(id); };
        const Result<void> removed = co_await parts.pool.run(std::move(work));
        if (removed) {
            log::info("leftover cgroup removed", {{"task", id}});
        } else {
            log::warn("leftover cgroup not removed", {{"task", id}, {"cause", removed.error().what}});
        }
    }
}

asio::awaitable<void> TaskEngine::State::sweep_environment_files() {
    std::set<std::string> kept;
    for (const auto& [arn, runner] : runners) {
        kept.insert(environment_files_directory(parts.config.data_dir, parts.config.cluster, arn));
    }
    auto work = [root = environment_files_root(parts.config.data_dir), kept = std::move(kept)] {
        return sweep_task_directories(root, kept);
    };
    const SweptDirectories swept = co_await parts.pool.run(std::move(work));
    for (const std::string& directory : swept.removed) {
        log::info("environment files of a task that is gone were removed", {{"directory", directory}});
    }
    for (const Error& failure : swept.failures) {
        log::warn("environment files of a task that is gone could not be removed; trying again at the next start",
                  {{"cause", failure.what}});
    }
}

asio::awaitable<void> TaskEngine::State::sweep_metadata_files(std::set<std::string> task_arns) {
    for (const auto& [arn, runner] : runners) task_arns.insert(arn);
    std::set<std::string> kept;
    for (const std::string& arn : task_arns) {
        if (Result<std::string> directory = metadata_files_directory(parts.config.data_dir, arn)) {
            kept.insert(*std::move(directory));
        }
    }
    auto work = [root = metadata_files_root(parts.config.data_dir), kept = std::move(kept)] {
        return sweep_task_directories(root, kept);
    };
    const SweptDirectories swept = co_await parts.pool.run(std::move(work));
    for (const Error& failure : swept.failures) {
        log::warn("metadata files of a task that is gone could not be removed; trying again at the next start",
                  {{"cause", failure.what}});
    }
}

TaskRunner* TaskEngine::State::find(const std::string& task_arn) {
    const auto found = runners.find(task_arn);
    return found == runners.end() ? nullptr : found->second.get();
}

void TaskEngine::State::take_up(const core::TaskState& task) {
    if (task.resources_consumed) host.restore(task);
    for (const core::ContainerState& container : task.containers) {
        images.use_again(task.arn, container.name, container.image_id);
    }
    // known to the credentials endpoint, whose answer then is "not yet" instead of "no such"
    for (const std::string& id : {task.credentials_id, task.execution_credentials_id}) {
        if (!id.empty() && task.known != core::TaskStatus::Stopped) parts.credentials.announce(id);
    }
}

TaskRunner& TaskEngine::State::add(core::TaskState task) {
    const std::string arn = task.arn;
    return *runners.insert_or_assign(arn, std::make_unique<TaskRunner>(std::move(task), tools)).first->second;
}

void TaskEngine::State::launch(TaskRunner& runner) { own_tasks.spawn(own(runner.state().arn)); }

void TaskEngine::State::renew(TaskRunner& runner, bool execution_role, std::string credentials_id) {
    const core::TaskState& task = runner.state();
    std::set<std::string>& all = credentials_of[task.arn];
    for (const std::string& id : {task.credentials_id, task.execution_credentials_id, credentials_id}) {
        if (!id.empty()) all.insert(id);
    }
    runner.tell(
        core::CredentialsRenewed{.credentials_id = std::move(credentials_id), .execution_role = execution_role});
}

asio::awaitable<void> TaskEngine::State::own(std::string task_arn) {
    TaskRunner& runner = *runners.at(task_arn);
    co_await runner.run();
    if (const auto ids = credentials_of.extract(task_arn); !ids.empty()) {
        for (const std::string& id : ids.mapped()) parts.credentials.forget(id);
    }
    vault.wipe(task_arn);
    host.leave(task_arn);
    board.erase(task_arn);
    if (parts.steps != nullptr) parts.steps->gone(task_arn);
    runners.erase(task_arn);
}

void TaskEngine::State::report_refusal(const std::string& task_arn, const std::string& reason) {
    model::TaskStateChange change;
    change.task_arn = task_arn;
    change.status = core::TaskStatus::Stopped;
    change.reason = reason;
    parts.reports.submit(std::move(change));
}

asio::awaitable<void> TaskEngine::State::forget_refusal(std::string task_arn) {
    std::string arn = task_arn;
    const Result<void> erased = co_await parts.store.erase(Shelf::Unsent, std::move(arn));
    if (!erased) {
        log::warn("ECS knows that a task was refused, but that is not recorded; it is told again at the next start",
                  {{"task", task_arn}, {"cause", erased.error().what}});
    }
}

asio::awaitable<Result<void>> TaskEngine::State::restore(StoredState stored) {
    for (const std::string& what : stored.damaged) log::warn("set aside what could not be read", {{"what", what}});
    for (const auto& [id, why] : images.restore(stored.images)) {
        log::warn("image record set aside", {{"image", id}, {"cause", why}});
        (void)co_await parts.store.set_aside(Shelf::Images, id, why);
    }
    std::vector<core::TaskState> tasks;
    for (const auto& [arn, text] : stored.tasks) {
        Result<core::TaskState> task = core::decode_saved_task(text);
        if (task) {
            tasks.push_back(*std::move(task));
            continue;
        }
        log::error("saved task set aside; it is made again from its containers",
                   {{"task", arn}, {"cause", task.error().what}});
        (void)co_await parts.store.set_aside(Shelf::Tasks, arn, task.error().what);
    }
    const bool without_limits =
        std::any_of(tasks.begin(), tasks.end(), [](const core::TaskState& task) { return !task.task_limits; });
    if (task_limits && without_limits) {
        if (parts.config.task_cpu_mem_limit.explicitly_enabled()) {
            co_return Error{.kind = ErrorKind::Conflict,
                            .what =
                                "unable to load old tasks because TaskCPUMemLimits setting is incompatible with "
                                "old state: unset ECS_ENABLE_TASK_CPU_MEM_LIMIT, or stop the old tasks first"};
        }
        log::warn("saved tasks have no task-level limits; new ones get none either until the next start");
        task_limits = false;
    }
    for (core::TaskState& task : tasks) {
        arrivals = std::max(arrivals, task.arrival + 1);
        take_up(task);
        held.insert(task.arn);
        launch(add(std::move(task)));
    }
    co_return Result<void>{};
}

TaskEngine::TaskEngine(EngineParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
TaskEngine::~TaskEngine() = default;

asio::awaitable<Result<void>> TaskEngine::start(StoredState stored) {
    State& state = *state_;
    const std::map<std::string, std::string> refused = std::move(stored.unsent);
    for (const auto& [key, text] : stored.metadata) {
        if (key.starts_with(kGivenUpPrefix)) state.given_up.insert(key.substr(kGivenUpPrefix.size()));
    }
    const Result<void> restored = co_await state.restore(std::move(stored));
    if (!restored) co_return restored;
    // without a database nothing keeps a second agent off the directory, and the files may be that one's
    if (state.parts.config.checkpoint) co_await state.sweep_environment_files();
    for (const auto& [arn, reason] : refused) {
        if (state.find(arn) != nullptr) {  // it was taken later
            (void)co_await state.parts.store.erase(Shelf::Unsent, arn);
            continue;
        }
        state.unsent.insert_or_assign(arn, reason);
        state.report_refusal(arn, reason);
    }
    std::function<void()> connected = [&state] { state.connected(); };
    std::function<void(runtime::RuntimeEvent)> changed = [&state](const runtime::RuntimeEvent& event) {
        state.changed(event);
    };
    state.watching.spawn(state.link.run(std::move(connected), std::move(changed)));
    state.watching.spawn(state.compare_every_minute());
    state.watching.spawn(state.fit_pulls_to_disk());
    state.watching.spawn(state.remove_empty_cgroups());
    if (ImageJanitor::wanted(state.parts.config)) {
        state.watching.spawn(state.janitor.clean_regularly());
        state.watching.spawn(state.janitor.watch_disk());
    }
    co_return Result<void>{};
}

asio::awaitable<runtime::Capabilities> TaskEngine::runtime_ready() { return state_->link.first_answer(); }

asio::awaitable<void> TaskEngine::State::drain(std::shared_ptr<OneShot<bool>> done) {
    co_await watching.drain();
    co_await own_tasks.drain();
    for (const auto& [arn, runner] : runners) co_await runner->drain();
    co_await observer.drain();
    co_await puller.drain();
    co_await janitor.drain();
    co_await host.drain();
    done->give(true);
}

asio::awaitable<void> TaskEngine::State::give_up(std::chrono::nanoseconds limit, std::shared_ptr<OneShot<bool>> done) {
    co_await parts.clock.sleep_for(limit);
    done->give(false);
}

asio::awaitable<void> TaskEngine::stop(std::chrono::nanoseconds limit) {
    State& state = *state_;
    state.watching.cancel();
    state.own_tasks.cancel();
    for (const auto& [arn, runner] : state.runners) runner->cancel();
    state.observer.cancel();
    state.puller.cancel();
    state.janitor.cancel();
    state.host.cancel();
    const auto done = std::make_shared<OneShot<bool>>(state.parts.shard);
    state.stopping.spawn(state.give_up(limit, done));
    state.stopping.spawn(state.drain(done));
    auto ended = done;
    const bool in_time = co_await OneShot<bool>::wait(std::move(ended));
    if (!in_time) log::warn("work in flight did not end in time; the next start looks at its outcome");
    std::vector<StoreChange> changes = state.images.take_changes();
    for (const auto& [arn, runner] : state.runners) {
        if (auto change = runner->unsaved()) changes.push_back(*std::move(change));
    }
    if (!changes.empty()) {
        const Result<void> saved = co_await state.parts.store.commit(std::move(changes));
        if (!saved) log::error("last changes not saved", {{"cause", saved.error().what}});
    }
    state.stopping.cancel();
    co_await state.stopping.drain();
}

asio::awaitable<bool> TaskEngine::stop_task(std::string task_arn) {
    TaskRunner* runner = state_->find(task_arn);
    if (runner == nullptr) co_return false;
    auto receipt = runner->tell_durably(core::DesiredChanged{core::TaskStatus::Stopped});
    if (!runner->started()) co_return true;  // its acceptance is being saved; the wish is taken in right after
    (void)co_await OneShot<bool>::wait(std::move(receipt));
    co_return true;
}

std::vector<StoreChange> TaskEngine::everything() const {
    std::vector<StoreChange> all = state_->images.all();
    for (const auto& [arn, runner] : state_->runners) {
        all.push_back({.shelf = Shelf::Tasks, .key = arn, .text = core::encode_saved_task(runner->state())});
    }
    for (const auto& [arn, reason] : state_->unsent) {
        all.push_back({.shelf = Shelf::Unsent, .key = arn, .text = reason});
    }
    return all;
}

void TaskEngine::refuse_new_tasks(std::string reason) { state_->refusal = std::move(reason); }

std::chrono::seconds TaskEngine::longest_stop() const {
    std::chrono::seconds longest{0};
    for (const auto& [arn, runner] : state_->runners) {
        longest = std::max(longest, core::longest_stop(runner->state(), state_->tools.settings));
    }
    return longest;
}

std::vector<std::string> TaskEngine::unstopped() const {
    std::vector<std::string> arns;
    for (const auto& [arn, runner] : state_->runners) {
        if (runner->state().known != core::TaskStatus::Stopped) arns.push_back(arn);
    }
    return arns;
}

asio::awaitable<bool> TaskEngine::refresh_credentials(std::string task_arn, bool execution_role,
                                                      model::RoleCredentials credentials) {
    State& state = *state_;
    TaskRunner* runner = state.find(task_arn);
    if (runner == nullptr) co_return false;
    std::string id = credentials.credentials_id;
    const auto type = execution_role ? credentials::RoleType::TaskExecution : credentials::RoleType::TaskApplication;
    state.parts.credentials.put({.task_arn = task_arn, .role_type = type, .role = std::move(credentials)});
    state.renew(*runner, execution_role, std::move(id));
    co_return true;
}

void TaskEngine::acknowledged(model::StateChangeAck ack) {
    const bool end = ack.task_status == core::TaskStatus::Stopped;
    if (end && state_->unsent.erase(ack.task_arn) > 0) state_->watching.spawn(state_->forget_refusal(ack.task_arn));
    if (TaskRunner* runner = state_->find(ack.task_arn)) runner->tell(core::SentAcknowledged{std::move(ack)});
}

std::vector<TaskOnHost> TaskEngine::tasks() const {
    std::vector<TaskOnHost> all;
    all.reserve(state_->runners.size());
    for (const auto& [arn, runner] : state_->runners) {
        all.push_back(TaskOnHost{.arn = arn, .desired = runner->state().desired, .internal = false});
    }
    return all;
}

bool TaskEngine::runtime_answers() const { return state_->link.answers(); }

EngineFigures TaskEngine::figures() const {
    return {.tasks_waiting = state_->host.waiting(),
            .pulls = state_->puller.figures(),
            .runtime = state_->link.capabilities().runtime,
            .runtime_version = state_->link.capabilities().version,
            .runtime_reachable = state_->link.answers(),
            .runtime_outages = state_->link.outages()};
}

}  // namespace nodeagent::engine
