#pragma once
// The environment of a container, each over the one before: its environment files, what the task definition says, what
// the agent injects, its secrets. task-engine.md 3.5, 3.10.

#include <map>
#include <string>

#include "agent/core/task_state.hpp"
#include "agent/engine/spec/container_spec.hpp"

namespace nodeagent::engine {

[[nodiscard]] std::map<std::string, std::string> container_environment(const core::TaskState& task,
                                                                       const core::ContainerState& container,
                                                                       const SpecContext& context);

/// GPU ids given to the container by the task's associations. task-engine.md 3.9.
[[nodiscard]] std::vector<std::string> gpu_ids(const model::Task& task, const std::string& container);

}  // namespace nodeagent::engine
