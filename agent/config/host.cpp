#include "agent/config/host.hpp"

#include <charconv>
#include <sstream>
#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::config {

namespace {

constexpr unsigned kRouteUp = 0x0001;
constexpr unsigned kRouteReject = 0x0200;  // "unreachable default dev lo", which kernels without IPv6 routes carry

std::vector<std::string> words_of(std::string_view line) {
    std::istringstream in{std::string(line)};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

unsigned from_hex(std::string_view text) {
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return value;
}

bool usable(unsigned flags) { return (flags & kRouteUp) != 0 && (flags & kRouteReject) == 0; }

// Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask ...
bool ipv4_default(std::string_view table) {
    for (const std::string_view line : split(table, '\n')) {
        const std::vector<std::string> columns = words_of(line);
        if (columns.size() < 8) continue;
        if (columns[1] == "00000000" && columns[7] == "00000000" && usable(from_hex(columns[3]))) return true;
    }
    return false;
}

// Columns: destination prefix source prefix next-hop metric refcount use flags device
bool ipv6_default(std::string_view table) {
    const std::string any(32, '0');
    for (const std::string_view line : split(table, '\n')) {
        const std::vector<std::string> columns = words_of(line);
        if (columns.size() < 10) continue;
        if (columns[0] == any && columns[1] == "00" && columns[9] != "lo" && usable(from_hex(columns[8]))) return true;
    }
    return false;
}

}  // namespace

bool has_only_ipv6_routes(const ReadFile& read_file) {
    const Result<std::string> ipv4 = read_file("/proc/net/route");
    const Result<std::string> ipv6 = read_file("/proc/net/ipv6_route");
    if (!ipv4 || !ipv6) return false;
    return ipv6_default(*ipv6) && !ipv4_default(*ipv4);
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> kernel_port_range(const ReadFile& read_file) {
    const Result<std::string> text = read_file("/proc/sys/net/ipv4/ip_local_port_range");
    if (!text) return std::nullopt;
    const std::vector<std::string> words = words_of(*text);
    if (words.size() != 2) return std::nullopt;
    const std::optional<long long> first = parse_integer(words[0]);
    const std::optional<long long> last = parse_integer(words[1]);
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last) return std::nullopt;
    return std::pair{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

}  // namespace nodeagent::config
