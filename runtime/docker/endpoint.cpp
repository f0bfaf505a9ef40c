#include "runtime/docker/endpoint.hpp"

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::docker {

namespace {

Error malformed(std::string_view address) {
    return Error{.kind = ErrorKind::Malformed,
                 .what = "DOCKER_HOST '" + std::string(address) + "': expected unix:///path or tcp://host:port"};
}

/// sockaddr_un holds 107 characters and a zero.
constexpr std::size_t kLongestSocketPath = 107;

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view address, bool tls) {
    const std::size_t scheme_end = address.find("://");
    if (scheme_end == std::string_view::npos) return malformed(address);
    const std::string_view scheme = address.substr(0, scheme_end);
    std::string_view rest = address.substr(scheme_end + 3);

    Endpoint endpoint;
    endpoint.address = std::string(address);
    if (scheme == "unix") {
        if (rest.empty() || rest.size() > kLongestSocketPath) return malformed(address);
        endpoint.path = std::string(rest);
        return endpoint;
    }
    if (scheme != "tcp" && scheme != "http" && scheme != "https") return malformed(address);
    while (rest.ends_with('/')) rest.remove_suffix(1);

    endpoint.port = tls ? "2376" : "2375";
    std::string_view port;
    if (rest.starts_with('[')) {  // an IPv6 address
        const std::size_t close = rest.find(']');
        if (close == std::string_view::npos) return malformed(address);
        endpoint.host = std::string(rest.substr(1, close - 1));
        rest.remove_prefix(close + 1);
        if (!rest.empty() && rest.front() != ':') return malformed(address);
        if (!rest.empty()) port = rest.substr(1);
        if (!rest.empty() && port.empty()) return malformed(address);
    } else {
        const std::size_t colon = rest.find(':');
        endpoint.host = std::string(rest.substr(0, colon));
        if (colon != std::string_view::npos) {
            port = rest.substr(colon + 1);
            if (port.empty()) return malformed(address);
        }
    }
    if (endpoint.host.empty()) return malformed(address);
    if (!port.empty()) {
        const auto number = parse_integer(port);
        if (!number || *number < 1 || *number > 65535) return malformed(address);
        endpoint.port = std::string(port);
    }
    return endpoint;
}

}  // namespace nodeagent::runtime::docker
