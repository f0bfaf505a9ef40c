#pragma once
// Options of mounts as words ("ro", "rbind", "size=64m") and as mount(2) takes them.

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd::oci {

struct MountArguments {
    unsigned long flags = 0;        ///< MS_..., without propagation
    unsigned long propagation = 0;  ///< MS_SHARED, ...; needs a call of its own
    std::string data;               ///< what the file system understands
};
[[nodiscard]] MountArguments mount_arguments(const std::vector<std::string>& options);

/// mount(2), and again for what it does not do at once: a read-only bind, propagation. A list of overlay layers too
/// long for the kernel's one page is written relative to the folder they share, and the calling thread's working
/// directory is then changed: only for threads that have one of their own.
[[nodiscard]] Result<void> mount_at(const std::string& type, const std::string& source,
                                    const std::vector<std::string>& options, const std::string& target);

/// Docker's tmpfs defaults with these on top ("size=64m,exec"); the last word on a matter counts. Malformed "Invalid
/// tmpfs option ...".
[[nodiscard]] Result<std::vector<std::string>> tmpfs_options(std::string_view options);

}  // namespace nodeagent::runtime::containerd::oci
