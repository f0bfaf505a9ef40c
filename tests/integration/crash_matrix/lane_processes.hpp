#pragma once
// The processes in which lanes run. Each is the first one of a PID namespace, so that whatever a lane has started
// (daemons, shims, containers) ends with it, however it ends: in order, by a signal to the matrix, or with the matrix.

#include <sys/types.h>

#include <functional>

namespace nodeagent::crash_matrix {

/// SIGINT and SIGTERM end the lanes from now on, not the caller.
void end_lanes_on_signals();
/// That signal, 0 before it came.
[[nodiscard]] int ending_signal();

/// Runs `lane` in a process of its own, whose exit code it returns. Needs root.
void start_lane_process(const std::function<int()>& lane);
/// Returns when of all lanes, and all they have started, nothing is left.
void wait_for_lane_processes();

}  // namespace nodeagent::crash_matrix
