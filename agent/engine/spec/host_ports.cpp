#include "agent/engine/spec/host_ports.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::engine {

namespace {

struct Wanted {
    std::uint16_t first = 0;  ///< container port
    std::uint32_t count = 1;
    std::string protocol;
};

struct Search {
    std::uint32_t found = 0;  ///< first port of the run; 0: none
    std::uint32_t last_checked = 0;
};

/// The first run of `count` free ports within [from, to].
template <class Free>
Search search(std::uint32_t from, std::uint32_t to, std::uint32_t count, const Free& free) {
    Search result{.found = 0, .last_checked = to};
    std::uint32_t run = 0;
    for (std::uint32_t port = from; port <= to; ++port) {
        run = free(static_cast<std::uint16_t>(port)) ? run + 1 : 0;
        if (run == count) return {.found = port - count + 1, .last_checked = port};
    }
    return result;
}

enum class Attempt : unsigned char { Bound, Refused, NoSuchFamily };

template <class Address>
Attempt try_bind(const Address& address, std::string_view protocol) {
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const bool udp = protocol == "udp";
    const Fd socket(::socket(generic->sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    if (!socket) return Attempt::NoSuchFamily;
    const int on = 1;
    const int off = 0;
    if (generic->sa_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    // connections that linger in TIME_WAIT do not make a port taken, but only listen() tells then
    if (!udp) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), generic, sizeof address) != 0) {
        return errno == EADDRNOTAVAIL ? Attempt::NoSuchFamily : Attempt::Refused;  // IPv6 may be switched off
    }
    return udp || ::listen(socket.get(), 1) == 0 ? Attempt::Bound : Attempt::Refused;
}

core::NamedError port_error(const std::string& detail) {
    return {.name = "HostConfigError", .message = "error retrieving docker port map: " + detail};
}

}  // namespace

bool can_bind(std::uint16_t port, std::string_view protocol) {
    // one socket for both families where the host has IPv6, as whoever publishes the port will want both
    sockaddr_in6 any6{};
    any6.sin6_family = AF_INET6;
    any6.sin6_port = htons(port);
    const Attempt dual = try_bind(any6, protocol);
    if (dual != Attempt::NoSuchFamily) return dual == Attempt::Bound;
    sockaddr_in any4{};
    any4.sin_family = AF_INET;
    any4.sin_port = htons(port);
    return try_bind(any4, protocol) == Attempt::Bound;
}

std::optional<PortRange> parse_port_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = parse_integer(text.substr(0, dash));
    const auto last = parse_integer(text.substr(dash + 1));
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last) return std::nullopt;
    return PortRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

boost::system::result<std::vector<core::PortAssignment>, core::NamedError> assign_host_ports(
    const model::Container& container, PortRange range, PortCursor& cursor, const PortProbe& probe) {
    std::vector<core::PortAssignment> assigned;
    const auto taken_by_us = [&assigned](std::uint16_t port, const std::string& protocol) {
        return std::any_of(assigned.begin(), assigned.end(), [&](const core::PortAssignment& other) {
            return other.host_port == port && other.protocol == protocol;
        });
    };
    const auto pick = [&](std::uint32_t count, const std::string& protocol) {
        const auto free = [&](std::uint16_t port) { return !taken_by_us(port, protocol) && probe(port, protocol); };
        const bool resumed = cursor.last + 1 >= range.first && cursor.last < range.last && cursor.last != 0;
        Search result = search(resumed ? cursor.last + 1 : range.first, range.last, count, free);
        // round again from the start; a run may reach over the place where this search began
        if (result.found == 0 && resumed) result = search(range.first, result.last_checked - 1, count, free);
        cursor.last = result.last_checked == range.last ? range.first - 1U : result.last_checked;
        return result.found;
    };

    for (std::size_t i = 0; i < container.port_mappings.size(); ++i) {
        const model::PortMapping& mapping = container.port_mappings[i];
        Wanted wanted{.protocol = mapping.protocol.value_or("tcp")};
        std::uint32_t host = 0;
        if (mapping.container_port_range.empty()) {
            wanted.first = static_cast<std::uint16_t>(mapping.container_port);
            host = static_cast<std::uint16_t>(mapping.host_port);
        } else {
            const auto ports = parse_port_range(mapping.container_port_range);
            if (!ports) return port_error("Invalid port range: " + mapping.container_port_range);
            wanted.first = ports->first;
            wanted.count = static_cast<std::uint32_t>(ports->last - ports->first) + 1;
        }
        if (host == 0) host = pick(wanted.count, wanted.protocol);
        if (host == 0) {
            return port_error(wanted.count == 1 && mapping.container_port_range.empty()
                                  ? std::string("a host port is unavailable")
                                  : std::to_string(wanted.count) + " contiguous host ports are unavailable");
        }
        for (std::uint32_t k = 0; k < wanted.count; ++k) {
            assigned.push_back({.container_port = static_cast<std::uint16_t>(wanted.first + k),
                                .host_port = static_cast<std::uint16_t>(host + k),
                                .protocol = wanted.protocol,
                                .mapping = i});
        }
    }
    return assigned;
}

}  // namespace nodeagent::engine
