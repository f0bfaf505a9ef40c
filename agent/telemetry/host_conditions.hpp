#pragma once
// Looks at the machine: disks, memory, load, pressure, and says in plain words what is short.

#include <string>

#include "agent/core/image_policy.hpp"
#include "agent/model/host_conditions.hpp"

namespace nodeagent::telemetry {

struct HostPlaces {
    std::string data_dir;
    std::string docker_root;  ///< "" while the runtime has not told
    std::string proc = "/proc";
};

/// From when on something counts as short.
struct HostMarks {
    core::Watermarks disk;                  ///< of the image clean-up; off: 95 percent
    unsigned memory_available_percent = 5;  ///< less of it
    double stalled_percent = 20;            ///< of a minute in which everything stood still
};

/// Blocks as long as statvfs(2) does.
[[nodiscard]] model::HostConditions look_at_host(const HostPlaces& places, const HostMarks& marks);
/// Fills short_of from the rest. Pure.
void find_shortages(model::HostConditions& host, const HostMarks& marks);

}  // namespace nodeagent::telemetry
