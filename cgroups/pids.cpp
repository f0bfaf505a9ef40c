#include "cgroups/pids.hpp"

namespace nodeagent::cgroups {

FileWrites pids_files(const TaskLimits& limits) {
    if (!limits.pids) return {};
    return {{.file = "pids.max", .value = std::to_string(*limits.pids)}};
}

}  // namespace nodeagent::cgroups
