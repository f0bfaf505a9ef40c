#include "runtime/containerd/network/host_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Result<std::uint16_t> port_number(std::string_view text, std::string_view where) {
    const auto number = parse_integer(text);
    if (!number || *number < 0 || *number > 65535) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "invalid port specification \"" + std::string(text) + "\" in " + std::string(where)};
    }
    return static_cast<std::uint16_t>(*number);
}

Error taken(const std::string& id, const std::string& name, const std::string& why) {
    return Error{
        .kind = ErrorKind::Conflict,
        .what = "driver failed programming external connectivity on endpoint " + name + " (" + id + "): " + why};
}

/// A socket that has the port, which becomes known when it was 0; errno when it cannot.
Result<Fd> occupy(PortBinding& port) {
    const bool tcp = port.protocol == "tcp";
    Fd socket(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    if (!socket) return from_errno("open a socket");
    struct sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port.host_port);
    if (::inet_pton(AF_INET, port.host_ip.c_str(), &address.sin_addr) != 1) {
        return Error{.kind = ErrorKind::Malformed, .what = "invalid host address " + port.host_ip};
    }
    auto* const generic = reinterpret_cast<struct sockaddr*>(&address);
    if (::bind(socket.get(), generic, sizeof address) != 0 || (tcp && ::listen(socket.get(), 1) != 0)) {
        return from_errno("bind");
    }
    socklen_t length = sizeof address;
    if (port.host_port == 0 && ::getsockname(socket.get(), generic, &length) == 0)
        port.host_port = ntohs(address.sin_port);
    return socket;
}

}  // namespace

Result<std::vector<PortBinding>> wanted_ports(const nlohmann::json& host_config) {
    std::vector<PortBinding> ports;
    const auto bindings = host_config.find("PortBindings");
    if (bindings == host_config.end() || !bindings->is_object()) return ports;
    for (const auto& [key, hosts] : bindings->items()) {  // "80/tcp": [{"HostIp": "", "HostPort": "8080"}]
        if (!hosts.is_array()) continue;
        const std::size_t slash = key.find('/');
        const auto inside = port_number(std::string_view(key).substr(0, slash), key);
        if (!inside) return inside.error();
        const std::string protocol = slash == std::string::npos ? "tcp" : key.substr(slash + 1);
        if (protocol != "tcp" && protocol != "udp") {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "ports of protocol " + protocol + " cannot be published"};
        }
        for (const auto& host : hosts) {
            if (!host.is_object()) continue;
            PortBinding port{
                .container_port = *inside, .host_port = 0, .host_ip = host.value("HostIp", ""), .protocol = protocol};
            if (const std::string given = host.value("HostPort", ""); !given.empty()) {
                const auto outside = port_number(given, key);
                if (!outside) return outside.error();
                port.host_port = *outside;
            }
            if (port.host_ip.empty()) port.host_ip = "0.0.0.0";
            if (port.host_ip.find(':') != std::string::npos) continue;  // IPv6 is not published
            ports.push_back(std::move(port));
        }
    }
    return ports;
}

Result<void> HostPorts::take(const std::string& id, const std::string& name, std::vector<PortBinding>& ports) {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<Key, Held>> fresh;
    for (PortBinding& port : ports) {
        const std::string at = port.host_ip + ":" + std::to_string(port.host_port);
        const auto held = held_.find({port.protocol, port.host_ip, port.host_port});
        if (port.host_port != 0 && held != held_.end()) {
            if (held->second.id == id) continue;
            return taken(id, name, "Bind for " + at + " failed: port is already allocated");
        }
        auto socket = occupy(port);
        if (!socket) {
            const Error error = std::move(socket).error();
            if (error.cause.value() != EADDRINUSE) return error;
            for (const auto& [key, other] : held_) {  // of another address of this host
                if (std::get<0>(key) == port.protocol && std::get<2>(key) == port.host_port) {
                    return taken(id, name, "Bind for " + at + " failed: port is already allocated");
                }
            }
            return taken(id, name,
                         "Error starting userland proxy: listen " + port.protocol + "4 " + at +
                             ": bind: address already in use");
        }
        fresh.emplace_back(Key{port.protocol, port.host_ip, port.host_port}, Held{id, *std::move(socket)});
    }
    for (auto& [key, held] : fresh) held_.insert_or_assign(key, std::move(held));
    return {};
}

void HostPorts::release(const std::string& id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(held_, [&id](const auto& one) { return one.second.id == id; });
}

}  // namespace nodeagent::runtime::containerd
