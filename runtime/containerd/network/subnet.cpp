#include "runtime/containerd/network/subnet.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

std::uint32_t mask_of(int prefix) { return prefix == 0 ? 0U : ~std::uint32_t{0} << (32 - prefix); }

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// The kernel prints addresses as numbers of its own byte order.
std::uint32_t from_kernel(std::uint32_t value) {
    if constexpr (std::endian::native == std::endian::big) return value;
    return (value >> 24U) | ((value >> 8U) & 0xff00U) | ((value << 8U) & 0xff0000U) | (value << 24U);
}

}  // namespace

std::optional<Ipv4Range> parse_range(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto prefix = parse_integer(text.substr(slash + 1));
    if (!prefix || *prefix < 0 || *prefix > 32) return std::nullopt;
    const auto parts = split(text.substr(0, slash), '.');
    if (parts.size() != 4) return std::nullopt;
    std::uint32_t address = 0;
    for (const std::string_view part : parts) {
        const auto number = parse_integer(part);
        if (!number || *number < 0 || *number > 255) return std::nullopt;
        address = address << 8U | static_cast<std::uint32_t>(*number);
    }
    return Ipv4Range{.address = address & mask_of(static_cast<int>(*prefix)), .prefix = static_cast<int>(*prefix)};
}

std::string to_string(const Ipv4Range& range) {
    const std::uint32_t a = range.address;
    return std::to_string(a >> 24U) + "." + std::to_string(a >> 16U & 255U) + "." + std::to_string(a >> 8U & 255U) +
           "." + std::to_string(a & 255U) + "/" + std::to_string(range.prefix);
}

bool overlap(const Ipv4Range& a, const Ipv4Range& b) {
    const std::uint32_t mask = mask_of(std::min(a.prefix, b.prefix));
    return (a.address & mask) == (b.address & mask);
}

std::vector<Ipv4Range> routed(std::string_view route_table, std::string_view except) {
    std::vector<Ipv4Range> ranges;
    for (const std::string_view line : split(route_table, '\n')) {
        // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
        std::vector<std::string_view> fields;
        for (const std::string_view field : split(line, '\t')) fields.push_back(trimmed(field));
        if (fields.size() < 8 || fields[0] == except) continue;
        const auto destination = hexadecimal(fields[1]);
        const auto mask = hexadecimal(fields[7]);
        if (!destination || !mask || *mask == 0) continue;
        ranges.push_back({.address = from_kernel(*destination), .prefix = std::popcount(*mask)});
    }
    return ranges;
}

std::optional<Ipv4Range> free_range(const std::vector<Ipv4Range>& used) {
    const auto is_free = [&used](const Ipv4Range& range) {
        return std::none_of(used.begin(), used.end(),
                            [&range](const Ipv4Range& other) { return overlap(range, other); });
    };
    for (std::uint32_t second = 18; second <= 31; ++second) {
        const Ipv4Range range{.address = 172U << 24U | second << 16U, .prefix = 16};
        if (is_free(range)) return range;
    }
    for (std::uint32_t third = 0; third <= 240; third += 16) {
        const Ipv4Range range{.address = 192U << 24U | 168U << 16U | third << 8U, .prefix = 20};
        if (is_free(range)) return range;
    }
    return std::nullopt;
}

Result<std::string> choose_subnet(const std::string& wanted, const std::string& file, const std::string& bridge) {
    constexpr int kSmallest = 29;
    if (!wanted.empty()) {
        const auto range = parse_range(wanted);
        if (!range || range->prefix > kSmallest) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "ECS_CONTAINERD_SUBNET: " + wanted +
                                 " is no IPv4 network of at least 8 addresses; "
                                 "172.18.0.0/16 is one"};
        }
        return to_string(*range);
    }
    if (const auto kept = read_file(file)) {
        if (const auto range = parse_range(trimmed(*kept))) return to_string(*range);
    }
    const auto table = read_file("/proc/net/route");
    const auto range = free_range(table ? routed(*table, bridge) : std::vector<Ipv4Range>());
    if (!range) {
        return Error{.kind = ErrorKind::Unavailable,
                     .what =
                         "this host's routes use every private network there is for containers; name one with "
                         "ECS_CONTAINERD_SUBNET"};
    }
    if (auto written = replace_file(file, to_string(*range) + "\n", 0644); !written) return written.error();
    return to_string(*range);
}

}  // namespace nodeagent::runtime::containerd
