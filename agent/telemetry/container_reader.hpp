#pragma once
// Reads what one container uses, from its cgroup and its network namespace. The files stay open: a pass costs a pread
// each and allocates nothing.

#include <cstdint>
#include <memory>
#include <string>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "agent/telemetry/usage.hpp"
#include "cgroups/hierarchy.hpp"
#include "cgroups/statistics.hpp"

namespace nodeagent::telemetry {

class ContainerReader {
  public:
    struct Target {
        std::string container_id;  ///< must be part of the cgroup's path: a process id may have been given anew
        std::int64_t pid = 0;
        bool own_network = true;  ///< false: on the host's network, which is not the container's to show
    };
    /// NotFound when the process or its cgroup has gone, or the process is not the container's. `proc` is /proc.
    [[nodiscard]] static Result<ContainerReader> open(const cgroups::Hierarchy& hierarchy, const std::string& proc,
                                                      const Target& target);

    /// Fills all but `read` and `system_cpu_ns`. NotFound when the cgroup has been removed. An interface's counters
    /// keep their last values when the namespace cannot be read.
    [[nodiscard]] Result<void> read(Usage& into);

  private:
    ContainerReader(cgroups::StatisticsReader statistics, Fd network)
        : statistics_(std::move(statistics)), network_(std::move(network)) {}
    cgroups::StatisticsReader statistics_;
    Fd network_;  ///< keeps the namespace alive: closed as soon as the container is known to have stopped
};

/// The path in /proc/<pid>/cgroup that leads to the container's statistics: of the memory controller (v1), else of cpu;
/// of the unified hierarchy (v2). Empty when there is none.
[[nodiscard]] std::string statistics_path(std::string_view proc_cgroup, cgroups::Version version);

/// The time all CPUs of the machine have seen, from /proc/stat, opened once.
class SystemCpu {
  public:
    explicit SystemCpu(const std::string& proc);
    [[nodiscard]] std::uint64_t nanoseconds() const;  ///< 0 when it cannot be read

  private:
    Fd file_;
    std::uint64_t ticks_per_second_;
};

}  // namespace nodeagent::telemetry
