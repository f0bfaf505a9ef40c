#pragma once
// Sysctls and limits of a process: HostConfig's Sysctls and Ulimits with Docker's defaults.

#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/oci/spec.hpp"

namespace nodeagent::runtime::containerd::oci {

/// linux.sysctl. Only what belongs to a namespace of the container's can be set: Malformed for anything else, as runc
/// would say it.
[[nodiscard]] Result<Json> container_sysctls(const SpecInputs& inputs);

/// process.rlimits: the container's, then the defaults it does not name.
[[nodiscard]] Result<Json> container_rlimits(const Json& host_config, const std::vector<Ulimit>& defaults);

}  // namespace nodeagent::runtime::containerd::oci
