#pragma once
// Network namespaces pinned to a file, as `ip netns` does, so that they outlive the process that made them.
// https://man7.org/linux/man-pages/man7/network_namespaces.7.html

#include <functional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

/// A namespace with `lo` up and IPv6 off but for what a container's own sysctls turn on, as in Docker's. The folder
/// becomes a shared mount, so that containerd sees what is mounted below. One that is pinned there already stays.
/// `mount_namespace`: path of the mount namespace to pin it in, "" the caller's.
Result<void> pin_namespace(const std::string& path, const std::string& mount_namespace = {});

/// The namespace ends with its last process. Absent is fine.
Result<void> unpin_namespace(const std::string& path, const std::string& mount_namespace = {});

[[nodiscard]] bool is_pinned(const std::string& path);

/// Runs `f` on a thread of its own inside that network namespace.
Result<void> in_network_namespace(const std::string& path, const std::function<Result<void>()>& f);

}  // namespace nodeagent::runtime::containerd
