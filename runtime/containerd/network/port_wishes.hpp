#pragma once
// Which host ports a container wants, from its Docker documents. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd {

/// A container port and the host ports it may get. first == last: that one; both 0: any of the dynamic range.
struct PortWish {
    std::uint16_t container_port = 0;
    std::string protocol;             ///< "tcp", "udp", "sctp"
    std::string host_ip = "0.0.0.0";  ///< IPv4
    std::uint16_t first = 0, last = 0;
    bool operator==(const PortWish&) const = default;
};

/// HostConfig.PortBindings, and with PublishAllPorts every Config.ExposedPorts that has none; sorted by port, fixed
/// host ports before chosen ones. Malformed names what is no port; so does a host address of IPv6, which is not
/// published.
Result<std::vector<PortWish>> port_wishes(const Json& config, const Json& host_config);

}  // namespace nodeagent::runtime::containerd
