#include "agent/core/metadata_file.hpp"

#include <algorithm>

namespace nodeagent::core {

namespace {

bool has_file(const ContainerState& container) {
    if (container.endpoint_id.empty()) return false;
    const std::string folder = metadata_file_folder(container);
    return std::any_of(container.volumes.begin(), container.volumes.end(),
                       [&folder](const model::VolumeView& volume) { return volume.destination == folder; });
}

}  // namespace

std::string metadata_file_folder(const ContainerState& container) {
    return "/opt/ecs/metadata/" + container.endpoint_id;
}

bool metadata_file_due(const ContainerState& container) {
    const bool runs = container.known >= ContainerStatus::Running && container.known < ContainerStatus::Stopped;
    if (!runs || container.desired == ContainerStatus::Stopped || container.applied != ContainerStatus::None)
        return false;
    return !container.metadata_file_ready && !container.metadata_file_writing && has_file(container);
}

}  // namespace nodeagent::core
