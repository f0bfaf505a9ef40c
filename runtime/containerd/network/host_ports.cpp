#include "runtime/containerd/network/host_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

struct Range {
    std::uint16_t first = 49153, last = 65535;  // Docker's, where the kernel tells none
};

Range kernel_range() {
    const auto content = read_file("/proc/sys/net/ipv4/ip_local_port_range", 256);
    if (!content) return {};
    const std::string_view text = trimmed(*content);
    const auto space = text.find_first_of(" \t");
    if (space == std::string_view::npos) return {};
    const auto first = parse_integer(trimmed(text.substr(0, space)));
    const auto last = parse_integer(trimmed(text.substr(space)));
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last) return {};
    return {.first = static_cast<std::uint16_t>(*first), .last = static_cast<std::uint16_t>(*last)};
}

bool same_place(const PortBinding& a, const PortBinding& b) {
    return a.host_port == b.host_port && a.protocol == b.protocol &&
           (a.host_ip == b.host_ip || a.host_ip == "0.0.0.0" || b.host_ip == "0.0.0.0");
}

std::string place(const PortBinding& port) { return port.host_ip + ":" + std::to_string(port.host_port); }

/// errno of what failed; 0: bound, or the kernel has no such sockets.
int bind_placeholder(const PortBinding& port, Fd& socket) {
    const bool tcp = port.protocol == "tcp";
    const bool sctp = port.protocol == "sctp";
    socket = Fd(::socket(AF_INET, (port.protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
                         sctp ? IPPROTO_SCTP : 0));
    if (!socket) return sctp ? 0 : errno;
    // connections of an earlier user of the port that linger do not keep it; a listener does
    const int on = 1;
    if (tcp) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // an address that the host has not (yet)
    ::setsockopt(socket.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port.host_port);
    ::inet_pton(AF_INET, port.host_ip.c_str(), &address.sin_addr);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno;
    if (port.protocol != "udp" && ::listen(socket.get(), 0) != 0) return errno;
    return 0;
}

}  // namespace

HostPorts::HostPorts(std::uint16_t first, std::uint16_t last) : first_(first), last_(last) {}

HostPorts::Outcome HostPorts::hold(const std::string& id, const PortBinding& port) {
    const bool allocated =
        std::any_of(held_.begin(), held_.end(), [&](const Held& held) { return same_place(held.port, port); });
    if (allocated) {
        return {.attempt = Attempt::Allocated,
                .error = "Bind for " + place(port) + " failed: port is already allocated"};
    }
    Fd socket;
    if (const int failure = bind_placeholder(port, socket); failure != 0) {
        std::string reason =
            failure == EADDRINUSE ? "address already in use" : lower(std::generic_category().message(failure));
        return {.attempt = Attempt::InUse,
                .error = "Error starting userland proxy: listen " + port.protocol + "4 " + place(port) +
                         ": bind: " + reason};
    }
    held_.push_back({.id = id, .port = port, .socket = std::move(socket)});
    return {};
}

HostPorts::Outcome HostPorts::hold_any(const std::string& id, const PortWish& wish, PortBinding& port) {
    Range range{.first = wish.first, .last = wish.last};
    const bool dynamic = wish.first == 0;
    if (dynamic) range = first_ != 0 && last_ >= first_ ? Range{.first = first_, .last = last_} : kernel_range();
    const unsigned count = static_cast<unsigned>(range.last - range.first) + 1;
    const unsigned start = dynamic && next_ >= range.first && next_ <= range.last ? next_ - range.first : 0U;
    for (unsigned tried = 0; tried < count; ++tried) {
        port.host_port = static_cast<std::uint16_t>(range.first + (start + tried) % count);
        Outcome outcome = hold(id, port);
        if (outcome.attempt == Attempt::Taken) {
            if (dynamic) next_ = port.host_port == 65535 ? 0 : static_cast<std::uint16_t>(port.host_port + 1);
            return outcome;
        }
        if (range.first == range.last) return outcome;
    }
    return {.attempt = Attempt::Allocated, .error = "all ports are allocated"};
}

Result<std::vector<PortBinding>> HostPorts::take(const std::string& id, const std::string& name,
                                                 const std::vector<PortWish>& wishes) {
    const std::lock_guard one(mutex_);
    std::erase_if(held_, [&](const Held& held) { return held.id == id; });
    std::vector<PortBinding> ports;
    for (const PortWish& wish : wishes) {
        PortBinding port{
            .container_port = wish.container_port, .host_port = 0, .host_ip = wish.host_ip, .protocol = wish.protocol};
        const Outcome outcome = hold_any(id, wish, port);
        if (outcome.attempt != Attempt::Taken) {
            std::erase_if(held_, [&](const Held& held) { return held.id == id; });
            return Error{.kind = ErrorKind::Conflict,
                         .what = "driver failed programming external connectivity on endpoint " +
                                 (name.empty() ? id.substr(0, 12) : name) + " (" + id + "): " + outcome.error};
        }
        ports.push_back(std::move(port));
    }
    return ports;
}

Result<void> HostPorts::take_again(const std::string& id, const std::vector<PortBinding>& ports) {
    const std::lock_guard one(mutex_);
    std::optional<std::string> first;
    for (const PortBinding& port : ports) {
        const bool there = std::any_of(held_.begin(), held_.end(),
                                       [&](const Held& held) { return held.id == id && held.port == port; });
        if (there) continue;
        Outcome outcome = hold(id, port);
        if (outcome.attempt != Attempt::Taken && !first) first = std::move(outcome.error);
    }
    if (first) return Error{.kind = ErrorKind::Conflict, .what = *std::move(first)};
    return {};
}

void HostPorts::release(const std::string& id) {
    const std::lock_guard one(mutex_);
    std::erase_if(held_, [&](const Held& held) { return held.id == id; });
}

bool HostPorts::holds(const std::string& id) {
    const std::lock_guard one(mutex_);
    return std::any_of(held_.begin(), held_.end(), [&](const Held& held) { return held.id == id; });
}

}  // namespace nodeagent::runtime::containerd
