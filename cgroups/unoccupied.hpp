#pragma once
// Which cgroups below a folder no process lives in.

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::cgroups {

/// Names in `folder`, without `prefix` and `suffix`, of cgroups that carry both and have, themselves and below, no
/// process. None when there is no such folder.
[[nodiscard]] Result<std::vector<std::string>> unoccupied_in(const std::string& folder, std::string_view prefix,
                                                             std::string_view suffix);

}  // namespace nodeagent::cgroups
