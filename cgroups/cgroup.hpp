#pragma once
// One cgroup directory held by descriptor, so that what is read and written stays the same cgroup whatever happens to
// its path. Names are single components; symbolic links are never followed below the root.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"

namespace nodeagent::cgroups {

/// mkdir and rmdir of cgroups. The kernel fills a new cgroup directory with files and lets a directory full of them be
/// removed; a tree of ordinary files needs help with both.
class DirectoryOps {
  public:
    virtual ~DirectoryOps() = default;
    /// 0, or -1 and errno, as mkdirat and unlinkat(AT_REMOVEDIR).
    virtual int make(int parent, const char* name);
    virtual int remove(int parent, const char* name);
};
[[nodiscard]] DirectoryOps& kernel_directories();

class Cgroup {
  public:
    /// `path` is trusted (the mount point); its last component may be a symbolic link ("cpu" -> "cpu,cpuacct").
    [[nodiscard]] static Result<Cgroup> open_root(const std::string& path);

    /// NotFound when absent; Denied when the name is no plain component.
    [[nodiscard]] Result<Cgroup> child(std::string_view name) const;
    /// Makes and opens it; Conflict when it exists.
    [[nodiscard]] Result<Cgroup> create_child(std::string_view name, DirectoryOps& ops) const;
    /// child(), made first when absent.
    [[nodiscard]] Result<Cgroup> ensure_child(std::string_view name, DirectoryOps& ops) const;
    /// Removes an empty cgroup and, deepest first, empty cgroups in it; an absent one is fine. Conflict while processes
    /// live in it.
    [[nodiscard]] Result<void> remove_child(std::string_view name, DirectoryOps& ops) const;
    [[nodiscard]] bool has_child(std::string_view name) const;

    /// One write(2), as cgroup files want it. The error names the file and the value.
    [[nodiscard]] Result<void> write(std::string_view file, std::string_view value) const;
    [[nodiscard]] Result<std::string> read(std::string_view file) const;
    /// Open for reading, for those who read it again and again.
    [[nodiscard]] Result<Fd> open_file(std::string_view file) const;
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    Cgroup(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}
    Fd directory_;
    std::string path_;  ///< for people
};

}  // namespace nodeagent::cgroups
