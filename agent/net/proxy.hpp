#pragma once
// Which proxy, if any, leads to a host: HTTP_PROXY, HTTPS_PROXY and NO_PROXY with the meaning Go's net/http gives them,
// because operators wrote those variables for the reference (config.md 3.1).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::net {

struct ProxySettings {
    std::string http_proxy{};   ///< for ws:// and http://; "http://[user:password@]host[:port]" or "host:port"
    std::string https_proxy{};  ///< for wss:// and https://
    std::string no_proxy{};  ///< comma-separated: *, host, .domain, ip, cidr, each but the CIDR with an optional :port
};

/// Reads the variables, upper case first. An empty NO_PROXY becomes the link-local endpoints and the Docker socket, as
/// the reference sets it before its first websocket connection. `docker_host` may have a scheme.
[[nodiscard]] ProxySettings proxy_from_environment(
    const std::function<std::optional<std::string>(const char* name)>& lookup, std::string_view docker_host);

struct ProxyEndpoint {
    std::string host;
    std::uint16_t port = 80;
    Secret authorization;  ///< value of Proxy-Authorization; empty without user information in the URL
};

/// Nothing: connect directly. Loopback hosts never go through a proxy. Malformed when the proxy URL cannot be used; the
/// text names the variable, never the URL's user information.
[[nodiscard]] Result<std::optional<ProxyEndpoint>> proxy_for(const ProxySettings& settings, bool secure,
                                                             std::string_view host, std::uint16_t port);

/// The same for a client that wants a URL: "http://[user:password@]host:port" of the proxy that leads to `url`, an http
/// or https one; empty: connect directly.
[[nodiscard]] Result<std::string> proxy_url_for(const ProxySettings& settings, std::string_view url);

}  // namespace nodeagent::net
