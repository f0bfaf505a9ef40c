#pragma once
// What is to be done about the state as it is now.

#include <vector>

#include "agent/core/step.hpp"

namespace nodeagent::core {

/// Adds the work that is due and marks it as in flight. Planning twice adds nothing.
void plan(TaskState& task, const Instant& now, const Settings& settings, std::vector<Action>& actions);

}  // namespace nodeagent::core
