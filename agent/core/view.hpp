#pragma once
// TaskState -> model::TaskView, what readers of the snapshot see. Pure.

#include <map>
#include <string>

#include "agent/core/task_state.hpp"
#include "agent/model/snapshot.hpp"

namespace nodeagent::core {

/// Pulls under way, by container name.
using PullViews = std::map<std::string, model::PullView>;

/// `waiting_for`: one sentence, "" when the task waits for nothing (core/waiting, or HostResources::explain).
[[nodiscard]] model::TaskView view(const TaskState& task, std::string waiting_for, const PullViews& pulls = {});

}  // namespace nodeagent::core
