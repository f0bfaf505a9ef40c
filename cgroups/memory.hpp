#pragma once
// The memory controller. task-engine.md 4, stats.md 4.

#include <array>
#include <cstdint>
#include <span>
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
    std::uint64_t oom_events = 0;     ///< v2: times an allocation was about to fail
    std::uint64_t oom_kills = 0;
    /// Values of memory.stat, by the names of memory_counters(version); what the kernel does not tell is 0.
    static constexpr std::size_t kMaxCounters = 32;
    std::array<std::uint64_t, kMaxCounters> counters{};

    /// 0 for a name that memory_counters(version) does not have.
    [[nodiscard]] std::uint64_t counter(Version version, std::string_view name) const;
    /// What people call used: usage without the page cache that the kernel would give back, as the reference subtracts
    /// it (stats.md 4): v1 without cache, v2 without inactive_file.
    [[nodiscard]] std::uint64_t working_set(Version version) const;
};

/// The counters of memory.stat that Docker's statistics show, in byte order.
[[nodiscard]] std::span<const std::string_view> memory_counters(Version version);

void parse_memory_stat(Version version, std::string_view text, MemoryStatistics& into);
/// v2 memory.events.
void parse_memory_events(std::string_view text, MemoryStatistics& into);
/// v1 memory.oom_control.
void parse_oom_control(std::string_view text, MemoryStatistics& into);
/// A number, or "max"; v1 writes "no limit" as a huge number, which becomes kNoLimit too.
[[nodiscard]] std::uint64_t parse_limit(std::string_view text);

}  // namespace nodeagent::cgroups
