#pragma once
// A host of a test's own: this thread in a new network namespace, with programs of the system run in it. Needs root.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/netns.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::fakes {

/// Standard output of a program of the host, which must succeed.
inline std::string run(const std::string& command) {
    std::vector<std::string> words;
    for (const auto word : split(command, ' ')) words.emplace_back(word);
    const std::string path = runtime::containerd::find_program(words.front());
    words.erase(words.begin());
    const auto end = runtime::containerd::run_program(
        {.path = path, .arguments = words, .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
    if (!end) throw std::runtime_error(command + ": " + end.error().what);
    if (end->status != 0) throw std::runtime_error(command + ": " + end->errors);
    return end->output;
}

class PrivateHost {
  public:
    PrivateHost() {
        // mounts made from here on are this thread's (and its children's) alone
        if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 ||
            ::mount("", "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) {
            throw std::runtime_error("no namespaces for a test: it needs root");
        }
        run("ip link set lo up");
    }

    /// A machine beyond this host: a namespace with 10.99.0.2, while the host has 10.99.0.1.
    static void connect_neighbour(const std::string& netns) {
        if (!runtime::containerd::pin_namespace(netns)) throw std::runtime_error("no namespace for a neighbour");
        run("ip link add outside type veth peer name inside");
        run("nsenter --net=" + netns + " true");
        run("ip link set inside netns " + netns);
        run("ip address add 10.99.0.1/24 dev outside");
        run("ip link set outside up");
        run("nsenter --net=" + netns + " ip address add 10.99.0.2/24 dev inside");
        run("nsenter --net=" + netns + " ip link set inside up");
        run("nsenter --net=" + netns + " ip route add default via 10.99.0.1");
    }
};

inline sockaddr_in address_of(const std::string& ipv4, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, ipv4.c_str(), &address.sin_addr);
    return address;
}

/// A socket of the namespace at `netns`, or of the host for "". Belongs to it for good, whoever uses it.
inline Fd socket_in(const std::string& netns, int type = SOCK_STREAM) {
    Fd socket;
    if (netns.empty()) return Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const auto made = runtime::containerd::in_network_namespace(netns, [&]() -> Result<void> {
        socket = Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
        return {};
    });
    if (!made) throw std::runtime_error(made.error().what);
    return socket;
}

inline Fd listen_in(const std::string& netns, const std::string& ipv4, std::uint16_t port, int type = SOCK_STREAM) {
    Fd socket = socket_in(netns, type);
    const sockaddr_in address = address_of(ipv4, port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        (type == SOCK_STREAM && ::listen(socket.get(), 16) != 0)) {
        throw std::runtime_error("no listener on port " + std::to_string(port));
    }
    return socket;
}

inline bool readable(const Fd& socket, int milliseconds) {
    pollfd wanted{.fd = socket.get(), .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, milliseconds) == 1;
}

/// Whether what `client` says over TCP to that address arrives at `listener`.
inline bool reaches(const std::string& client_netns, const std::string& ipv4, std::uint16_t port, const Fd& listener,
                    std::string* peer = nullptr) {
    const Fd client = socket_in(client_netns);
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const sockaddr_in address = address_of(ipv4, port);
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    if (!readable(listener, 2000)) return false;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const Fd server(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
    if (peer != nullptr) *peer = ::inet_ntoa(from.sin_addr);
    char got = 0;
    return ::write(client.get(), "x", 1) == 1 && ::read(server.get(), &got, 1) == 1 && got == 'x';
}

}  // namespace nodeagent::fakes
