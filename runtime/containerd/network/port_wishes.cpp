#include "runtime/containerd/network/port_wishes.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Error no_port(std::string_view what, std::string_view text) {
    return {.kind = ErrorKind::Malformed, .what = std::string(what) + " \"" + std::string(text) + "\""};
}

std::optional<std::uint16_t> port_number(std::string_view text) {
    const auto number = parse_integer(text);
    if (!number || *number < 0 || *number > 65535 || text.starts_with('+') || text.starts_with('-'))
        return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

/// "80/tcp", "53/udp", "80".
Result<PortWish> exposed_port(const std::string& text) {
    PortWish wish;
    const auto slash = text.find('/');
    const auto number = port_number(std::string_view(text).substr(0, slash));
    wish.protocol = slash == std::string::npos ? "tcp" : lower(text.substr(slash + 1));
    if (!number || *number == 0) return no_port("invalid container port", text);
    if (wish.protocol != "tcp" && wish.protocol != "udp" && wish.protocol != "sctp") {
        return no_port("invalid protocol of container port", text);
    }
    wish.container_port = *number;
    return wish;
}

/// "8080", "8000-8010", "" and "0" for any.
Result<void> read_host_port(const std::string& text, PortWish& wish) {
    if (text.empty()) return {};
    const auto dash = text.find('-');
    const auto first = port_number(std::string_view(text).substr(0, dash));
    const auto last = dash == std::string::npos ? first : port_number(std::string_view(text).substr(dash + 1));
    if (!first || !last || *last < *first || (dash != std::string::npos && *first == 0)) {
        return no_port("invalid host port", text);
    }
    wish.first = *first;
    wish.last = *last;
    return {};
}

std::string text_of(const Json& document, const char* key) {
    const auto found = document.find(key);
    return found != document.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

Result<void> read_host_address(const std::string& text, PortWish& wish) {
    if (text.empty()) return {};
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) {
        return no_port("only an IPv4 address of the host can be published on, not", text);
    }
    wish.host_ip = text;
    return {};
}

const Json& member_of(const Json& document, const char* key) {
    static const Json none;
    if (!document.is_object()) return none;
    const auto found = document.find(key);
    return found == document.end() ? none : *found;
}

}  // namespace

Result<std::vector<PortWish>> port_wishes(const Json& config, const Json& host_config) {
    std::vector<PortWish> wishes;
    std::set<std::pair<std::uint16_t, std::string>> bound;
    if (const Json& bindings = member_of(host_config, "PortBindings"); bindings.is_object()) {
        for (const auto& [key, list] : bindings.items()) {
            const auto exposed = exposed_port(key);
            if (!exposed) return exposed.error();
            if (!list.is_array() || list.empty()) continue;
            bound.emplace(exposed->container_port, exposed->protocol);
            for (const Json& binding : list) {
                PortWish wish = *exposed;
                if (!binding.is_object()) continue;
                if (auto read = read_host_port(text_of(binding, "HostPort"), wish); !read) return read.error();
                if (auto read = read_host_address(text_of(binding, "HostIp"), wish); !read) return read.error();
                wishes.push_back(std::move(wish));
            }
        }
    }
    const Json& exposed_ports = member_of(config, "ExposedPorts");
    if (member_of(host_config, "PublishAllPorts") == true && exposed_ports.is_object()) {
        for (const auto& [key, unused] : exposed_ports.items()) {
            auto wish = exposed_port(key);
            if (!wish) return wish.error();
            if (!bound.contains({wish->container_port, wish->protocol})) wishes.push_back(*std::move(wish));
        }
    }
    const auto order = [](const PortWish& wish) {
        const int freedom = wish.first == 0 ? 2 : wish.first != wish.last ? 1 : 0;
        return std::tuple(freedom, wish.container_port, wish.protocol);
    };
    std::stable_sort(wishes.begin(), wishes.end(),
                     [&](const PortWish& a, const PortWish& b) { return order(a) < order(b); });
    return wishes;
}

}  // namespace nodeagent::runtime::containerd
