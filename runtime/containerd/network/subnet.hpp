#pragma once
// Which addresses the bridge gets: chosen once, kept in a file.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

struct Ipv4Range {
    std::uint32_t address = 0;  ///< host byte order
    int prefix = 0;             ///< 0 to 32
    friend bool operator==(const Ipv4Range&, const Ipv4Range&) = default;
};

[[nodiscard]] std::optional<Ipv4Range> parse_range(std::string_view text);  ///< "172.18.0.0/16", nothing if it is none
[[nodiscard]] std::string to_string(const Ipv4Range& range);
[[nodiscard]] bool overlap(const Ipv4Range& a, const Ipv4Range& b);
/// Destinations of /proc/net/route, without the default one and those through `except`.
[[nodiscard]] std::vector<Ipv4Range> routed(std::string_view route_table, std::string_view except);
/// The first of Docker's ranges (172.18.0.0/16 to 172.31.0.0/16, 192.168.0.0/20 to 192.168.240.0/20) that nothing
/// overlaps.
[[nodiscard]] std::optional<Ipv4Range> free_range(const std::vector<Ipv4Range>& used);

/// `wanted` if it is given, else what `file` has, else a free one, which is written there. Malformed for a `wanted`
/// that is no range, or too small; Unavailable when all are used.
[[nodiscard]] Result<std::string> choose_subnet(const std::string& wanted, const std::string& file,
                                                const std::string& bridge);

}  // namespace nodeagent::runtime::containerd
