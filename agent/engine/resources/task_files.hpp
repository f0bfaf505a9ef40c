#pragma once
// Everything that one task has below the data directory.

#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::engine {

/// Environment files and metadata files, with their directories; fine if there are none. Blocking.
[[nodiscard]] Result<void> remove_task_files(const std::string& data_directory, const std::string& cluster,
                                             const std::string& task_arn);

}  // namespace nodeagent::engine
