#pragma once
// The file in which a container reads what it is (ECS_ENABLE_CONTAINER_METADATA): written before the container is
// created with what is known then, and again once it runs. endpoints.md 7.

#include <string>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

/// Where the container finds the folder of its file.
[[nodiscard]] std::string metadata_file_folder(const ContainerState& container);
inline constexpr std::string_view kMetadataFileName = "ecs-container-metadata.json";

/// It runs, was created with the file, and the file does not say yet what it is like now. That it has the file is read
/// from its mounts: so it is known also of a container that was found after its record was lost.
[[nodiscard]] bool metadata_file_due(const ContainerState& container);

}  // namespace nodeagent::core
