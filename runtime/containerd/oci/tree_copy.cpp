#include "runtime/containerd/oci/tree_copy.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/fd.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr int kDeepest = 256;

/// Names in the folder, sorted.
Result<std::vector<std::string>> names_in_folder(int folder) {
    std::vector<std::string> names;
    const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* open = own < 0 ? nullptr : ::fdopendir(own);
    if (open == nullptr) {
        Error failed = from_errno("read a folder");
        if (own >= 0) ::close(own);
        return failed;
    }
    errno = 0;
    while (const dirent* entry = ::readdir(open)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failed = errno;
    ::closedir(open);
    if (failed != 0) return from_error_code("read a folder", std::error_code(failed, std::generic_category()));
    std::sort(names.begin(), names.end());
    return names;
}

class TreeCopy {
  public:
    TreeCopy(int source, int target) : source_(source), target_(target) {}

    Result<void> run() {
        if (auto done = folder(source_, target_, "", 0); !done) return done;
        struct stat status {};
        if (::fstat(source_, &status) != 0) return from_errno("stat a folder");
        return metadata(source_, ".", target_, ".", status);
    }

  private:
    Result<void> folder(int from, int to, const std::string& at, int depth) {
        if (depth > kDeepest) {
            return Error{.kind = ErrorKind::Malformed, .what = "copy " + at + ": folders are too deep in each other"};
        }
        const auto names = names_in_folder(from);
        if (!names) return names.error();
        for (const std::string& name : *names) {
            const std::string path = at.empty() ? name : at + "/" + name;
            if (auto done = entry(from, to, name, path, depth); !done) return done;
        }
        return {};
    }

    Result<void> entry(int from, int to, const std::string& name, const std::string& path, int depth) {
        struct stat status {};
        if (::fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return from_errno("copy " + path);
        if (S_ISDIR(status.st_mode)) {
            const Fd inner(::openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!inner || ::mkdirat(to, name.c_str(), 0700) != 0) return from_errno("copy " + path);
            const Fd made(::openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!made) return from_errno("copy " + path);
            if (auto done = folder(inner.get(), made.get(), path, depth + 1); !done) return done;
            return metadata(from, name, to, name, status);
        }
        if (status.st_nlink > 1) {
            const auto [first, is_new] = linked_.try_emplace({status.st_dev, status.st_ino}, path);
            if (!is_new) {
                if (::linkat(target_, first->second.c_str(), to, name.c_str(), 0) != 0) {
                    return from_errno("copy " + path);
                }
                return {};
            }
        }
        if (auto made = content(from, to, name, status); !made) return with_context("copy " + path, made.error());
        return metadata(from, name, to, name, status);
    }

    static Result<void> content(int from, int to, const std::string& name, const struct stat& status) {
        if (S_ISREG(status.st_mode)) return file(from, to, name);
        if (S_ISLNK(status.st_mode)) {
            std::string target(static_cast<std::size_t>(status.st_size) + 1, '\0');
            const ssize_t length = ::readlinkat(from, name.c_str(), target.data(), target.size());
            if (length < 0) return from_errno("read a link");
            target.resize(static_cast<std::size_t>(length));
            if (::symlinkat(target.c_str(), to, name.c_str()) != 0) return from_errno("make a link");
            return {};
        }
        const mode_t mode = (status.st_mode & S_IFMT) | 0600U;
        if (::mknodat(to, name.c_str(), mode, status.st_rdev) != 0) return from_errno("make a node");
        return {};
    }

    static Result<void> file(int from, int to, const std::string& name) {
        const Fd in(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!in) return from_errno("open");
        const Fd out(::openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!out) return from_errno("create");
        constexpr std::size_t kPiece = 1U << 20U;
        for (;;) {  // in the kernel, where both file systems can
            const ssize_t done = ::copy_file_range(in.get(), nullptr, out.get(), nullptr, 64 * kPiece, 0);
            if (done == 0) return {};
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) break;
        }
        if (errno != EXDEV && errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP) return from_errno("write");
        std::string piece(kPiece, '\0');
        for (;;) {
            const ssize_t got = ::read(in.get(), piece.data(), piece.size());
            if (got == 0) return {};
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return from_errno("read");
            for (ssize_t at = 0; at < got;) {
                const ssize_t put = ::write(out.get(), piece.data() + at, static_cast<std::size_t>(got - at));
                if (put < 0 && errno == EINTR) continue;
                if (put < 0) return from_errno("write");
                at += put;
            }
        }
    }

    /// Owner first: a change of owner takes set-user bits and file capabilities away.
    static Result<void> metadata(int from, const std::string& name, int to, const std::string& made,
                                 const struct stat& status) {
        const auto failed = [&name] { return from_errno("copy the attributes of " + name); };
        if (::fchownat(to, made.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) return failed();
        if (!S_ISLNK(status.st_mode) && ::fchmodat(to, made.c_str(), status.st_mode & 07777U, 0) != 0) return failed();
        if (auto done = attributes(from, name, to, made); !done) return done;
        const timespec times[2] = {status.st_atim, status.st_mtim};
        if (::utimensat(to, made.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return failed();
        return {};
    }

    static std::string by_descriptor(int folder, const std::string& name) {
        return "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    }

    static Result<void> attributes(int from, const std::string& name, int to, const std::string& made) {
        const std::string source = by_descriptor(from, name);
        const std::string target = by_descriptor(to, made);
        const ssize_t size = ::llistxattr(source.c_str(), nullptr, 0);
        if (size <= 0) return {};  // none, or a file system without them
        std::string list(static_cast<std::size_t>(size), '\0');
        const ssize_t listed = ::llistxattr(source.c_str(), list.data(), list.size());
        list.resize(listed > 0 ? static_cast<std::size_t>(listed) : 0);
        for (std::size_t at = 0; at < list.size(); at += list.find('\0', at) + 1 - at) {
            const std::string attribute(list.c_str() + at);
            const ssize_t length = ::lgetxattr(source.c_str(), attribute.c_str(), nullptr, 0);
            if (length < 0) continue;
            std::string value(static_cast<std::size_t>(length), '\0');
            const ssize_t got = ::lgetxattr(source.c_str(), attribute.c_str(), value.data(), value.size());
            if (got < 0) continue;
            if (::lsetxattr(target.c_str(), attribute.c_str(), value.data(), static_cast<std::size_t>(got), 0) != 0 &&
                errno != ENOTSUP) {
                return from_errno("copy attribute " + attribute + " of " + name);
            }
        }
        return {};
    }

    int source_, target_;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;  ///< where a file with several names came first
};

}  // namespace

Result<void> copy_tree(int source_fd, const std::string& target) {
    const Fd folder(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return from_errno("open " + target);
    const auto there = names_in_folder(folder.get());
    if (!there) return there.error();
    if (!there->empty()) return Error{.kind = ErrorKind::Conflict, .what = target + " is not empty"};
    return TreeCopy(source_fd, folder.get()).run();
}

}  // namespace nodeagent::runtime::containerd::oci
