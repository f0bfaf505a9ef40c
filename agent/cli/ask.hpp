#pragma once
// One command of ecs-node: asks the agent, checks the answer, makes the text.

#include <functional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/cli/arguments.hpp"
#include "agent/cli/endpoint.hpp"

namespace nodeagent::cli {

/// How the agent is reached; a function, so that tests need no socket.
using Fetch = std::function<Result<Reply>(const std::string& target)>;

/// What goes to standard output. NotFound when there is no such task.
[[nodiscard]] Result<std::string> ask(const Arguments& arguments, const Fetch& fetch);

}  // namespace nodeagent::cli
