#pragma once
// Facts about the disk under a folder. Blocking, briefly: for the blocking pool.

#include <optional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/core/image_policy.hpp"

namespace nodeagent::engine {

/// Space and inodes of the filesystem that holds `folder`, as statvfs(3) tells an unprivileged user.
[[nodiscard]] Result<core::DiskUse> disk_use(const std::string& folder);

/// Whether the block device under `folder` rotates (queue/rotational in sysfs); nothing when it has none of its own, as
/// tmpfs, overlay or a network filesystem.
[[nodiscard]] std::optional<bool> disk_rotates(const std::string& folder);

}  // namespace nodeagent::engine
