#pragma once
// How long stopping a task may take, so that somebody who has a deadline knows when to begin.

#include <chrono>

#include "agent/core/step.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::core {

/// The longest chain of stop timeouts: a container is stopped after those that depend on it (task-engine.md 2.6). Zero
/// when nothing of the task runs or will.
[[nodiscard]] std::chrono::seconds longest_stop(const TaskState& task, const Settings& settings);

}  // namespace nodeagent::core
