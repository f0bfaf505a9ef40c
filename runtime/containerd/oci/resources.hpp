#pragma once
// Limits of a container: HostConfig's resources as OCI's linux.resources, with Docker's defaults, ranges and texts.

#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/oci/cgroup_support.hpp"
#include "runtime/containerd/oci/devices.hpp"

namespace nodeagent::runtime::containerd::oci {

struct ResourceInputs {
    const CgroupSupport& support;
    const DeviceSource& devices;  ///< for the numbers of Blkio*Device paths
    bool cgroup_v2 = false;
};

/// linux.resources without its devices. What the kernel cannot limit is left out, and `warnings` says so.
[[nodiscard]] Result<Json> container_resources(const Json& host_config, const ResourceInputs& inputs,
                                               std::vector<std::string>& warnings);

}  // namespace nodeagent::runtime::containerd::oci
