#pragma once
// What is mounted in a container: the kernel's file systems as Docker gives them, then the container's own mounts.

#include <string>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/oci/spec.hpp"

namespace nodeagent::runtime::containerd::oci {

struct FileSystems {
    Json mounts = Json::array();
    std::string root_propagation;  ///< linux.rootfsPropagation, "" for the runtime's default
};
[[nodiscard]] Result<FileSystems> file_systems(const SpecInputs& inputs);

/// Paths of linux.maskedPaths and linux.readonlyPaths: HostConfig's, else Docker's; none for a privileged container.
[[nodiscard]] Json masked_paths(const Json& host_config);
[[nodiscard]] Json read_only_paths(const Json& host_config);

/// Whether the container starts with an init in front, and where it then finds it.
[[nodiscard]] bool wants_init(const SpecInputs& inputs);
inline constexpr const char* kInitInside = "/sbin/docker-init";

}  // namespace nodeagent::runtime::containerd::oci
