#pragma once
// Directories that tasks have below the data directory, <root>/<cluster>/<task id>: they go with their tasks, and those
// of tasks that nobody knows any more at a start of the agent. Blocking.

#include <set>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::engine {

/// With all in it; fine if there is none.
[[nodiscard]] Result<void> remove_task_directory(const std::string& directory);

struct SweptDirectories {
    std::vector<std::string> removed;
    std::vector<Error> failures;
};
/// Removes the directories of all tasks, of any cluster, but those in `kept`.
[[nodiscard]] SweptDirectories sweep_task_directories(const std::string& root, const std::set<std::string>& kept);

}  // namespace nodeagent::engine
