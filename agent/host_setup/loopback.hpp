#pragma once
// The loopback interface, whatever its name, and the route to the credentials' address over it that a host without
// IPv4 needs: without one, packets to 169.254.170.2 never reach the packet filter (host.md 1.4).

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::host_setup {

/// By its flag; "lo" when there is none.
[[nodiscard]] std::string loopback_name();

struct Ipv4Routes {
    bool has_default = false;
    bool to_credentials = false;  ///< 169.254.170.2/32 over `loopback`
};
/// Of /proc/net/route, the main table. Pure.
[[nodiscard]] Ipv4Routes read_routes(std::string_view table, std::string_view loopback);
/// The caller's network namespace's. A table that cannot be read counts as one with a default route.
[[nodiscard]] Ipv4Routes ipv4_routes(std::string_view loopback);

/// One that is there, or is not, is fine.
Result<void> add_credentials_route(const std::string& loopback);
Result<void> remove_credentials_route(const std::string& loopback);

}  // namespace nodeagent::host_setup
