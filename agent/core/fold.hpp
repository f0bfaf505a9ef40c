#pragma once
// What a fact means for the task.

#include <vector>

#include "agent/core/step.hpp"

namespace nodeagent::core {

/// Folds `event` into `task`. Only work that answers this very fact is added to `actions`; plan() does the rest.
void fold(TaskState& task, const Event& event, const Instant& now, const Settings& settings,
          std::vector<Action>& actions);

}  // namespace nodeagent::core
