#include "cgroups/unoccupied.hpp"

#include <filesystem>
#include <system_error>

#include "agent/base/files.hpp"
#include "cgroups/task_id.hpp"

namespace nodeagent::cgroups {

namespace {

namespace fs = std::filesystem;

/// What cannot be read counts as inhabited.
bool inhabited(const fs::path& cgroup) {
    const auto processes = read_file((cgroup / "cgroup.procs").string());
    if (!processes || !processes->empty()) return true;
    std::error_code failure;
    for (fs::directory_iterator entry(cgroup, failure), end; !failure && entry != end; entry.increment(failure)) {
        std::error_code unknown;
        if (entry->is_directory(unknown) && !entry->is_symlink(unknown) && inhabited(entry->path())) return true;
    }
    return static_cast<bool>(failure);
}

}  // namespace

Result<std::vector<std::string>> unoccupied_in(const std::string& folder, std::string_view prefix,
                                               std::string_view suffix) {
    std::vector<std::string> ids;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
        std::error_code unknown;
        if (!entry->is_directory(unknown) || entry->is_symlink(unknown)) continue;
        const std::string name = entry->path().filename().string();
        if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
            continue;
        }
        std::string id = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
        if (check_task_id(id) && !inhabited(entry->path())) ids.push_back(std::move(id));
    }
    if (failure && failure != std::errc::no_such_file_or_directory) {
        return from_error_code("list the cgroups in " + folder, failure);
    }
    return ids;
}

}  // namespace nodeagent::cgroups
