#pragma once
// The cpu and cpuacct controllers. task-engine.md 4, D.3, D.4.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cgroups/file_write.hpp"
#include "cgroups/task_cgroup.hpp"

namespace nodeagent::cgroups {

/// CFS bandwidth: `quota` microseconds of CPU time in every `period` microseconds.
struct CpuBandwidth {
    std::uint64_t quota = 0;
    std::uint64_t period = 0;
};
/// quota = cpus x period, cut off.
[[nodiscard]] CpuBandwidth cpu_bandwidth(double cpus, std::chrono::nanoseconds period);
/// CPU time per second of wall time, in microseconds, rounded up to 10 ms as the reference asks systemd for it.
[[nodiscard]] std::uint64_t cpu_quota_per_second(const CpuBandwidth& bandwidth);
/// cgroup v2 weight (1..10000) of v1 shares (2..262144).
[[nodiscard]] std::uint64_t cpu_weight(std::uint64_t shares);

/// The files that express the limits, in the order they must be written.
[[nodiscard]] FileWrites cpu_files(Version version, const TaskLimits& limits);

struct CpuStatistics {
    std::uint64_t usage_ns = 0;
    std::uint64_t user_ns = 0;
    std::uint64_t kernel_ns = 0;
    std::uint64_t periods = 0;
    std::uint64_t throttled_periods = 0;
    std::uint64_t throttled_ns = 0;
    std::vector<std::uint64_t> per_cpu_ns;  ///< v1 only
};

/// v2 cpu.stat; what is missing stays as it is.
void parse_cpu_stat_v2(std::string_view text, CpuStatistics& into);
/// v1 cpu.stat (throttling), cpuacct.usage, cpuacct.usage_percpu; cpuacct.stat in ticks of `ticks_per_second`.
void parse_cpu_throttling_v1(std::string_view text, CpuStatistics& into);
void parse_cpuacct_usage(std::string_view text, CpuStatistics& into);
void parse_cpuacct_per_cpu(std::string_view text, CpuStatistics& into);
void parse_cpuacct_stat(std::string_view text, std::uint64_t ticks_per_second, CpuStatistics& into);

}  // namespace nodeagent::cgroups
