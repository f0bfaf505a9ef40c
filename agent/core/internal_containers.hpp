#pragma once
// Containers that the agent adds to a task for its own purposes: never pulled from a registry, never reported, without
// metadata endpoint or role credentials, and stopped after all containers of the payload. task-engine.md 1.2, 2.7.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

/// Names that start so are the agent's own; a payload cannot use them.
inline constexpr std::string_view kInternalPrefix = "~internal~ecs~";

/// Keeps the pid and ipc namespaces that the containers of a task with pidMode or ipcMode `task` share.
inline constexpr std::string_view kNamespacePauseName = "~internal~ecs~pause~namespace";

/// Keeps the network namespace of an awsvpc task. This agent makes none, but takes the reference's over; with Service
/// Connect on a bridge there is one more for each container, "~internal~ecs~pause-<container>".
inline constexpr std::string_view kNetworkPauseName = "~internal~ecs~pause";

/// The image of pause containers, made by the agent itself.
inline constexpr std::string_view kPauseImage = "amazon/amazon-ecs-pause:0.1.0";

/// "NORMAL", "NAMESPACE_PAUSE", "CNI_PAUSE": the words of saved state and task metadata.
[[nodiscard]] std::string_view to_string(ContainerKind kind);
[[nodiscard]] std::optional<ContainerKind> parse_container_kind(std::string_view word);

[[nodiscard]] inline bool is_internal(const ContainerState& container) {
    return container.kind != ContainerKind::Normal;
}

/// Of a container that the agent or the reference made, by the name in its label.
[[nodiscard]] ContainerKind kind_named(std::string_view container_name);

/// What the agent wants of a container of this kind, as if a payload had said it; nullptr for Normal.
[[nodiscard]] std::shared_ptr<const model::Container> internal_definition(ContainerKind kind);

/// The kinds of internal containers that this task needs, in the order in which they follow those of the payload.
[[nodiscard]] std::vector<ContainerKind> needed_internal_containers(const model::Task& task);

}  // namespace nodeagent::core
