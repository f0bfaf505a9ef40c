#pragma once
// From the containers' statuses to the task's and back, and what of it ECS should hear. task-engine.md 1.3, 1.10, 8.5.

#include <vector>

#include "agent/core/actions.hpp"
#include "agent/core/step.hpp"

namespace nodeagent::core {

/// Raises known and desired of the task, desired of containers and resources; stamps known_at and execution_stopped_at.
/// Statuses only rise. Idempotent.
void roll_up(TaskState& task, const Instant& now);

/// The container and task changes that are due and not yet handed out; marks them as offered. Containers first.
[[nodiscard]] std::vector<Action> take_due_reports(TaskState& task, const Settings& settings);

/// A digest that the image reference itself did not have.
[[nodiscard]] bool digest_was_resolved(const ContainerState& container);

/// The observed port bindings in ECS's form, by container port; payload ranges as one entry each.
[[nodiscard]] std::vector<model::NetworkBinding> network_bindings(const ContainerState& container,
                                                                  const Settings& settings);

}  // namespace nodeagent::core
