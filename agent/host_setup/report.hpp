#pragma once
// Findings as a table for people.

#include <string>
#include <vector>

#include "agent/host_setup/plan.hpp"

namespace nodeagent::host_setup {

[[nodiscard]] std::string report(const std::vector<Finding>& findings);

}  // namespace nodeagent::host_setup
