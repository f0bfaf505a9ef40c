#pragma once
// What a task waits for, in one sentence for people.

#include <string>

#include "agent/core/step.hpp"

namespace nodeagent::core {

/// "" when it waits for nothing. A task in the queue for host resources (state.acquiring) is better explained by
/// HostResources::explain.
[[nodiscard]] std::string waiting_for(const TaskState& task, const Settings& settings, const Instant& now);

}  // namespace nodeagent::core
