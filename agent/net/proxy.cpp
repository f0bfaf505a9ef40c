#include "agent/net/proxy.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "agent/base/strings.hpp"

namespace nodeagent::net {

namespace ip = boost::asio::ip;

namespace {

struct HostPort {
    std::string host;
    std::string port;
};

// "host", "host:port", "[v6]", "[v6]:port", "v6"
HostPort split_host_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return {std::string(text), {}};
        const auto rest = text.substr(end + 1);
        return {std::string(text.substr(1, end - 1)),
                rest.starts_with(':') ? std::string(rest.substr(1)) : std::string{}};
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || text.find(':') != colon) return {std::string(text), {}};
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::optional<ip::address> address_of(const std::string& host) {
    boost::system::error_code bad;
    ip::address address = ip::make_address(host, bad);
    if (bad) return std::nullopt;
    return address;
}

bool in_network(const ip::address& address, std::string_view cidr) {
    boost::system::error_code bad;
    if (address.is_v4()) {
        const auto network = ip::make_network_v4(std::string(cidr), bad);
        if (bad) return false;
        const auto hosts = ip::make_network_v4(address.to_v4(), network.prefix_length());
        return hosts.canonical() == network.canonical();
    }
    const auto network = ip::make_network_v6(std::string(cidr), bad);
    if (bad) return false;
    const auto hosts = ip::make_network_v6(address.to_v6(), network.prefix_length());
    return hosts.canonical() == network.canonical();
}

bool excluded(std::string_view entry, const std::string& host, const std::optional<ip::address>& address,
              const std::string& port) {
    if (entry == "*") return true;
    if (entry.find('/') != std::string_view::npos) return address && in_network(*address, entry);
    HostPort rule = split_host_port(entry);
    if (!rule.port.empty() && rule.port != port) return false;
    rule.host = lower(rule.host);
    if (rule.host.empty()) return false;
    if (const auto ruled = address_of(rule.host)) return address && *ruled == *address;
    if (address) return false;
    std::string_view suffix = rule.host;
    if (suffix.starts_with("*.")) suffix.remove_prefix(1);
    if (suffix.starts_with('.')) return host.ends_with(suffix);
    return host == suffix || (host.ends_with(suffix) && host[host.size() - suffix.size() - 1] == '.');
}

Error unusable(bool secure, std::string_view why) {
    return {.kind = ErrorKind::Malformed,
            .what = std::string(secure ? "HTTPS_PROXY" : "HTTP_PROXY") + " " + std::string(why) +
                    ": write it as http://[user:password@]host[:port]"};
}

}  // namespace

ProxySettings proxy_from_environment(const std::function<std::optional<std::string>(const char* name)>& lookup,
                                     std::string_view docker_host) {
    const auto either = [&](const char* upper, const char* lower_case) {
        if (auto value = lookup(upper); value && !value->empty()) return *value;
        return lookup(lower_case).value_or("");
    };
    ProxySettings out;
    out.http_proxy = either("HTTP_PROXY", "http_proxy");
    out.https_proxy = either("HTTPS_PROXY", "https_proxy");
    out.no_proxy = lookup("NO_PROXY").value_or("");
    if (out.no_proxy.empty()) {
        if (const auto scheme = docker_host.find("://"); scheme != std::string_view::npos) {
            docker_host.remove_prefix(scheme + 3);
        }
        out.no_proxy = "169.254.169.254,169.254.170.2," + std::string(docker_host);
    }
    return out;
}

Result<std::optional<ProxyEndpoint>> proxy_for(const ProxySettings& settings, bool secure, std::string_view host_given,
                                               std::uint16_t port) {
    std::string_view url = secure ? settings.https_proxy : settings.http_proxy;
    if (url.empty()) return std::optional<ProxyEndpoint>{};

    std::string host = lower(host_given);
    if (host.ends_with('.')) host.pop_back();
    const auto address = address_of(host);
    if (host == "localhost" || (address && address->is_loopback())) return std::optional<ProxyEndpoint>{};
    for (const std::string_view entry : split(settings.no_proxy, ',')) {
        const auto rule = trimmed(entry);
        if (!rule.empty() && excluded(rule, host, address, std::to_string(port))) return std::optional<ProxyEndpoint>{};
    }

    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
        if (!equals_ignoring_case(url.substr(0, scheme), "http"))
            return unusable(secure, "has a scheme other than http");
        url.remove_prefix(scheme + 3);
    }
    url = url.substr(0, url.find_first_of("/?#"));
    ProxyEndpoint out;
    if (const auto at = url.rfind('@'); at != std::string_view::npos) {
        const auto user = percent_decode(url.substr(0, at));
        if (!user) return unusable(secure, "has a broken escape in its user information");
        out.authorization =
            Secret("Basic " + base64_encode(user->find(':') == std::string::npos ? *user + ":" : *user));
        url.remove_prefix(at + 1);
    }
    HostPort target = split_host_port(url);
    if (target.host.empty()) return unusable(secure, "has no host");
    if (!target.port.empty()) {
        const auto number = parse_integer(target.port);
        if (!number || *number < 1 || *number > 65535) return unusable(secure, "has no valid port");
        out.port = static_cast<std::uint16_t>(*number);
    }
    out.host = std::move(target.host);
    return std::optional<ProxyEndpoint>{std::move(out)};
}

Result<std::string> proxy_url_for(const ProxySettings& settings, std::string_view url) {
    const bool secure = !url.starts_with("http://");
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    const HostPort target = split_host_port(url.substr(0, url.find_first_of("/?#")));
    const auto port = static_cast<std::uint16_t>(parse_integer(target.port).value_or(secure ? 443 : 80));
    const auto proxy = proxy_for(settings, secure, target.host, port);
    if (!proxy) return proxy.error();
    if (!*proxy) return std::string();
    std::string_view given = secure ? settings.https_proxy : settings.http_proxy;
    if (const auto scheme = given.find("://"); scheme != std::string_view::npos) given.remove_prefix(scheme + 3);
    given = given.substr(0, given.find_first_of("/?#"));
    const auto user = given.rfind('@');
    const std::string host =
        (*proxy)->host.find(':') == std::string::npos ? (*proxy)->host : "[" + (*proxy)->host + "]";
    return "http://" + std::string(user == std::string_view::npos ? "" : given.substr(0, user + 1)) + host + ":" +
           std::to_string((*proxy)->port);
}

}  // namespace nodeagent::net
