#pragma once
// How the machine fares: what metrics and `ecs-node status` show of it. Plain values; what cannot be read is absent.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::model {

struct DiskCondition {
    std::string use;   ///< "data": the agent's state; "docker": images and containers
    std::string path;  ///< a folder on it
    std::uint64_t bytes_total = 0, bytes_free = 0;
    std::uint64_t inodes_total = 0, inodes_free = 0;  ///< total 0: the filesystem has no fixed number
    unsigned bytes_percent = 0, inodes_percent = 0;   ///< in use, as the image clean-up counts
};

/// Pressure stall information of one resource.
struct PressureCondition {
    std::string resource;                       ///< "cpu", "memory", "io"
    double some_percent = 0, full_percent = 0;  ///< of the last minute: something waited, everything stood still
    double some_seconds = 0, full_seconds = 0;  ///< since the machine started
};

inline constexpr std::array<std::string_view, 5> kShortages{"disk", "inodes", "memory", "memory_pressure",
                                                            "io_pressure"};
struct Shortage {
    std::string of;   ///< one of those
    std::string why;  ///< "disk of /var/lib/docker: 91% of 100.0 GiB in use ..."
};

/// What the last host set-up left (agent/host_setup).
struct HostSetupCondition {
    std::string at;                              ///< RFC 3339; "": none since the machine started
    std::vector<std::string> problems;           ///< a clause each; empty: all is as it should be
    std::optional<bool> instance_metadata_open;  ///< to containers on a bridge; nothing: this is no EC2 instance
};

struct HostConditions {
    std::vector<DiskCondition> disks;
    std::uint64_t memory_total = 0, memory_available = 0;  ///< bytes; total 0: not known
    std::optional<std::array<double, 3>> load;             ///< over 1, 5 and 15 minutes
    std::vector<PressureCondition> pressures;              ///< empty where the kernel has none
    std::vector<Shortage> short_of;
    std::optional<HostSetupCondition> setup;
};

}  // namespace nodeagent::model
