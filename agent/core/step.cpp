#include "agent/core/step.hpp"

#include "agent/core/container_facts.hpp"
#include "agent/core/fold.hpp"
#include "agent/core/plan.hpp"

namespace nodeagent::core {

Outcome step(TaskState task, const Event& event, const Instant& now, const Settings& settings) {
    Outcome outcome{std::move(task), {}};
    if (finished(outcome.state)) return outcome;
    fold(outcome.state, event, now, settings, outcome.actions);
    // What the runtime said at the agent's start may be told in any order before Resumed; only then is the picture
    // whole.
    if (outcome.state.resumed) plan(outcome.state, now, settings, outcome.actions);
    return outcome;
}

bool finished(const TaskState& task) { return task.cleanup == CleanUpStage::Done; }

}  // namespace nodeagent::core
