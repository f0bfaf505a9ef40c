#include "agent/host_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/engine/sqlite_database.hpp"
#include "agent/start_checks.hpp"

namespace nodeagent {

namespace {

/// Where SQLite has its locks in a database file (its file format document, "lock-byte page").
constexpr off_t kLockBytes = 0x40000000;
constexpr off_t kLockBytesSize = 512;

/// Who holds the database, told by the kernel; nothing when it is free or not there.
std::optional<pid_t> holder(const std::string& database) {
    const Fd file(::open(database.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = kLockBytes;
    lock.l_len = kLockBytesSize;
    if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
    return lock.l_pid;
}

std::string process_name(pid_t pid) {
    const auto name = read_file("/proc/" + std::to_string(pid) + "/comm");
    return name ? std::string(trimmed(*name)) : std::string("a process");
}

}  // namespace

HostCheck check_data_directory(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
        if (errno != ENOENT) return {false, path + ": " + from_errno("look at it").what};
        // the agent makes it: the nearest directory there is must be writable
        std::filesystem::path above = std::filesystem::path(path).lexically_normal();
        while (above.has_relative_path() && !std::filesystem::exists(above)) above = above.parent_path();
        if (::access(above.c_str(), W_OK) == 0) return {true, path + ": not there yet, will be made"};
        return {false, path + ": not there, and " + above.string() + " is not writable; make it, or set ECS_DATADIR"};
    }
    if (!S_ISDIR(about.st_mode)) return {false, path + ": is not a directory; set ECS_DATADIR"};
    if (::access(path.c_str(), W_OK | X_OK) != 0) {
        return {false, path + ": not writable for this user; run as root, or set ECS_DATADIR"};
    }
    if (const auto pid = holder(path + "/ecs-node-agent.db")) {
        return {false, path + ": in use by " + process_name(*pid) + " (pid " + std::to_string(*pid) +
                           "); one agent per data directory: systemctl stop ecs, or set ECS_DATADIR"};
    }
    return {true, path + ": writable, not in use"};
}

bool has_own_state(const std::string& path) {
    const std::string database = path + "/ecs-node-agent.db";
    std::error_code failed;
    if (!std::filesystem::exists(database, failed)) return static_cast<bool>(failed);
    std::string copy = (std::filesystem::temp_directory_path(failed) / "ecs-node-agent.XXXXXX").string();
    if (failed || ::mkdtemp(copy.data()) == nullptr) return true;
    bool known = true;
    std::filesystem::copy_file(database, copy + "/copy.db", failed);
    std::error_code none;
    std::filesystem::copy_file(database + "-wal", copy + "/copy.db-wal", none);
    if (!failed) {
        if (auto opened = engine::SqliteDatabase::open(copy + "/copy.db")) {
            const auto state = (*opened)->load();
            known = !state || compare_identity(*state, "", "") != Identity::Fresh;
        }
    }
    std::filesystem::remove_all(copy, none);
    return known;
}

HostCheck check_runtime(const std::string& name, const std::string& address,
                        const Result<runtime::Capabilities>& found) {
    if (found) return {true, address + ": answers, " + found->runtime + " " + found->version};
    const std::string remedy = name == "containerd" ? "systemctl start containerd, or set ECS_CONTAINERD_ADDRESS"
                                                    : "systemctl start docker, or set DOCKER_HOST";
    return {false, address + ": does not answer (" + found.error().what + "); " + remedy + ". The agent waits for it"};
}

}  // namespace nodeagent
