#include "cgroups/memory.hpp"

#include <algorithm>
#include <optional>

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::array<std::string_view, 32> kCountersV1{"active_anon",
                                                       "active_file",
                                                       "cache",
                                                       "dirty",
                                                       "hierarchical_memory_limit",
                                                       "hierarchical_memsw_limit",
                                                       "inactive_anon",
                                                       "inactive_file",
                                                       "mapped_file",
                                                       "pgfault",
                                                       "pgmajfault",
                                                       "pgpgin",
                                                       "pgpgout",
                                                       "rss",
                                                       "rss_huge",
                                                       "total_active_anon",
                                                       "total_active_file",
                                                       "total_cache",
                                                       "total_dirty",
                                                       "total_inactive_anon",
                                                       "total_inactive_file",
                                                       "total_mapped_file",
                                                       "total_pgfault",
                                                       "total_pgmajfault",
                                                       "total_pgpgin",
                                                       "total_pgpgout",
                                                       "total_rss",
                                                       "total_rss_huge",
                                                       "total_unevictable",
                                                       "total_writeback",
                                                       "unevictable",
                                                       "writeback"};
constexpr std::array<std::string_view, 31> kCountersV2{"active_anon",
                                                       "active_file",
                                                       "anon",
                                                       "anon_thp",
                                                       "file",
                                                       "file_dirty",
                                                       "file_mapped",
                                                       "file_writeback",
                                                       "inactive_anon",
                                                       "inactive_file",
                                                       "kernel_stack",
                                                       "pgactivate",
                                                       "pgdeactivate",
                                                       "pgfault",
                                                       "pglazyfree",
                                                       "pglazyfreed",
                                                       "pgmajfault",
                                                       "pgrefill",
                                                       "pgscan",
                                                       "pgsteal",
                                                       "shmem",
                                                       "slab",
                                                       "slab_reclaimable",
                                                       "slab_unreclaimable",
                                                       "sock",
                                                       "thp_collapse_alloc",
                                                       "thp_fault_alloc",
                                                       "unevictable",
                                                       "workingset_activate",
                                                       "workingset_nodereclaim",
                                                       "workingset_refault"};
static_assert(kCountersV1.size() <= MemoryStatistics::kMaxCounters);
static_assert(std::is_sorted(kCountersV1.begin(), kCountersV1.end()));
static_assert(std::is_sorted(kCountersV2.begin(), kCountersV2.end()));

std::optional<std::size_t> index_of(Version version, std::string_view name) {
    const auto names = memory_counters(version);
    const auto found = std::lower_bound(names.begin(), names.end(), name);
    if (found == names.end() || *found != name) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

FileWrites memory_files(Version version, const TaskLimits& limits) {
    if (!limits.memory_bytes) return {};
    return {{.file = version == Version::V1 ? "memory.limit_in_bytes" : "memory.max",
             .value = std::to_string(*limits.memory_bytes)}};
}

std::span<const std::string_view> memory_counters(Version version) {
    if (version == Version::V1) return kCountersV1;
    return kCountersV2;
}

std::uint64_t MemoryStatistics::counter(Version version, std::string_view name) const {
    const auto index = index_of(version, name);
    return index ? counters[*index] : 0;
}

std::uint64_t MemoryStatistics::working_set(Version version) const {
    const std::uint64_t reclaimable = counter(version, version == Version::V2 ? "inactive_file" : "cache");
    return reclaimable < usage ? usage - reclaimable : usage;
}

void parse_memory_stat(Version version, std::string_view text, MemoryStatistics& into) {
    for (std::string_view line; next_line(text, line);) {
        if (const auto index = index_of(version, next_word(line))) into.counters[*index] = number(next_word(line));
    }
}

void parse_memory_events(std::string_view text, MemoryStatistics& into) {
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        if (key == "oom") into.oom_events = number(next_word(line));
        if (key == "oom_kill") into.oom_kills = number(next_word(line));
        if (key == "max") into.fail_count = number(next_word(line));
    }
}

void parse_oom_control(std::string_view text, MemoryStatistics& into) {
    for (std::string_view line; next_line(text, line);) {
        if (next_word(line) == "oom_kill") into.oom_kills = number(next_word(line));
    }
}

std::uint64_t parse_limit(std::string_view text) {
    if (text.starts_with("max")) return MemoryStatistics::kNoLimit;
    // v1's "none" is the largest number of whole pages, which depends on the page size
    constexpr std::uint64_t none = std::uint64_t{1} << 62U;
    const std::uint64_t value = number(text);
    return value >= none ? MemoryStatistics::kNoLimit : value;
}

}  // namespace nodeagent::cgroups
