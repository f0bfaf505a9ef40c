#include "agent/core/step.hpp"

#include "agent/core/container_facts.hpp"
#include "agent/core/fold.hpp"
#include "agent/core/plan.hpp"
#include "agent/core/rollup.hpp"

namespace nodeagent::core {

namespace {

/// For a container that has started and ended before word of its start came: the fact that it ran. Without it ECS would
/// never hear RUNNING, which the reference always reports first.
std::optional<ContainerObserved> ran_unseen(TaskState& task, const Event& event) {
    const auto from = [&task](const std::string& name, const Observation& seen) -> std::optional<ContainerObserved> {
        const ContainerState* container = task.find(name);
        const bool ended = seen.phase == Observation::Phase::Stopped && seen.started_at && seen.runtime_error.empty();
        if (container == nullptr || task.rejected || !ended) return std::nullopt;
        const bool waited_for =
            container->known == ContainerStatus::Created || container->applied == ContainerStatus::Running;
        if (!waited_for || container->known >= ContainerStatus::Running) return std::nullopt;
        ContainerObserved ran{.container = name, .seen = seen};
        ran.seen.phase = Observation::Phase::Running;
        ran.seen.exit_code.reset();
        ran.seen.finished_at.reset();
        ran.seen.health.reset();
        ran.seen.oom_killed = false;
        return ran;
    };
    if (const auto* fact = std::get_if<ContainerObserved>(&event); fact != nullptr && !fact->at_restore) {
        return from(fact->container, fact->seen);
    }
    if (const auto* fact = std::get_if<ContainerStarted>(&event); fact != nullptr && fact->seen && !fact->error) {
        return from(fact->container, *fact->seen);
    }
    return std::nullopt;
}

}  // namespace

Outcome step(TaskState task, const Event& event, const Instant& now, const Settings& settings) {
    Outcome outcome{std::move(task), {}};
    if (finished(outcome.state)) return outcome;
    if (const auto ran = ran_unseen(outcome.state, event); ran && outcome.state.resumed) {
        fold(outcome.state, *ran, now, settings, outcome.actions);
        for (Action& report : take_due_reports(outcome.state, settings)) outcome.actions.push_back(std::move(report));
    }
    fold(outcome.state, event, now, settings, outcome.actions);
    // What the runtime said at the agent's start may be told in any order before Resumed; only then is the picture
    // whole.
    if (outcome.state.resumed) plan(outcome.state, now, settings, outcome.actions);
    return outcome;
}

bool finished(const TaskState& task) { return task.cleanup == CleanUpStage::Done; }

}  // namespace nodeagent::core
