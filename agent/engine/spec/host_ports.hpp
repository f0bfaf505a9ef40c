#pragma once
// Host ports are chosen here, never by the runtime, so that a retry of create asks for the same ones.
// task-engine.md 3.6.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "agent/core/task_state.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::engine {

/// Both ends included.
struct PortRange {
    std::uint16_t first = 49153;
    std::uint16_t last = 65535;
};

/// Where the search for free ports goes on. One per process: two tasks created at once then never try the same port.
struct PortCursor {
    std::uint32_t last = 0;  ///< last port handed out; 0 before the first
};

using PortProbe = std::function<bool(std::uint16_t port, std::string_view protocol)>;

/// True if `port` can be bound on all addresses now; binds a socket and closes it again.
[[nodiscard]] bool can_bind(std::uint16_t port, std::string_view protocol);

/// One assignment per container port of `container`, ports of a range each on their own, in payload order. `error` is a
/// HostConfigError: "error retrieving docker port map: a host port is unavailable".
[[nodiscard]] boost::system::result<std::vector<core::PortAssignment>, core::NamedError> assign_host_ports(
    const model::Container& container, PortRange range, PortCursor& cursor, const PortProbe& probe);

/// First and last port of "8000-8010"; nothing unless 1 <= first <= last <= 65535.
[[nodiscard]] std::optional<PortRange> parse_port_range(std::string_view text);

}  // namespace nodeagent::engine
