#include "runtime/containerd/network/subnet.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

std::uint32_t mask_of(int prefix) { return prefix == 0 ? 0U : ~std::uint32_t{0} << (32 - prefix); }

std::string dotted(std::uint32_t address) {
    std::string text;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        text += std::to_string((address >> shift) & 0xffU);
        if (shift != 0) text += '.';
    }
    return text;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> columns(std::string_view line) {
    std::vector<std::string_view> words;
    for (const std::string_view part : split(line, '\t')) {
        if (const auto one = trimmed(part); !one.empty()) words.push_back(one);
    }
    return words;
}

}  // namespace

std::optional<Subnet> parse_subnet(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    in_addr address{};
    if (::inet_pton(AF_INET, std::string(text.substr(0, slash)).c_str(), &address) != 1) return std::nullopt;
    const auto prefix = parse_integer(text.substr(slash + 1));
    if (!prefix || *prefix < 0 || *prefix > 32) return std::nullopt;
    const Subnet subnet{.address = ntohl(address.s_addr), .prefix = static_cast<int>(*prefix)};
    if ((subnet.address & ~mask_of(subnet.prefix)) != 0) return std::nullopt;
    return subnet;
}

std::string to_string(const Subnet& subnet) { return dotted(subnet.address) + "/" + std::to_string(subnet.prefix); }

bool overlap(const Subnet& a, const Subnet& b) {
    const std::uint32_t mask = mask_of(std::min(a.prefix, b.prefix));
    return (a.address & mask) == (b.address & mask);
}

std::string first_address(const Subnet& subnet) { return dotted(subnet.address + 1); }

// Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask ...; numbers are hexadecimal, addresses as they are
// in memory.
std::vector<Subnet> parse_routes(std::string_view table, std::string_view except) {
    std::vector<Subnet> routes;
    for (const std::string_view line : split(table, '\n')) {
        const auto words = columns(line);
        if (words.size() < 8 || words[0] == "Iface" || words[0] == except) continue;
        const auto destination = hexadecimal(words[1]);
        const auto mask = hexadecimal(words[7]);
        if (!destination || !mask || *mask == 0) continue;
        routes.push_back({.address = ntohl(*destination), .prefix = std::popcount(*mask)});
    }
    return routes;
}

Result<Subnet> choose_subnet(const std::vector<Subnet>& taken) {
    for (std::uint32_t second = 18; second <= 31; ++second) {
        const Subnet candidate{.address = (172U << 24U) | (second << 16U), .prefix = 16};
        if (std::none_of(taken.begin(), taken.end(), [&](const Subnet& one) { return overlap(one, candidate); })) {
            return candidate;
        }
    }
    return Error{.kind = ErrorKind::Conflict,
                 .what =
                     "no network is left for containers: routes of this host overlap 172.18.0.0/16 to 172.31.0.0/16; "
                     "set ECS_CONTAINERD_SUBNET"};
}

}  // namespace nodeagent::runtime::containerd
