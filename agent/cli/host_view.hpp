#pragma once
// How the machine fares, as `ecs-node status` tells it. Pure.

#include <string>
#include <utility>
#include <vector>

#include "agent/cli/answers.hpp"

namespace nodeagent::cli {

/// Rows of a name and what is to say; what the agent does not know has none.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> host_rows(const HostAnswer& host);

}  // namespace nodeagent::cli
