#include "runtime/docker/forgotten_processes.hpp"

#include <signal.h>

#include <charconv>
#include <filesystem>
#include <system_error>

#include "agent/base/files.hpp"

namespace nodeagent::runtime::docker {

namespace {

constexpr std::size_t kIdLength = 64;

bool is_full_id(std::string_view id) {
    return id.size() == kIdLength && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// 0: the folder is not a process'.
pid_t process_of(const std::string& folder) {
    pid_t pid = 0;
    const char* end = folder.data() + folder.size();
    const auto [rest, error] = std::from_chars(folder.data(), end, pid);
    return error == std::errc() && rest == end ? pid : 0;
}

}  // namespace

bool says_forgotten(std::string_view error, std::string_view id) {
    return is_full_id(id) && error.ends_with("task " + std::string(id) + ": already exists");
}

int kill_forgotten(std::string_view id, const std::string& proc) {
    if (!is_full_id(id)) return 0;
    int killed = 0;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(proc, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        const pid_t pid = process_of(entry->path().filename().string());
        if (pid <= 1) continue;
        const auto cgroups = read_file((entry->path() / "cgroup").string());
        if (!cgroups || cgroups->find(id) == std::string::npos) continue;
        if (::kill(pid, SIGKILL) == 0) ++killed;
    }
    return killed;
}

}  // namespace nodeagent::runtime::docker
