#include "runtime/containerd/host_facts.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

HostFacts read_host_facts() {
    HostFacts facts;
    if (const auto last = read_file("/proc/sys/kernel/cap_last_cap")) {
        facts.last_capability = static_cast<int>(parse_integer(trimmed(*last)).value_or(facts.last_capability));
    }
    struct utsname kernel {};
    if (::uname(&kernel) == 0) (void)std::sscanf(kernel.release, "%d.%d", &facts.kernel_major, &facts.kernel_minor);
    return facts;
}

}  // namespace

const HostFacts& host_facts() {
    static const HostFacts facts = read_host_facts();
    return facts;
}

std::uint64_t capabilities_of_daemon(const std::string& socket) {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    struct sockaddr_un address {};
    if (socket.size() >= sizeof address.sun_path) return kAll;
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, socket.size());
    const Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!connection || ::connect(connection.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address) != 0) {
        return kAll;
    }
    struct ucred peer {};
    socklen_t length = sizeof peer;
    if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return kAll;
    const auto status = read_file("/proc/" + std::to_string(peer.pid) + "/status");
    if (!status) return kAll;
    for (const std::string_view line : split(*status, '\n')) {
        constexpr std::string_view kBounding = "CapBnd:";
        if (!line.starts_with(kBounding)) continue;
        const std::string_view digits = trimmed(line.substr(kBounding.size()));
        std::uint64_t set = 0;
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), set, 16);
        if (failed == std::errc()) return set;
    }
    return kAll;
}

std::string container_init_program() {
    for (const char* path : {"/usr/bin/tini-static", "/usr/bin/docker-init", "/usr/libexec/docker/docker-init"}) {
        if (::access(path, X_OK) == 0) return path;
    }
    return {};
}

std::string host_name() {
    char name[256] = {};
    (void)::gethostname(name, sizeof name - 1);
    return name;
}

}  // namespace nodeagent::runtime::containerd
