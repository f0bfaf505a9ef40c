#pragma once
// Network namespaces that stay without a process in them: a file of theirs is mounted somewhere, and found there again.

#include <functional>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

/// Makes the namespace and mounts it at `path`, lo up. One that is mounted there already is left as it is.
[[nodiscard]] Result<void> make_netns(const std::string& path);
/// An absent one is fine.
[[nodiscard]] Result<void> remove_netns(const std::string& path);
/// Whether a namespace is mounted at `path`: after a reboot the file may be there without one.
[[nodiscard]] bool is_netns(const std::string& path);
/// Runs `f` on a thread of its own inside the namespace.
[[nodiscard]] Result<void> in_netns(const std::string& path, const std::function<Result<void>()>& f);

}  // namespace nodeagent::runtime::containerd
