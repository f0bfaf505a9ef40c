#pragma once
// What a task waits for, in one sentence for people.

#include <string>

#include "agent/core/step.hpp"
#include "agent/core/view.hpp"

namespace nodeagent::core {

/// "" when it waits for nothing. A task in the queue for host resources (state.acquiring) is better explained by
/// HostResources::explain. A stopping task says who wanted it to stop.
[[nodiscard]] std::string waiting_for(const TaskState& task, const Settings& settings, WallTime now,
                                      const PullViews& pulls = {});

/// "12.4 of 40.0 MiB, 2 of 5 layers, since 2026-01-01T00:00:00Z; attempt 2, after: connection refused"
[[nodiscard]] std::string describe(const model::PullView& pull);

}  // namespace nodeagent::core
