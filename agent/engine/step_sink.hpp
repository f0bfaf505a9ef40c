#pragma once
// Who measures how long the steps of a task's life take. telemetry::LifecycleSteps is behind it; the two meet in
// app.cpp.

#include <string>

#include "agent/base/clock.hpp"

namespace nodeagent::core {
struct TaskState;
}

namespace nodeagent::engine {

/// Called on the engine's shard; must return at once and not call back.
struct StepSink {
    virtual ~StepSink() = default;
    /// A payload brought the task. One that was taken up again after a restart is never accepted.
    virtual void accepted(const core::TaskState& task, SteadyTime now) = 0;
    /// `before` and `after` are of the same task and have the same containers in the same order.
    virtual void changed(const core::TaskState& before, const core::TaskState& after, SteadyTime now) = 0;
    virtual void gone(const std::string& task_arn) = 0;
};

}  // namespace nodeagent::engine
