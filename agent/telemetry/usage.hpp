#pragma once
// One reading of what a container uses.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "cgroups/statistics.hpp"

namespace nodeagent::telemetry {

/// Since the interface was made.
struct NetworkCounters {
    std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
    std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
    NetworkCounters& operator+=(const NetworkCounters& other);
    friend bool operator==(const NetworkCounters&, const NetworkCounters&) = default;
};

struct NetworkInterface {
    std::string name;
    NetworkCounters counters;
    friend bool operator==(const NetworkInterface&, const NetworkInterface&) = default;
};

struct Usage {
    WallTime read{};
    SteadyTime read_steady{};  ///< the same moment, for rates: the wall clock is set now and then
    cgroups::Statistics cgroup;
    std::uint64_t system_cpu_ns = 0;           ///< of the whole machine since it started
    std::vector<NetworkInterface> interfaces;  ///< empty where the container has no network of its own

    [[nodiscard]] NetworkCounters network() const;  ///< the sum
};

/// /proc/<pid>/net/dev. Replaces `into` by the interfaces a runtime attaches to a container, eth0, eth1 ..., as Docker
/// lists them: bridges and veths that a container makes inside would count the same bytes again. Entries that were
/// there before keep their memory.
void parse_net_dev(std::string_view text, std::vector<NetworkInterface>& into);
/// /proc/stat: the time of all CPUs in its first seven states, in ns. 0 when the line is not there.
[[nodiscard]] std::uint64_t parse_system_cpu(std::string_view text, std::uint64_t ticks_per_second);

}  // namespace nodeagent::telemetry
