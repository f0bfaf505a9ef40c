#include "runtime/containerd/network/netns.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/base/fd.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

/// Mounts below it must be seen by every process of the host, whenever it began.
Result<void> prepare_folder(const std::string& folder) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return from_error_code("make " + folder, failed);
    if (::mount("", folder.c_str(), "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
    if (errno != EINVAL) return from_errno("share the mounts of " + folder);
    if (::mount(folder.c_str(), folder.c_str(), "none", MS_BIND | MS_REC, nullptr) != 0) {
        return from_errno("mount " + folder + " on itself");
    }
    if (::mount("", folder.c_str(), "none", MS_SHARED | MS_REC, nullptr) != 0) {
        return from_errno("share the mounts of " + folder);
    }
    return {};
}

Result<void> loopback_up() {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return from_errno("open a socket in a new network namespace");
    struct ifreq request {};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return from_errno("bring up lo");
    return {};
}

/// A thread that ends takes its namespaces with it.
Result<void> on_own_thread(const std::function<Result<void>()>& f) {
    std::optional<Result<void>> result;
    std::thread thread([&] { result.emplace(f()); });
    thread.join();
    return *std::move(result);
}

}  // namespace

bool is_netns(const std::string& path) {
    struct statfs about {};
    return ::statfs(path.c_str(), &about) == 0 && about.f_type == NSFS_MAGIC;
}

Result<void> make_netns(const std::string& path) {
    if (is_netns(path)) return {};
    const std::string folder = std::filesystem::path(path).parent_path();
    if (auto prepared = prepare_folder(folder); !prepared) return prepared;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
    if (!file) return from_errno("make " + path);
    return on_own_thread([&path]() -> Result<void> {
        if (::unshare(CLONE_NEWNET) != 0) return from_errno("make a network namespace");
        if (auto up = loopback_up(); !up) return up;
        if (::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) != 0) {
            return from_errno("mount a network namespace at " + path);
        }
        return {};
    });
}

Result<void> remove_netns(const std::string& path) {
    while (is_netns(path)) {
        if (::umount2(path.c_str(), MNT_DETACH) != 0) return from_errno("unmount " + path);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + path);
    return {};
}

Result<void> in_netns(const std::string& path, const std::function<Result<void>()>& f) {
    const Fd target(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!target) return from_errno("open " + path);
    return on_own_thread([&]() -> Result<void> {
        if (::setns(target.get(), CLONE_NEWNET) != 0) return from_errno("enter " + path);
        return f();
    });
}

}  // namespace nodeagent::runtime::containerd
