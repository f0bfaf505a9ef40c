#pragma once
// The pids controller.

#include <cstdint>

#include "cgroups/file_write.hpp"
#include "cgroups/task_cgroup.hpp"

namespace nodeagent::cgroups {

[[nodiscard]] FileWrites pids_files(const TaskLimits& limits);

struct PidsStatistics {
    std::uint64_t current = 0;
    std::uint64_t limit = UINT64_MAX;  ///< UINT64_MAX: none
};

}  // namespace nodeagent::cgroups
