#pragma once
// Reads what one container uses, from its cgroup and its network namespace. The files stay open: a pass costs a pread
// each and allocates nothing.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
    };
    /// NotFound when the process or its cgroup has gone, or the process is not the container's. `proc` is /proc.
    [[nodiscard]] static Result<ContainerReader> open(const cgroups::Hierarchy& hierarchy, const std::string& proc,
                                                      const Target& target);

    /// Fills all but `read` and `system_cpu_ns`. Errors are those of StatisticsReader::read.
    [[nodiscard]] Result<void> read(Usage& into, cgroups::StatisticsReader::Extent extent);

  private:
    ContainerReader(cgroups::StatisticsReader statistics, Fd network)
        : statistics_(std::move(statistics)), network_(std::move(network)) {}
    cgroups::StatisticsReader statistics_;
    Fd network_;  ///< keeps the namespace alive: closed as soon as the container is known to have stopped. Not open for
                  ///< a container on the host's network
    std::vector<NetworkInterface> interfaces_;  ///< as read last
};

/// The container's cgroup by its process's /proc/<pid>/cgroup: of the memory controller (v1), else of cpu; of the unified
/// hierarchy (v2). The process may be deeper in it (Docker in Docker, systemd), so the path ends with the component that
/// names the container. Empty when none does.
[[nodiscard]] std::string container_cgroup(std::string_view proc_cgroup, cgroups::Version version,
                                           std::string_view container_id);

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
