// What the runtime says, to the tasks it concerns: events, and the comparison with a listing after a start, after a
// break of the event stream and every minute. task-engine.md 5.3, 6.5.

#include <utility>

#include "agent/base/clock.hpp"
#include "agent/base/log.hpp"
#include "agent/base/test_point.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/observation.hpp"

namespace nodeagent::engine {

namespace {
constexpr std::chrono::minutes kCompareEvery(1);
constexpr std::chrono::seconds kListAgainAfter(1);
}  // namespace

void TaskEngine::State::connected() {
    board.refresh_waiting();
    watching.spawn(resync());
}

void TaskEngine::State::changed(const runtime::RuntimeEvent& event) {
    using Kind = runtime::RuntimeEvent::Kind;
    const TaskBoard::Place* place = board.find(event.container_id);
    if (place == nullptr) return;
    TaskRunner* runner = find(place->task_arn);
    if (runner == nullptr) return;
    const core::ContainerState* container = runner->state().find(place->container);
    if (container == nullptr || container->runtime_id != event.container_id) return;
    switch (event.kind) {
        case Kind::Created: return;
        case Kind::Started:
            // the start action looks for itself; a known start is no news
            if (container->applied == core::ContainerStatus::Running) return;
            if (container->known == core::ContainerStatus::Running) return;
            break;
        case Kind::Oom: runner->tell(core::OutOfMemoryNoted{place->container}); return;
        case Kind::Removed:
            if (container->known != core::ContainerStatus::Stopped) {
                runner->tell(core::ContainerVanished{place->container});
            }
            return;
        case Kind::Exited:
        case Kind::Health: break;
    }
    const auto exit_code = event.kind == Kind::Exited ? event.exit_code : std::nullopt;
    watching.spawn(observe(*place, event.container_id, exit_code));
}

asio::awaitable<void> TaskEngine::State::observe(TaskBoard::Place place, std::string id, std::optional<int> exit_code) {
    Result<runtime::ContainerView> view = co_await observer.look(id);
    TaskRunner* runner = find(place.task_arn);
    if (runner == nullptr) co_return;
    if (view) {
        core::Observation seen = observation(*std::move(view), vault, place.task_arn);
        if (seen.phase == core::Observation::Phase::Stopped) NODEAGENT_POINT("container.exit.seen");
        if (seen.phase == core::Observation::Phase::Stopped && !seen.exit_code) seen.exit_code = exit_code;
        runner->tell(core::ContainerObserved{.container = place.container, .seen = std::move(seen)});
    } else if (exit_code) {
        // it has ended, and that is all that can be known: removed by its owner, or the daemon went away
        core::Observation seen;
        seen.phase = core::Observation::Phase::Stopped;
        seen.runtime_id = id;
        seen.exit_code = exit_code;
        runner->tell(core::ContainerObserved{.container = place.container, .seen = std::move(seen)});
    }
}

asio::awaitable<void> TaskEngine::State::resync() {
    while (link.reachable()) {
        const bool first = !compared_once || !held.empty();
        const auto cause = first ? core::ReconcileCause::AgentStart : core::ReconcileCause::StreamBreak;
        const bool done = co_await compare(cause);
        if (done) co_return;
        co_await parts.clock.sleep_for(kListAgainAfter);
    }
}

asio::awaitable<void> TaskEngine::State::compare_every_minute() {
    for (;;) {
        co_await parts.clock.sleep_for(kCompareEvery);
        if (link.reachable() && compared_once) (void)co_await compare(core::ReconcileCause::Periodic);
    }
}

/// False when the runtime could not be asked.
asio::awaitable<bool> TaskEngine::State::compare(core::ReconcileCause cause) {
    Result<std::vector<runtime::ContainerView>> views = co_await parts.backend.list(std::string(core::kTaskArnLabel));
    if (!views) {
        log::warn("containers cannot be listed; trying again", {{"cause", views.error().what}});
        co_return false;
    }
    std::vector<core::Listed> listing;
    listing.reserve(views->size());
    for (const runtime::ContainerView& view : *views) listing.push_back(listed(view));
    std::vector<const core::TaskState*> tasks;
    tasks.reserve(runners.size());
    for (const auto& [arn, runner] : runners) tasks.push_back(&runner->state());

    core::Reconciliation found = core::reconcile(tasks, listing, cause, parts.config.cluster);
    if (cause == core::ReconcileCause::AgentStart && compared_once) {  // again for those that could not be looked at
        std::erase_if(found.inspect, [this](const core::Inspection& one) { return !held.contains(one.task_arn); });
    }
    std::set<std::string> unseen = co_await inspect(std::move(found.inspect));
    co_await settle_strays(std::move(found.strays));
    std::set<std::string> present;
    for (const core::Listed& one : listing) present.insert({one.runtime_id, one.task_arn});
    std::set<std::string> known = present;
    co_await forget_gone(std::move(present));
    if (cause != core::ReconcileCause::AgentStart) co_return true;
    // without a database nothing keeps a second agent off the directory, and the files may be that one's
    if (!compared_once && parts.config.checkpoint) co_await sweep_metadata_files(std::move(known));
    if (!unseen.empty() && !compared_once) {
        log::warn("tasks wait because a container of theirs cannot be inspected; trying again every second",
                  {{"tasks", unseen.size()}, {"one", *unseen.begin()}});
    }
    release_held(std::move(unseen));
    co_return held.empty();
}

/// The tasks of which a container could not be looked at.
asio::awaitable<std::set<std::string>> TaskEngine::State::inspect(std::vector<core::Inspection> wanted) {
    std::set<std::string> unseen;
    for (const core::Inspection& one : wanted) {
        Result<runtime::ContainerView> view = co_await observer.look(one.runtime_id);
        TaskRunner* runner = find(one.task_arn);
        if (runner == nullptr) continue;
        if (view) {
            core::Observation seen = observation(*std::move(view), vault, one.task_arn);
            runner->tell(core::ContainerObserved{
                .container = one.container, .seen = std::move(seen), .at_restore = held.contains(one.task_arn)});
        } else if (view.error().kind == ErrorKind::NotFound) {
            runner->tell(core::ContainerVanished{one.container});
        } else {
            unseen.insert(one.task_arn);
        }
    }
    co_return unseen;
}

/// All but those of which too little is known: one that was started and has ended must not be started again.
void TaskEngine::State::release_held(std::set<std::string> unseen) {
    compared_once = true;
    std::set<std::string> still;
    for (const std::string& arn : std::exchange(held, {})) {
        TaskRunner* runner = find(arn);
        if (runner == nullptr) continue;
        if (unseen.contains(arn)) {
            still.insert(arn);
        } else {
            runner->tell(core::Resumed{});
        }
    }
    held = std::move(still);
}

}  // namespace nodeagent::engine
