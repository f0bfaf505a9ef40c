#pragma once
// What people read of the agent's answers. Pure.

#include <string>

#include "agent/cli/answers.hpp"

namespace nodeagent::cli {

[[nodiscard]] std::string status_view(const StatusAnswer& status);
[[nodiscard]] std::string tasks_view(const TasksAnswer& tasks);
[[nodiscard]] std::string task_view(const TaskAnswer& task);
[[nodiscard]] std::string events_view(const EventsAnswer& events);
[[nodiscard]] std::string settings_view(const SettingsAnswer& settings);

/// One sentence: what the task waits for, or why it stopped.
[[nodiscard]] std::string why(const TaskAnswer& task);

/// "draining since ..., by the operator; 3 tasks left; ECS has been told"
[[nodiscard]] std::string drain_view(const DrainAnswer& drain);

}  // namespace nodeagent::cli
