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

/// Keeps the files of one cgroup open: a pass is one pread per file and allocates nothing once lists have grown.
/// Not thread-safe. The files are never waited for, so any shard may call read().
class StatisticsReader {
  public:
    /// `path` is the cgroup's path inside the hierarchy: "/ecs/<id>", "/ecs/<id>/<container>". NotFound when it has
    /// none of the controllers' directories; a controller that is absent leaves its part of Statistics zero.
    [[nodiscard]] static Result<StatisticsReader> open(const Hierarchy& hierarchy, const std::string& path);
    StatisticsReader(StatisticsReader&&) noexcept;
    StatisticsReader& operator=(StatisticsReader&&) noexcept;
    ~StatisticsReader();

    /// Replaces every value of `into`. NotFound when the cgroup has been removed. While the cgroup uses no CPU and
    /// holds the same amount of memory, what only its processes could change is not read but repeated, ten times at
    /// most: an idle container costs a third.
    [[nodiscard]] Result<void> read(Statistics& into);

  private:
    struct Files;
    template <class Text>
    static void read_rest(Files& files, const Text& text);
    explicit StatisticsReader(std::unique_ptr<Files> files);
    std::unique_ptr<Files> files_;
};

}  // namespace nodeagent::cgroups
