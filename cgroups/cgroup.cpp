#include "cgroups/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace nodeagent::cgroups {

namespace {

bool plain_component(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

Error bad_name(const std::string& parent, std::string_view name) {
    return Error{.kind = ErrorKind::Denied,
                 .what = "cgroup in " + parent + ": \"" + std::string(name) + "\" is not a plain directory name"};
}

std::string shown(std::string_view value) {
    std::string text(value.substr(0, 64));
    std::replace(text.begin(), text.end(), '\n', ' ');
    return "\"" + text + "\"";
}

}  // namespace

int DirectoryOps::make(int parent, const char* name) { return ::mkdirat(parent, name, 0755); }
int DirectoryOps::remove(int parent, const char* name) { return ::unlinkat(parent, name, AT_REMOVEDIR); }

DirectoryOps& kernel_directories() {
    static DirectoryOps kernel;
    return kernel;
}

Result<Cgroup> Cgroup::open_root(const std::string& path) {
    Fd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return from_errno("open cgroup " + path);
    return Cgroup(std::move(directory), path);
}

Result<Cgroup> Cgroup::child(std::string_view name) const {
    if (!plain_component(name)) return bad_name(path_, name);
    const std::string text(name);
    Fd directory(::openat(directory_.get(), text.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return from_errno("open cgroup " + path_ + "/" + text);
    return Cgroup(std::move(directory), path_ + "/" + text);
}

Result<Cgroup> Cgroup::create_child(std::string_view name, DirectoryOps& ops) const {
    if (!plain_component(name)) return bad_name(path_, name);
    const std::string text(name);
    if (ops.make(directory_.get(), text.c_str()) != 0) return from_errno("create cgroup " + path_ + "/" + text);
    return child(name);
}

Result<Cgroup> Cgroup::ensure_child(std::string_view name, DirectoryOps& ops) const {
    Result<Cgroup> made = create_child(name, ops);
    if (made || made.error().kind != ErrorKind::Conflict) return made;
    return child(name);
}

bool Cgroup::has_child(std::string_view name) const { return child(name).has_value(); }

Result<void> Cgroup::remove_child(std::string_view name, DirectoryOps& ops) const {
    Result<Cgroup> target = child(name);
    if (!target) {
        if (target.error().kind == ErrorKind::NotFound) return {};
        return std::move(target).error();
    }
    const int listing = ::openat(target->directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(listing < 0 ? nullptr : ::fdopendir(listing), &::closedir);
    if (!directory) return from_errno("list cgroup " + target->path_);
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_type != DT_DIR || !plain_component(entry->d_name)) continue;
        if (auto removed = target->remove_child(entry->d_name, ops); !removed) return removed;
    }
    const std::string text(name);
    if (ops.remove(directory_.get(), text.c_str()) != 0 && errno != ENOENT) {
        const bool busy = errno == EBUSY || errno == ENOTEMPTY;
        Error error = from_errno("remove cgroup " + target->path_);
        if (busy) {
            error.kind = ErrorKind::Conflict;
            error.what += "; processes still live in it";
        }
        return error;
    }
    return {};
}

Result<void> Cgroup::write(std::string_view file, std::string_view value) const {
    if (!plain_component(file)) return bad_name(path_, file);
    const std::string text(file);
    const Fd opened(::openat(directory_.get(), text.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) return from_errno("open " + path_ + "/" + text);
    for (;;) {
        const ssize_t written = ::write(opened.get(), value.data(), value.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return from_errno("write " + shown(value) + " to " + path_ + "/" + text);
        return {};
    }
}

Result<Fd> Cgroup::open_file(std::string_view file) const {
    if (!plain_component(file)) return bad_name(path_, file);
    const std::string text(file);
    Fd opened(::openat(directory_.get(), text.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) return from_errno("open " + path_ + "/" + text);
    return opened;
}

Result<std::string> Cgroup::read(std::string_view file) const {
    Result<Fd> opened = open_file(file);
    if (!opened) return std::move(opened).error();
    std::string content;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = ::read(opened->get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno("read " + path_ + "/" + std::string(file));
        if (n == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace nodeagent::cgroups
