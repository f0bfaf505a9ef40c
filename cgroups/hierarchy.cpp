#include "cgroups/hierarchy.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::cgroups {

namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// A controller's mount holds the processes of its root cgroup; a v2 mount among them is no v1 controller.
std::vector<std::string> mounted_controllers(const std::string& root) {
    std::vector<std::string> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(root.c_str()), &::closedir);
    if (!directory) return found;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name.starts_with('.') || name.find(',') != std::string::npos) continue;
        const std::string path = root + "/" + name;
        if (exists(path + "/cgroup.procs") && !exists(path + "/cgroup.controllers")) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<std::string> listed_controllers(std::string_view text) {
    std::vector<std::string> found;
    for (const std::string_view word : split(trimmed(text), ' ')) {
        if (!word.empty()) found.emplace_back(word);
    }
    return found;
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

bool systemd_runs() {
    // the test that sd_booted(3) documents
    struct stat status {};
    return ::lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode);
}

std::optional<Driver> parse_driver(std::string_view word) {
    if (word == "cgroupfs") return Driver::Cgroupfs;
    if (word == "systemd") return Driver::Systemd;
    return std::nullopt;
}

Result<Hierarchy> detect_hierarchy(const std::string& root, std::optional<Driver> runtime_driver) {
    Hierarchy hierarchy{.root = root};
    // Only the root of a v2 mount has this file, and it always has it.
    if (auto listed = read_file(root + "/cgroup.controllers"); listed) {
        hierarchy.version = Version::V2;
        hierarchy.driver = runtime_driver.value_or(systemd_runs() ? Driver::Systemd : Driver::Cgroupfs);
        hierarchy.controllers = listed_controllers(*listed);
        return hierarchy;
    }
    hierarchy.controllers = mounted_controllers(root);
    hierarchy.driver = runtime_driver.value_or(Driver::Cgroupfs);
    if (hierarchy.controllers.empty()) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "detect cgroups: no cgroup hierarchy is mounted at " + root +
                             "; mount one there or set ECS_CGROUP_PATH to where it is"};
    }
    return hierarchy;
}

}  // namespace nodeagent::cgroups
