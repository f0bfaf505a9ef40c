// Containers with our labels that no task's state knows: taken up again, removed, or left to the agent whose they are.
// The table of rules is in agent/README.md. Nothing is decided on a listing alone: each is inspected first, and the
// task must still not know it then.

#include <utility>

#include "agent/base/clock.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/core/adopt.hpp"
#include "agent/core/container_facts.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/observation.hpp"
#include "agent/engine/resources/task_files.hpp"
#include "cgroups/task_cgroups.hpp"

namespace nodeagent::engine {

asio::awaitable<void> TaskEngine::State::settle_strays(std::vector<core::Stray> strays) {
    std::map<std::string, std::vector<std::string>> lost;  // task -> its containers
    for (core::Stray& stray : strays) {
        switch (stray.decision) {
            case core::Stray::Decision::Ignore:
                if (foreign.insert(stray.task_arn).second) {
                    log::info("a container belongs to another cluster's agent; it is left alone",
                              {{"task", stray.task_arn}, {"container", stray.name}});
                }
                break;
            case core::Stray::Decision::Remove:
                if (removing.insert(stray.runtime_id).second) watching.spawn(remove_stray(std::move(stray)));
                break;
            case core::Stray::Decision::Adopt: lost[stray.task_arn].push_back(stray.runtime_id); break;
        }
    }
    for (auto& [arn, ids] : lost) {
        std::string task_arn = arn;
        co_await adopt(std::move(task_arn), std::move(ids));
    }
}

asio::awaitable<void> TaskEngine::State::adopt(std::string task_arn, std::vector<std::string> ids) {
    std::vector<core::FoundContainer> found;
    std::vector<core::FoundContainer> left_over;
    for (const std::string& id : ids) {
        Result<runtime::ContainerView> view = co_await observer.look(id);
        if (!view && view.error().kind == ErrorKind::NotFound) continue;
        if (!view) {  // half a task must not be taken up: the next comparison tries again
            log::warn("containers of an unknown task cannot be inspected; trying again in a minute",
                      {{"task", task_arn}, {"id", id}, {"cause", view.error().what}});
            co_return;
        }
        const bool ours = label(*view, core::kTaskArnLabel) == task_arn &&
                          core::same_cluster(label(*view, core::kClusterLabel), parts.config.cluster);
        if (!ours) continue;
        const bool of_another_machine =
            parts.leftovers_before && view->created_at && *view->created_at < *parts.leftovers_before;
        const bool unwanted = of_another_machine || given_up.contains(task_arn);
        (unwanted ? left_over : found).push_back(found_container(*std::move(view)));
    }
    if (find(task_arn) != nullptr) co_return;  // its payload has come meanwhile
    if (found.empty()) {  // beside the comparison: stopping takes its time, and other tasks wait for the comparison
        const bool to_do = !left_over.empty() && removing.insert(task_arn).second;
        if (to_do) watching.spawn(discard(std::move(task_arn), std::move(left_over)));
        co_return;
    }

    const core::AcceptanceRules rules{.task_limits = task_limits, .arrival = arrivals++};
    core::TaskState task =
        core::adopted_task(task_arn, std::move(found), identity, rules, parts.clock.now(), tools.settings);
    log::warn("a task's state was lost; it is taken up again from its containers",
              {{"task", task_arn}, {"containers", task.containers.size()}, {"desired", to_string(task.desired)}});
    take_up(task);
    std::vector<StoreChange> changes;
    changes.push_back({.shelf = Shelf::Tasks, .key = task_arn, .text = core::encode_saved_task(task)});
    TaskRunner& runner = add(std::move(task));  // before the wait: a payload must find it
    const Result<void> saved = co_await parts.store.commit(std::move(changes));
    if (!saved) {  // it is saved with its next change, or found again
        log::error("a task taken up again is not saved yet", {{"task", task_arn}, {"cause", saved.error().what}});
    }
    if (!refusal.empty()) runner.tell(core::DesiredChanged{core::TaskStatus::Stopped});  // the machine drains
    runner.tell(core::Resumed{});
    launch(runner);
}

/// What a machine image or disk of another EC2 instance brought along: ECS knows it under another instance, where it
/// has ended. Or what could not be removed of a task that was reported stopped. Nothing of it is reported. What cannot
/// be removed is said once, and tried again at the next comparison.
asio::awaitable<void> TaskEngine::State::discard(std::string task_arn, std::vector<core::FoundContainer> left_over) {
    const bool ended_here = given_up.contains(task_arn);  // then its clean-up has said what is left
    if (!ended_here && !lamented.contains(task_arn)) {
        log::warn("removing a task that another machine left behind",
                  {{"task", task_arn}, {"containers", left_over.size()}});
    }
    std::vector<std::string> left;
    std::set<std::string> volumes;
    for (const core::FoundContainer& one : left_over) {
        if (find(task_arn) != nullptr) break;  // its payload has come meanwhile: they are strays of a known task now
        const Result<void> stopped = co_await parts.backend.stop(one.seen.runtime_id, tools.settings.stop_timeout);
        const Result<void> removed = co_await parts.backend.remove(one.seen.runtime_id);
        if (!removed) {  // a container that cannot be stopped is the reason why it cannot be removed
            left.push_back("container " + one.docker_name + ": " +
                           (stopped ? removed.error().what : stopped.error().what));
        }
        const auto value = [&](std::string_view key) {
            const auto at = one.seen.labels.find(std::string(key));
            return at == one.seen.labels.end() ? std::string() : at->second;
        };
        for (const model::VolumeView& volume : one.seen.volumes) {
            const std::string name =
                core::task_volume_name(volume.docker_name, value(core::kFamilyLabel), value(core::kVersionLabel));
            if (!name.empty()) volumes.insert(volume.docker_name);
        }
    }
    const std::vector<std::string> more = co_await discard_resources(task_arn, std::move(volumes));
    left.insert(left.end(), more.begin(), more.end());
    removing.erase(task_arn);
    if (find(task_arn) != nullptr) co_return;  // the new task's by now
    if (left.empty()) {
        if (ended_here || lamented.erase(task_arn) > 0) {
            log::info("what was left of a task is removed at last", {{"task", task_arn}});
        }
        co_await forget_given_up(std::move(task_arn));
    } else if (!ended_here && lamented.insert(task_arn).second) {
        log::warn("parts of a task could not be removed",
                  {{"task", task_arn}, {"left", join(left, "; ")}, {"remedy", kLeftOverRemedy}});
    }
}

asio::awaitable<void> TaskEngine::State::forget_gone(std::set<std::string> present) {
    std::erase_if(lamented, [&](const std::string& one) { return !present.contains(one) && !removing.contains(one); });
    const std::set<std::string> candidates = given_up;
    for (const std::string& arn : candidates) {
        if (present.contains(arn) || removing.contains(arn)) continue;
        std::string gone = arn;
        co_await forget_given_up(std::move(gone));
    }
}

asio::awaitable<void> TaskEngine::State::forget_given_up(std::string task_arn) {
    if (!given_up.contains(task_arn)) co_return;
    const Result<void> erased = co_await parts.store.erase(Shelf::Metadata, std::string(kGivenUpPrefix) + task_arn);
    if (erased) given_up.erase(task_arn);  // else at the next comparison
}

/// What could not be removed, each with its cause. Ends as soon as a payload has brought the task.
asio::awaitable<std::vector<std::string>> TaskEngine::State::discard_resources(std::string task_arn,
                                                                               std::set<std::string> volumes) {
    std::vector<std::string> left;
    for (const std::string& volume : volumes) {
        if (find(task_arn) != nullptr) co_return left;
        const Result<void> removed = co_await parts.backend.remove_volume(volume);
        if (!removed) left.push_back("volume " + volume + ": " + removed.error().what);
    }
    if (find(task_arn) != nullptr) co_return left;
    if (parts.cgroups != nullptr) {
        auto work = [cgroups = parts.cgroups, id = core::task_id(task_arn)] { return cgroups->remove(id); };
        const Result<void> removed = co_await parts.pool.run(std::move(work));
        if (!removed) left.push_back("cgroup: " + removed.error().what);
    }
    if (find(task_arn) != nullptr) co_return left;
    auto files = [data_dir = parts.config.data_dir, cluster = parts.config.cluster, task_arn] {
        return remove_task_files(data_dir, cluster, task_arn);
    };
    const Result<void> removed = co_await parts.pool.run(std::move(files));
    if (!removed) left.push_back("files: " + removed.error().what);
    co_return left;
}

asio::awaitable<void> TaskEngine::State::remove_stray(core::Stray stray) {
    const Result<runtime::ContainerView> view = co_await observer.look(stray.runtime_id);
    const TaskRunner* runner = find(stray.task_arn);
    // an unknown task is another case by now, and a container that the task knows is none
    const bool still = view && runner != nullptr && core::unclaimed(runner->state(), stray.runtime_id, view->name) &&
                       label(*view, core::kTaskArnLabel) == stray.task_arn;
    if (still) {
        std::chrono::seconds grace = tools.settings.stop_timeout;
        const core::ContainerState* in_its_place = runner->state().find(stray.container_name);
        if (in_its_place != nullptr) grace = core::stop_grace(*in_its_place, grace);
        const bool first = !lamented.contains(stray.runtime_id);
        if (first) {
            log::warn("removing a container whose place in its task another one has",
                      {{"task", stray.task_arn}, {"container", stray.container_name}, {"id", stray.runtime_id}});
        }
        (void)co_await parts.backend.stop(stray.runtime_id, grace);
        const Result<void> removed = co_await parts.backend.remove(stray.runtime_id);
        if (removed) {
            lamented.erase(stray.runtime_id);
        } else if (first) {
            lamented.insert(stray.runtime_id);
            log::warn("a container whose place another one has could not be removed; trying again every minute",
                      {{"id", stray.runtime_id}, {"cause", removed.error().what}});
        }
    }
    removing.erase(stray.runtime_id);
}

}  // namespace nodeagent::engine
