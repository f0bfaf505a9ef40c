#pragma once
// What a cgroup uses, read straight from the kernel's files. stats.md says what becomes of the numbers.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "cgroups/cpu.hpp"
#include "cgroups/hierarchy.hpp"
#include "cgroups/io.hpp"
#include "cgroups/memory.hpp"
#include "cgroups/pids.hpp"
#include "cgroups/pressure.hpp"

namespace nodeagent::cgroups {

struct Statistics {
    CpuStatistics cpu;
    MemoryStatistics memory;
    PidsStatistics pids;
    IoStatistics io;
    /// v2, where the kernel has PSI; nothing elsewhere
    std::optional<Pressure> cpu_pressure, memory_pressure, io_pressure;
};

/// Keeps the files of one cgroup open: a pass is one pread per file and allocates nothing once lists have grown. The
/// files of a cgroup that does nothing are closed but for those that are read each time.
/// Not thread-safe. The files are never waited for, so any shard may call read().
class StatisticsReader {
  public:
    /// `path` is the cgroup's path inside the hierarchy: "/ecs/<id>", "/ecs/<id>/<container>". NotFound when it has
    /// none of the controllers' directories; a controller that is absent leaves its part of Statistics zero.
    [[nodiscard]] static Result<StatisticsReader> open(const Hierarchy& hierarchy, const std::string& path);
    StatisticsReader(StatisticsReader&&) noexcept;
    StatisticsReader& operator=(StatisticsReader&&) noexcept;
    ~StatisticsReader();

    enum class Extent : std::uint8_t {
        /// While the cgroup uses no CPU and holds as much memory as before, its limits, its counters of memory.stat,
        /// throttling and processes are not read but repeated. Others can change them: ask for all now and then.
        Quick,
        Full,
    };
    /// Replaces every value of `into`. An error leaves it alone: NotFound when the cgroup has been removed, Unavailable
    /// when CPU or memory cannot be read (no descriptors left, say). Another file that cannot be read keeps its value.
    [[nodiscard]] Result<void> read(Statistics& into, Extent extent = Extent::Full);

  private:
    struct Files;
    explicit StatisticsReader(std::unique_ptr<Files> files);
    std::unique_ptr<Files> files_;
};

}  // namespace nodeagent::cgroups
