#pragma once
// Which images to delete. Pure: ages, references and names in, decisions out. task-engine.md 7.3, 7.5.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"

namespace nodeagent::core {

/// An image that tasks of this agent have used.
struct TrackedImage {
    std::string id;
    std::vector<std::string> names;
    WallTime pulled_at{};
    WallTime last_used_at{};
    std::size_t references = 0;  ///< containers of known tasks made from it
};

/// An image nobody here has used.
struct UntrackedImage {
    std::string id;
    std::vector<std::string> names;
    WallTime created{};
    std::int64_t size = 0;
};

/// A container on the host that no task knows and that does not run.
struct UntrackedContainer {
    std::string id;
    WallTime finished{};  ///< the epoch when it never ran: old enough at once
};

struct ImageRules {
    std::size_t per_cycle = 5;
    std::chrono::nanoseconds minimum_age = std::chrono::hours(1);
    std::set<std::string> excluded;  ///< names kept whatever their age
    bool untracked = false;          ///< delete untracked images and containers too
    std::chrono::nanoseconds untracked_minimum_age = std::chrono::hours(1);
    std::size_t untracked_per_cycle = 5;  ///< containers
    std::chrono::nanoseconds container_age = std::chrono::hours(3);
};

/// Remove by each name; by id when there is none.
struct ImageRemoval {
    std::string id;
    std::vector<std::string> names;
    friend bool operator==(const ImageRemoval&, const ImageRemoval&) = default;
};

/// Least recently used first; at most per_cycle.
[[nodiscard]] std::vector<ImageRemoval> tracked_to_remove(std::vector<TrackedImage> images, const ImageRules& rules,
                                                          WallTime now);
/// Smallest first; every name counts against `budget`, which is what the tracked ones left of per_cycle.
[[nodiscard]] std::vector<ImageRemoval> untracked_to_remove(std::vector<UntrackedImage> images, const ImageRules& rules,
                                                            std::size_t budget, WallTime now);

/// Space and inodes of a filesystem, as an unprivileged user sees them.
struct DiskUse {
    std::uint64_t bytes_total = 0, bytes_free = 0;
    std::uint64_t inodes_total = 0, inodes_free = 0;  ///< total 0: the filesystem has no fixed number
    /// Percent in use, rounded up like df; of bytes and of inodes.
    [[nodiscard]] unsigned bytes_percent() const;
    [[nodiscard]] unsigned inodes_percent() const;
    friend bool operator==(const DiskUse&, const DiskUse&) = default;
};

/// Percent in use, of bytes or inodes. 0 for either: off.
struct Watermarks {
    unsigned high = 85;
    unsigned low = 80;
    [[nodiscard]] bool off() const { return high == 0 || low == 0; }
};
/// The low mark is below the high one, whatever was configured.
[[nodiscard]] Watermarks watermarks(int high, int low);
[[nodiscard]] bool above_high(const DiskUse& use, const Watermarks& marks);
[[nodiscard]] bool below_low(const DiskUse& use, const Watermarks& marks);
/// "91% of 100.0 GiB and 12% of the inodes in use"
[[nodiscard]] std::string describe(const DiskUse& use);

/// Every unused image that may go, in the order in which a full disk takes them: least recently used first, whatever
/// its age; then, if untracked images are cleaned at all, those, oldest first.
[[nodiscard]] std::vector<ImageRemoval> removals_under_pressure(std::vector<TrackedImage> tracked,
                                                                std::vector<UntrackedImage> untracked,
                                                                const ImageRules& rules);
[[nodiscard]] std::vector<std::string> containers_to_remove(std::vector<UntrackedContainer> containers,
                                                            const ImageRules& rules, WallTime now);

}  // namespace nodeagent::core
