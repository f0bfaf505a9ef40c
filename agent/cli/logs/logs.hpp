#pragma once
// `ecs-node logs`: asks the agent where the logs of a task are, and reads them there.

#include "agent/cli/arguments.hpp"
#include "agent/config/environment.hpp"

namespace nodeagent::cli {

/// The exit code: 0, or 1 when a log could not be read or the agent does not know the task; why is on standard error.
/// With --follow it returns when all containers have ended. Ends the process on SIGINT (130).
[[nodiscard]] int show_logs(const Arguments& arguments, const config::Environment& environment);

}  // namespace nodeagent::cli
