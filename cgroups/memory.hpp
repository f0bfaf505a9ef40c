#pragma once
// The memory controller. task-engine.md 4, stats.md 4.

#include <cstdint>
#include <string_view>

#include "cgroups/file_write.hpp"
#include "cgroups/task_cgroup.hpp"

namespace nodeagent::cgroups {

[[nodiscard]] FileWrites memory_files(Version version, const TaskLimits& limits);

struct MemoryStatistics {
    static constexpr std::uint64_t kNoLimit = UINT64_MAX;
    std::uint64_t usage = 0;          ///< bytes, like all below
    std::uint64_t max_usage = 0;      ///< v1; v2 where the kernel has memory.peak
    std::uint64_t limit = kNoLimit;   ///< of this cgroup alone
    std::uint64_t fail_count = 0;     ///< times the limit was hit
    std::uint64_t cache = 0;          ///< v1 total_cache; v2 file
    std::uint64_t rss = 0;            ///< v1 total_rss; v2 anon
    std::uint64_t inactive_file = 0;  ///< v1 total_inactive_file
    std::uint64_t page_faults = 0;
    std::uint64_t major_page_faults = 0;
    std::uint64_t oom_kills = 0;

    /// What people call used: usage without the page cache that the kernel would give back, per version as the
    /// reference subtracts it.
    [[nodiscard]] std::uint64_t working_set(Version version) const;
};

void parse_memory_stat(Version version, std::string_view text, MemoryStatistics& into);
/// v2 memory.events.
void parse_memory_events(std::string_view text, MemoryStatistics& into);
/// v1 memory.oom_control.
void parse_oom_control(std::string_view text, MemoryStatistics& into);
/// A number, or "max"; v1 writes "no limit" as a huge number, which becomes kNoLimit too.
[[nodiscard]] std::uint64_t parse_limit(std::string_view text);

}  // namespace nodeagent::cgroups
