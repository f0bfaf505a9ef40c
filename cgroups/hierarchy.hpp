#pragma once
// Which cgroup file system this host has and who manages it. Detected once at start-up. host.md 4.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::cgroups {

enum class Version : std::uint8_t { V1, V2 };
/// Who makes the cgroups of containers. It decides how the parent of a container must be written.
enum class Driver : std::uint8_t { Cgroupfs, Systemd };

struct Hierarchy {
    Version version = Version::V1;
    Driver driver = Driver::Cgroupfs;
    std::string root = "/sys/fs/cgroup";
    /// v1: the mounted controller directories ("cpu", "memory", "systemd", ...). v2: what cgroup.controllers lists.
    std::vector<std::string> controllers{};

    [[nodiscard]] bool has(std::string_view controller) const;
};

/// Looks at the file system mounted at `root`. A host that has v1 and v2 side by side counts as v1, as in the
/// reference. `runtime_driver` is what the container runtime says of itself (docker info's CgroupDriver); without it v1
/// means cgroupfs, and v2 means systemd where systemd runs. NotFound when nothing is mounted.
[[nodiscard]] Result<Hierarchy> detect_hierarchy(const std::string& root,
                                                 std::optional<Driver> runtime_driver = std::nullopt);

/// Whether systemd is this host's init.
[[nodiscard]] bool systemd_runs();
/// "cgroupfs" or "systemd", as docker info spells them; nothing for another word.
[[nodiscard]] std::optional<Driver> parse_driver(std::string_view word);

}  // namespace nodeagent::cgroups
