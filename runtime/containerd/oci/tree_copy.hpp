#pragma once
// A folder with all that is in it, copied as it is.

#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd::oci {

/// Copies content, owners, modes, times, extended attributes, links, hard links, devices, fifos and sockets of the open
/// folder, and the folder's own owner, mode, times and attributes, to the empty folder `target`. Conflict when that is
/// not empty; Malformed for a tree deeper than 256 folders.
[[nodiscard]] Result<void> copy_tree(int source_fd, const std::string& target);

}  // namespace nodeagent::runtime::containerd::oci
