#include "runtime/logs/spool_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "agent/base/fd.hpp"

namespace nodeagent::runtime::logs {

std::string segment_path(const std::string& directory, std::uint64_t segment) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "/%016llx.spool", static_cast<unsigned long long>(segment));
    return directory + name.data();
}

std::string position_path(const std::string& directory) { return directory + "/position"; }
std::string lock_path(const std::string& directory) { return directory + "/lock"; }
std::string rest_path(const std::string& directory) { return directory + "/rest"; }

std::vector<SpoolSegment> segments_of(const std::string& directory) {
    std::vector<SpoolSegment> out;
    DIR* listing = ::opendir(directory.c_str());
    if (listing == nullptr) return out;
    while (const dirent* entry = ::readdir(listing)) {
        const std::string name(entry->d_name);
        if (name.size() != 22 || !name.ends_with(".spool")) continue;
        char* end = nullptr;
        const std::uint64_t number = std::strtoull(name.c_str(), &end, 16);
        struct ::stat about {};
        if (end != name.c_str() + 16 || ::stat((directory + "/" + name).c_str(), &about) != 0) continue;
        out.push_back({number, static_cast<std::uint64_t>(about.st_size)});
    }
    ::closedir(listing);
    std::sort(out.begin(), out.end(), [](const SpoolSegment& a, const SpoolSegment& b) { return a.number < b.number; });
    return out;
}

SpoolPosition saved_position(const std::string& directory) {
    const Fd file(::open(position_path(directory).c_str(), O_RDONLY | O_CLOEXEC));
    SpoolPosition position;
    if (!file || ::pread(file.get(), &position, sizeof position, 0) != sizeof position) return {};
    return position;
}

SpoolRest spool_rest(const std::string& directory) {
    SpoolRest out;
    const Fd lock(::open(lock_path(directory).c_str(), O_RDONLY | O_CLOEXEC));
    // a look takes the lock for a moment, shared: a logger that begins meanwhile tries again
    if (lock) out.in_use = ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
    struct ::stat about {};
    const auto add = [&](const std::string& path, std::uint64_t sent) {
        if (::stat(path.c_str(), &about) != 0 || static_cast<std::uint64_t>(about.st_size) <= sent) return;
        out.bytes += static_cast<std::uint64_t>(about.st_size) - sent;
        out.newest = std::max<std::int64_t>(out.newest, about.st_mtim.tv_sec);
    };
    const SpoolPosition done = saved_position(directory);
    for (const SpoolSegment& segment : segments_of(directory)) {
        if (segment.number < done.segment) continue;
        add(segment_path(directory, segment.number), segment.number == done.segment ? done.offset : 0);
    }
    add(rest_path(directory), 0);
    return out;
}

}  // namespace nodeagent::runtime::logs
