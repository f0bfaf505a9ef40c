#include "agent/engine/resources/task_directories.hpp"

#include <filesystem>
#include <utility>

namespace nodeagent::engine {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> directories_in(const fs::path& directory, std::vector<Error>& failures) {
    std::vector<fs::path> found;
    std::error_code failed;
    for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
        std::error_code unknown;
        if (at->symlink_status(unknown).type() == fs::file_type::directory) found.push_back(at->path());
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        failures.push_back(from_error_code("list " + directory.string(), failed));
    }
    return found;
}

}  // namespace

Result<void> remove_task_directory(const std::string& directory) {
    std::error_code failed;
    fs::remove_all(directory, failed);
    if (failed) return from_error_code("remove " + directory, failed);
    return {};
}

SweptDirectories sweep_task_directories(const std::string& root, const std::set<std::string>& kept) {
    SweptDirectories swept;
    for (const fs::path& cluster : directories_in(root, swept.failures)) {
        if (kept.contains(cluster.string())) continue;  // a task whose ARN is of the old form, without cluster
        for (const fs::path& task : directories_in(cluster, swept.failures)) {
            if (kept.contains(task.string())) continue;
            if (Result<void> removed = remove_task_directory(task.string()); removed) {
                swept.removed.push_back(task.string());
            } else {
                swept.failures.push_back(std::move(removed).error());
            }
        }
    }
    return swept;
}

}  // namespace nodeagent::engine
