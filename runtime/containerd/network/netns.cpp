#include "runtime/containerd/network/netns.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Result<void> on_own_thread(const std::function<Result<void>()>& f) {
    Result<void> outcome;
    std::thread([&outcome, &f] { outcome = f(); }).join();
    return outcome;
}

/// Only on a thread of its own: it stays there.
Result<void> enter_mount_namespace(const std::string& path) {
    if (path.empty()) return {};
    const Fd other(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!other) return from_errno("open the mount namespace " + path);
    if (::unshare(CLONE_FS) != 0) return from_errno("leave the process's root folder");
    if (::setns(other.get(), CLONE_NEWNS) != 0) return from_errno("enter the mount namespace " + path);
    return {};
}

Result<void> lo_up() {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return from_errno("open a socket in the namespace");
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return from_errno("read the state of lo");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return from_errno("bring lo up");
    return {};
}

/// Best effort: a kernel without IPv6 has nothing to switch off, and /proc/sys may be read-only.
void ipv6_off() {
    for (const char* path :
         {"/proc/sys/net/ipv6/conf/all/disable_ipv6", "/proc/sys/net/ipv6/conf/default/disable_ipv6"}) {
        const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
        if (file) (void)!::write(file.get(), "1", 1);
    }
}

/// A folder that is a shared mount: what is mounted in it shows in the mount namespaces that were copied from this one.
Result<void> share(const std::string& folder) {
    if (auto made = make_directories(folder, 0755); !made) return made;
    if (::mount("", folder.c_str(), nullptr, MS_SHARED | MS_REC, nullptr) == 0) return {};
    if (errno != EINVAL) return from_errno("share the mount " + folder);
    if (::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
        return from_errno("mount " + folder + " on itself");
    }
    if (::mount("", folder.c_str(), nullptr, MS_SHARED | MS_REC, nullptr) != 0) {
        return from_errno("share the mount " + folder);
    }
    return {};
}

Result<void> pin_here(const std::string& path, const std::string& mount_namespace) {
    if (auto entered = enter_mount_namespace(mount_namespace); !entered) return entered;
    if (is_pinned(path)) return {};
    if (auto shared = share(std::filesystem::path(path).parent_path()); !shared) return shared;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
    if (!file) return from_errno("create " + path);
    if (::unshare(CLONE_NEWNET) != 0) return from_errno("create a network namespace");
    ipv6_off();
    if (auto up = lo_up(); !up) return up;
    if (::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        const Error error = from_errno("pin the network namespace at " + path);
        ::unlink(path.c_str());
        return error;
    }
    return {};
}

Result<void> unpin_here(const std::string& path, const std::string& mount_namespace) {
    if (auto entered = enter_mount_namespace(mount_namespace); !entered) return entered;
    while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    if (errno != EINVAL && errno != ENOENT) return from_errno("unmount " + path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + path);
    return {};
}

}  // namespace

Result<void> pin_namespace(const std::string& path, const std::string& mount_namespace) {
    return on_own_thread([&] { return pin_here(path, mount_namespace); });
}

Result<void> unpin_namespace(const std::string& path, const std::string& mount_namespace) {
    return on_own_thread([&] { return unpin_here(path, mount_namespace); });
}

bool is_pinned(const std::string& path) {
    struct statfs about {};
    return ::statfs(path.c_str(), &about) == 0 && about.f_type == NSFS_MAGIC;
}

Result<void> in_network_namespace(const std::string& path, const std::function<Result<void>()>& f) {
    return on_own_thread([&]() -> Result<void> {
        const Fd other(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!other) return from_errno("open the network namespace " + path);
        if (::setns(other.get(), CLONE_NEWNET) != 0) return from_errno("enter the network namespace " + path);
        return f();
    });
}

}  // namespace nodeagent::runtime::containerd
