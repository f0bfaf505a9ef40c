#pragma once
// When a task is looked at again, and when it is cleaned up. Time enters as an argument and leaves as WakeAt.

#include <vector>

#include "agent/core/step.hpp"

namespace nodeagent::core {

/// Polls that are due, the next WakeAt, and at the end of the cleanup wait the CleanUp. `blocked`: some container waits
/// for another, which is worth a closer look every few seconds.
void schedule(TaskState& task, bool blocked, const Instant& now, const Settings& settings,
              std::vector<Action>& actions);

[[nodiscard]] bool anything_in_flight(const TaskState& task);

}  // namespace nodeagent::core
