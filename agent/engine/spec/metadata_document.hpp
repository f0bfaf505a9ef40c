#pragma once
// The text of a container's metadata file. Pure. endpoints.md 7.

#include <string>

#include "agent/core/task_state.hpp"

namespace nodeagent::engine {

/// What the file says of the machine; what is empty is left out.
struct MachineIdentity {
    std::string cluster{};  ///< as registered
    std::string container_instance_arn{};
    std::string availability_zone{};
    std::string private_ipv4{};
    std::string public_ipv4{};
    std::string ipv6{};
};

/// What is known before the container is created. It has no MetadataFileStatus: readers wait for READY.
[[nodiscard]] std::string initial_metadata_document(const core::TaskState& task, const core::ContainerState& container,
                                                    const MachineIdentity& machine);
/// Everything, MetadataFileStatus READY.
[[nodiscard]] std::string metadata_document(const core::TaskState& task, const core::ContainerState& container,
                                            const MachineIdentity& machine);

}  // namespace nodeagent::engine
