#include "cgroups/cpu.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::uint64_t kMinShares = 2;
constexpr std::uint64_t kMaxShares = 262144;
constexpr std::uint64_t kMinQuota = 1000;  // the kernel refuses less than a millisecond

std::uint64_t clamped_shares(std::uint64_t shares) { return std::clamp(shares, kMinShares, kMaxShares); }

}  // namespace

CpuBandwidth cpu_bandwidth(double cpus, std::chrono::nanoseconds period) {
    const auto micros =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(period).count());
    return {.quota = static_cast<std::uint64_t>(cpus * static_cast<double>(micros)), .period = micros};
}

std::uint64_t cpu_quota_per_second(const CpuBandwidth& bandwidth) {
    if (bandwidth.period == 0) return 0;
    constexpr std::uint64_t step = 10'000;
    const std::uint64_t exact = bandwidth.quota * 1'000'000 / bandwidth.period;
    return (exact + step - 1) / step * step;
}

std::uint64_t cpu_weight(std::uint64_t shares) {
    return 1 + (clamped_shares(shares) - kMinShares) * 9999 / (kMaxShares - kMinShares);
}

FileWrites cpu_files(Version version, const TaskLimits& limits) {
    if (!limits.cpu) {
        const std::uint64_t shares = clamped_shares(limits.cpu_shares);
        if (version == Version::V1) return {{.file = "cpu.shares", .value = std::to_string(shares)}};
        return {{.file = "cpu.weight", .value = std::to_string(cpu_weight(shares))}};
    }
    const CpuBandwidth bandwidth = cpu_bandwidth(*limits.cpu, limits.cpu_period);
    const std::string quota = std::to_string(std::max(bandwidth.quota, kMinQuota));
    const std::string period = std::to_string(bandwidth.period);
    if (version == Version::V2) return {{.file = "cpu.max", .value = quota + " " + period}};
    // the period first: a quota is checked against the period in force
    return {{.file = "cpu.cfs_period_us", .value = period}, {.file = "cpu.cfs_quota_us", .value = quota}};
}

void parse_cpu_stat_v2(std::string_view text, CpuStatistics& into) {
    const std::array<std::pair<std::string_view, std::uint64_t*>, 4> times{{{"usage_usec", &into.usage_ns},
                                                                            {"user_usec", &into.user_ns},
                                                                            {"system_usec", &into.kernel_ns},
                                                                            {"throttled_usec", &into.throttled_ns}}};
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        const std::uint64_t value = number(next_word(line));
        for (const auto& [name, target] : times) {
            if (key == name) *target = value * 1000;
        }
        if (key == "nr_periods") into.periods = value;
        if (key == "nr_throttled") into.throttled_periods = value;
    }
}

void parse_cpu_throttling_v1(std::string_view text, CpuStatistics& into) {
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        const std::uint64_t value = number(next_word(line));
        if (key == "nr_periods") into.periods = value;
        if (key == "nr_throttled") into.throttled_periods = value;
        if (key == "throttled_time") into.throttled_ns = value;
    }
}

void parse_cpuacct_usage(std::string_view text, CpuStatistics& into) { into.usage_ns = number(text); }

void parse_cpuacct_per_cpu(std::string_view text, CpuStatistics& into) {
    into.per_cpu_ns.clear();
    for (std::string_view word = next_word(text); !word.empty(); word = next_word(text)) {
        into.per_cpu_ns.push_back(number(word));
    }
}

void parse_cpuacct_stat(std::string_view text, std::uint64_t ticks_per_second, CpuStatistics& into) {
    const std::uint64_t tick_ns = 1'000'000'000 / std::max<std::uint64_t>(ticks_per_second, 1);
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        const std::uint64_t value = number(next_word(line)) * tick_ns;
        if (key == "user") into.user_ns = value;
        if (key == "system") into.kernel_ns = value;
    }
}

}  // namespace nodeagent::cgroups
