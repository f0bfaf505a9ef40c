#include "cgroups/memory.hpp"

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

FileWrites memory_files(Version version, const TaskLimits& limits) {
    if (!limits.memory_bytes) return {};
    return {{.file = version == Version::V1 ? "memory.limit_in_bytes" : "memory.max",
             .value = std::to_string(*limits.memory_bytes)}};
}

std::uint64_t MemoryStatistics::working_set(Version version) const {
    const std::uint64_t reclaimable = version == Version::V2 ? inactive_file : cache;
    return reclaimable < usage ? usage - reclaimable : usage;
}

void parse_memory_stat(Version version, std::string_view text, MemoryStatistics& into) {
    const bool v2 = version == Version::V2;
    const std::string_view cache = v2 ? "file" : "total_cache";
    const std::string_view rss = v2 ? "anon" : "total_rss";
    const std::string_view inactive = v2 ? "inactive_file" : "total_inactive_file";
    const std::string_view faults = v2 ? "pgfault" : "total_pgfault";
    const std::string_view major = v2 ? "pgmajfault" : "total_pgmajfault";
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        std::uint64_t* target = nullptr;
        if (key == cache) {
            target = &into.cache;
        } else if (key == rss) {
            target = &into.rss;
        } else if (key == inactive) {
            target = &into.inactive_file;
        } else if (key == faults) {
            target = &into.page_faults;
        } else if (key == major) {
            target = &into.major_page_faults;
        }
        if (target != nullptr) *target = number(next_word(line));
    }
}

void parse_memory_events(std::string_view text, MemoryStatistics& into) {
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
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
