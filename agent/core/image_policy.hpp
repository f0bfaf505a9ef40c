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
[[nodiscard]] std::vector<std::string> containers_to_remove(std::vector<UntrackedContainer> containers,
                                                            const ImageRules& rules, WallTime now);

}  // namespace nodeagent::core
