#pragma once
// TaskState -> model::TaskView, what readers of the snapshot see. Pure.

#include <string>

#include "agent/core/task_state.hpp"
#include "agent/model/snapshot.hpp"

namespace nodeagent::core {

/// `waiting_for`: one sentence, "" when the task waits for nothing (core/waiting, or HostResources::explain).
[[nodiscard]] model::TaskView view(const TaskState& task, std::string waiting_for);

}  // namespace nodeagent::core
