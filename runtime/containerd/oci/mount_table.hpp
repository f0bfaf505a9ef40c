#pragma once
// What is mounted in this process's namespace: /proc/self/mountinfo.

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd::oci {

struct MountEntry {
    std::string point;
    bool shared = false, slave = false;
};
/// Lines that cannot be read are left out.
[[nodiscard]] std::vector<MountEntry> parse_mount_table(std::string_view text);
[[nodiscard]] Result<std::vector<MountEntry>> mount_table();
/// The mount `path` is in, or nullptr. `path` has no links in it.
[[nodiscard]] const MountEntry* mount_of(const std::vector<MountEntry>& table, std::string_view path);
/// Whether something is mounted at `path` or below it.
[[nodiscard]] bool has_mounts(const std::vector<MountEntry>& table, std::string_view path);

}  // namespace nodeagent::runtime::containerd::oci
