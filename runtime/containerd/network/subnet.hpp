#pragma once
// IPv4 networks: which one the bridge gets.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

struct Subnet {
    std::uint32_t address = 0;  ///< host byte order, bits below the prefix zero
    int prefix = 0;             ///< 0 to 32
    bool operator==(const Subnet&) const = default;
};

/// "172.18.0.0/16"; nothing when a bit below the prefix is set, or it is no network of IPv4.
[[nodiscard]] std::optional<Subnet> parse_subnet(std::string_view text);
[[nodiscard]] std::string to_string(const Subnet& subnet);
[[nodiscard]] bool overlap(const Subnet& a, const Subnet& b);
/// "172.18.0.1" of 172.18.0.0/16: what host-local calls the gateway.
[[nodiscard]] std::string first_address(const Subnet& subnet);

/// Networks in /proc/net/route but default routes and those over `except`.
[[nodiscard]] std::vector<Subnet> parse_routes(std::string_view table, std::string_view except);

/// The first of 172.18.0.0/16 to 172.31.0.0/16 that overlaps none of `taken`. Conflict when all do.
Result<Subnet> choose_subnet(const std::vector<Subnet>& taken);

}  // namespace nodeagent::runtime::containerd
