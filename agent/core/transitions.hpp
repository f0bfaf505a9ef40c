#pragma once
// The forward path of a container as a table. Stopping is possible from anywhere. task-engine.md 1.4.

#include <optional>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

enum class Work : std::uint8_t { ResolveManifest, PullImage, Create, Start };

struct Transition {
    ContainerStatus from;
    ContainerStatus to;
    Work work;
};

/// Where a container of this kind stays until it stops.
[[nodiscard]] ContainerStatus steady_status(ContainerKind kind);
[[nodiscard]] inline bool is_steady(const ContainerState& container) {
    return container.known == steady_status(container.kind);
}

/// The step that leaves `from`; nothing from Running on.
[[nodiscard]] std::optional<Transition> next_transition(ContainerStatus from);

/// What a container's known status means for its task (1.3).
[[nodiscard]] TaskStatus as_task_status(const ContainerState& container);
/// What a task's desired status means for a container of it.
[[nodiscard]] ContainerStatus as_container_status(TaskStatus desired, ContainerKind kind);

}  // namespace nodeagent::core
