#pragma once
// A container's root before it runs: files of its image are read, directories made, content copied out. Paths are the
// image's: a link in them is followed inside the root and never out of it. Needs CAP_SYS_ADMIN.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd::oci {

/// Mounts a snapshot in the private mount namespace of a thread of its own, where only `f` sees it, and calls `f` there
/// with the root folder. Blocks until it is done. The mount ends with the thread, also if this process is killed.
/// `root_fd` is valid as long as `f` runs. Errors: those of mount(2), and those of `f`.
[[nodiscard]] Result<void> with_root(const std::vector<SnapshotMount>& mounts,
                                     const std::function<Result<void>(int root_fd)>& f);

/// The regular file's content, at most `limit` bytes of it; "" if it is absent, is something else or cannot be read.
[[nodiscard]] std::string read_in_root(int root_fd, const std::string& path, std::size_t limit);

/// mkdir -p, root's and 0755. What is there as a folder stays as it is; Malformed, with Docker's text, where something
/// else has the name.
[[nodiscard]] Result<void> make_directory_in_root(int root_fd, const std::string& path);

/// Copies what the folder `path` holds, and its own owner and mode, into the empty host folder: owners, modes, times,
/// extended attributes, links, hard links, device nodes. An absent path, or one that is no folder: nothing.
/// `target_directory` must be empty: Conflict otherwise.
[[nodiscard]] Result<void> copy_from_root(int root_fd, const std::string& path, const std::string& target_directory);

}  // namespace nodeagent::runtime::containerd::oci
