#pragma once
// How far the emptying of this machine is: in the status document and on the control socket.

#include <cstddef>
#include <optional>
#include <string>

#include "agent/base/clock.hpp"
#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

struct DrainReport {
    bool draining = false;
    std::string cause;  ///< "the operator", "a spot interruption: ..."
    std::optional<WallTime> since;
    bool tasks_only = false;  ///< ECS is not told
    bool ecs_told = false;
    std::string ecs_error;       ///< why ECS could not be told yet
    std::size_t tasks_left = 0;  ///< that have not stopped
};

inline void write_drain_report(JsonWriter& out, const DrainReport& report) {
    out.begin_object();
    out.member("draining", report.draining);
    if (report.draining) {
        out.member("cause", report.cause);
        if (report.since) out.member("since", *report.since);
        out.member("tasksOnly", report.tasks_only);
        out.member("ecsTold", report.ecs_told);
        out.member_unless_empty("ecsError", report.ecs_error);
    }
    out.member("tasksLeft", report.tasks_left);
    out.end_object();
}

}  // namespace nodeagent::metadata
