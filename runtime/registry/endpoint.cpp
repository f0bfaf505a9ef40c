#include "runtime/registry/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::registry {

namespace {

/// 16 bytes; IPv4 as it is mapped into IPv6.
std::optional<std::array<std::uint8_t, 16>> address_bytes(const std::string& text) {
    std::array<std::uint8_t, 16> out{};
    if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
    out = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (::inet_pton(AF_INET, text.c_str(), out.data() + 12) == 1) return out;
    return std::nullopt;
}

std::string without_port(std::string_view host) {
    if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
    return std::string(host.substr(0, host.find(':')));
}

bool in_network(std::string_view cidr, const std::array<std::uint8_t, 16>& address) {
    const std::size_t slash = cidr.find('/');
    const std::string base(cidr.substr(0, slash));
    const auto network = address_bytes(base);
    const auto bits = parse_integer(cidr.substr(slash + 1));
    const bool v4 = base.find(':') == std::string::npos;
    if (!network || !bits || *bits < 0 || *bits > (v4 ? 32 : 128)) return false;
    const auto length = static_cast<std::size_t>(*bits) + (v4 ? 96U : 0U);
    for (std::size_t bit = 0; bit < length; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
        if (((*network)[bit / 8] & mask) != (address[bit / 8] & mask)) return false;
    }
    return true;
}

std::string host_of_server(std::string_view server) {
    if (const std::size_t scheme = server.find("://"); scheme != std::string_view::npos) {
        server.remove_prefix(scheme + 3);
    }
    return lower(server.substr(0, server.find('/')));
}

}  // namespace

bool is_insecure(std::string_view host, const std::vector<std::string>& insecure) {
    const std::string name = lower(without_port(host));
    if (name == "localhost") return true;
    const auto address = address_bytes(name);
    if (address && (in_network("127.0.0.0/8", *address) || in_network("::1/128", *address))) return true;
    return std::any_of(insecure.begin(), insecure.end(), [&](const std::string& entry) {
        if (entry.find('/') != std::string::npos) return address && in_network(entry, *address);
        return equals_ignoring_case(entry, host);
    });
}

std::string origin_of(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return {};
    const std::string scheme = lower(url.substr(0, scheme_end));
    std::string_view host = url.substr(scheme_end + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    const std::string_view usual = scheme == "https" ? ":443" : ":80";
    if (host.ends_with(usual)) host.remove_suffix(usual.size());
    return scheme + "://" + lower(host);
}

std::vector<Endpoint> endpoints_of(const std::string& host, const RegistryOptions& options,
                                   std::string_view credentials_server) {
    std::vector<Endpoint> out;
    if (const auto mirrors = options.mirrors.find(host); mirrors != options.mirrors.end()) {
        for (std::string url : mirrors->second) {
            while (url.ends_with('/')) url.pop_back();
            if (url.find("://") == std::string::npos) url.insert(0, "https://");
            const std::string origin = origin_of(url);
            const std::string mirror = origin.substr(origin.find("://") + 3);
            out.push_back({.bases = {url},
                           .check_certificate = !is_insecure(mirror, options.insecure),
                           .takes_credentials = host_of_server(credentials_server) == mirror,
                           .mirrored = host});
        }
    }
    const std::string where = host == "docker.io" ? "registry-1.docker.io" : host;
    Endpoint itself{
        .bases = {"https://" + where}, .check_certificate = true, .takes_credentials = true, .mirrored = {}};
    if (is_insecure(where, options.insecure)) {
        itself.check_certificate = false;
        itself.bases.push_back("http://" + where);
    }
    out.push_back(std::move(itself));
    return out;
}

}  // namespace nodeagent::runtime::registry
