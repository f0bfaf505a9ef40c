#pragma once
// One line of log and one entry of the event log per status change.

#include "agent/base/clock.hpp"
#include "agent/core/task_state.hpp"
#include "agent/engine/event_log.hpp"

namespace nodeagent::engine {

void note_status_changes(const core::TaskState& before, const core::TaskState& after, WallTime when, EventLog& events);

}  // namespace nodeagent::engine
