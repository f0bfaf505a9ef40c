#include "agent/takeover/source.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::takeover {

namespace {

constexpr std::size_t kLargestLegacyFile = 64U << 20U;

Result<void> rename_away(const std::string& path, const std::string& target) {
    if (is_there(target)) {  // of an earlier time, before somebody went back to the reference
        const std::string older = target + "-" + iso8601_basic(std::chrono::system_clock::now());
        if (std::rename(target.c_str(), older.c_str()) != 0) return from_errno("rename " + target);
    }
    if (std::rename(path.c_str(), target.c_str()) != 0) return from_errno("rename " + path);
    return {};
}

}  // namespace

std::string file_in(const std::string& directory, std::string_view file) {
    return directory + (directory.ends_with('/') ? "" : "/") + std::string(file);
}

bool is_there(const std::string& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

Result<std::optional<Source>> find_source(const std::string& data_dir, const core::Identity& identity) {
    std::optional<Source> source;
    const std::string database = file_in(data_dir, kDatabaseFile);
    if (is_there(database)) {
        auto opened = open_bolt(database);
        if (!opened) return std::move(opened).error();
        source = Source{database, std::move(opened->lock), import_database(opened->root, identity)};
        if (!source->import.agent_version.empty() || !source->import.empty()) return source;
    }
    const std::string legacy = file_in(data_dir, kLegacyFile);
    if (!is_there(legacy)) return source;
    const auto text = read_file(legacy, kLargestLegacyFile);
    if (!text) return text.error();
    auto import = import_legacy_file(*text, identity);
    if (!import) return with_context(legacy + " is no state of amazon-ecs-agent", std::move(import).error());
    Fd lock = source ? std::move(source->lock) : Fd();
    return Source{legacy, std::move(lock), *std::move(import)};
}

bool in_use(const std::string& data_dir) {
    const Fd file(::open(file_in(data_dir, kDatabaseFile).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::string remedy(ErrorKind kind, const std::string& data_dir) {
    const std::string path = file_in(data_dir, kDatabaseFile);
    if (kind == ErrorKind::Conflict) {
        return "amazon-ecs-agent still runs: stop it with systemctl stop ecs (its own unit) or docker stop ecs-agent, "
               "then start this agent";
    }
    if (kind == ErrorKind::Denied) return "let this user read " + path + ", or run as root";
    return "without it the tasks on this machine would be orphaned, so nothing is registered: restore the file, or "
           "move "
           "it away to join as a new instance (mv " +
           path + " " + path + ".unreadable; likewise " + std::string(kLegacyFile) + ")";
}

Result<std::string> put_away(const std::string& data_dir) {
    std::string last;
    for (const std::string_view file : {kLegacyFile, kDatabaseFile}) {
        const std::string path = file_in(data_dir, file);
        if (!is_there(path)) continue;
        std::string target = path + std::string(kPutAwaySuffix);
        if (auto renamed = rename_away(path, target); !renamed) return std::move(renamed).error();
        last = std::move(target);
    }
    const Fd directory(::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());
    return last;
}

}  // namespace nodeagent::takeover
