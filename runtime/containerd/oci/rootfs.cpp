#include "runtime/containerd/oci/rootfs.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/mount_options.hpp"
#include "runtime/containerd/oci/tree_copy.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

/// There on every host and needed by nothing that happens on the thread; the mount is the thread's own.
constexpr const char* kMountedAt = "/sys";
constexpr int kMostLinks = 40;

Fd open_in_root(int root_fd, const std::string& path, int flags) {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return Fd(static_cast<int>(::syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how)));
}

Result<void> call_with_root(const std::vector<SnapshotMount>& mounts,
                            const std::function<Result<void>(int root_fd)>& f) {
    if (::unshare(CLONE_NEWNS) != 0) return from_errno("make a mount namespace");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return from_errno("make mounts private");
    }
    for (const SnapshotMount& mount : mounts) {
        if (auto done = mount_at(mount.type, mount.source, mount.options, kMountedAt); !done) {
            return with_context("mount a container's root", done.error());
        }
    }
    const Fd root(::open(kMountedAt, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return from_errno("open a container's root");
    if (!open_in_root(root.get(), "/", O_PATH | O_DIRECTORY)) {
        if (errno == ENOSYS) {
            return Error{.kind = ErrorKind::Unavailable,
                         .what = "containers on containerd need Linux 5.6 or later (openat2)"};
        }
        return from_errno("open a container's root");
    }
    return f(root.get());
}

std::string link_target(int folder, const std::string& name) {
    std::string target(4096, '\0');
    const ssize_t length = ::readlinkat(folder, name.c_str(), target.data(), target.size());
    target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return target;
}

Result<void> make_folders(int root_fd, const std::string& path, int links_left) {
    if (links_left == 0) return malformed("Cannot mkdir: too many levels of symbolic links: " + path);
    Fd parent = open_in_root(root_fd, "/", O_PATH | O_DIRECTORY);
    if (!parent) return from_errno("open a container's root");
    std::string prefix;
    const std::string cleaned = clean_path("/" + path);
    const auto parts = split(std::string_view(cleaned).substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].empty()) continue;
        const std::string name(parts[i]);
        const std::string at = prefix + "/" + name;
        Fd next = open_in_root(root_fd, at, O_PATH | O_DIRECTORY);
        if (!next && errno == ENOTDIR) return malformed("Cannot mkdir: " + at + " is not a directory");
        if (!next && errno != ENOENT) return from_errno("mkdir " + at);
        if (!next) {
            if (const std::string target = link_target(parent.get(), name); !target.empty()) {
                // a link to what is not there: that is made
                std::string instead = target.starts_with('/') ? target : prefix + "/" + target;
                for (std::size_t rest = i + 1; rest < parts.size(); ++rest) instead += "/" + std::string(parts[rest]);
                return make_folders(root_fd, instead, links_left - 1);
            }
            if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) return from_errno("mkdir " + at);
            next = open_in_root(root_fd, at, O_RDONLY | O_DIRECTORY);
            if (!next || ::fchmod(next.get(), 0755) != 0) return from_errno("mkdir " + at);  // whatever the umask
        }
        parent = std::move(next);
        prefix = at;
    }
    return {};
}

}  // namespace

Result<void> with_root(const std::vector<SnapshotMount>& mounts, const std::function<Result<void>(int root_fd)>& f) {
    Result<void> outcome;
    std::thread worker([&mounts, &f, &outcome] { outcome = call_with_root(mounts, f); });
    worker.join();
    return outcome;
}

std::string read_in_root(int root_fd, const std::string& path, std::size_t limit) {
    const Fd found = open_in_root(root_fd, path, O_PATH);  // nothing happens to a device or fifo by this
    struct stat status {};
    if (!found || ::fstat(found.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    const Fd file(::open(("/proc/self/fd/" + std::to_string(found.get())).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::string content;
    constexpr std::size_t kPiece = 16U << 10U;
    while (content.size() < limit) {
        const std::size_t before = content.size();
        const std::size_t most = std::min(kPiece, limit - before);
        content.resize(before + most);
        const ssize_t got = ::read(file.get(), content.data() + before, most);
        content.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
    }
    return content;
}

Result<void> make_directory_in_root(int root_fd, const std::string& path) {
    return make_folders(root_fd, path, kMostLinks);
}

Result<void> copy_from_root(int root_fd, const std::string& path, const std::string& target_directory) {
    const Fd found = open_in_root(root_fd, path, O_PATH);
    if (!found) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        return from_errno("open " + path);
    }
    struct stat status {};
    if (::fstat(found.get(), &status) != 0) return from_errno("open " + path);
    if (!S_ISDIR(status.st_mode)) {
        return malformed("cannot mount volume over existing file, file exists " + path);
    }
    const Fd source = open_in_root(root_fd, path, O_RDONLY | O_DIRECTORY);
    if (!source) return from_errno("open " + path);
    return copy_tree(source.get(), target_directory);
}

}  // namespace nodeagent::runtime::containerd::oci
