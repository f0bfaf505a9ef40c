#include <algorithm>

#include "agent/core/rollup.hpp"

namespace nodeagent::core {

namespace {

struct HostRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

/// Host ports given to the payload's mapping number `index`.
std::optional<HostRange> assigned_range(const ContainerState& container, std::size_t index) {
    std::optional<HostRange> range;
    for (const PortAssignment& port : container.port_assignments) {
        if (port.mapping != index) continue;
        if (!range) range = HostRange{port.host_port, port.host_port};
        range->first = std::min(range->first, port.host_port);
        range->last = std::max(range->last, port.host_port);
    }
    return range;
}

bool left_out(const model::PortBinding& binding, const Settings& settings) {
    return settings.ipv6_only ? binding.bind_ip == "0.0.0.0"
                              : settings.exclude_ipv6_bindings && binding.bind_ip == "::";
}

}  // namespace

std::vector<model::NetworkBinding> network_bindings(const ContainerState& container, const Settings& settings) {
    const std::vector<model::PortMapping>& mappings = container.definition->port_mappings;
    std::vector<model::PortBinding> observed = container.port_bindings;
    std::stable_sort(observed.begin(), observed.end(), [](const auto& a, const auto& b) {
        return std::tie(a.container_port, a.host_port) < std::tie(b.container_port, b.host_port);
    });

    std::vector<model::NetworkBinding> bindings;
    std::vector<model::NetworkBinding> ranges;  // after the single ports, as the reference lists them
    for (const model::PortBinding& binding : observed) {
        if (left_out(binding, settings)) continue;
        const bool single = std::any_of(mappings.begin(), mappings.end(), [&](const model::PortMapping& m) {
            return m.container_port_range.empty() && m.container_port == binding.container_port;
        });
        if (single) {
            bindings.push_back({.bind_ip = binding.bind_ip,
                                .container_port = binding.container_port,
                                .host_port = binding.host_port,
                                .container_port_range = {},
                                .host_port_range = {},
                                .protocol = binding.protocol});
            continue;
        }
        for (std::size_t i = 0; i < mappings.size(); ++i) {
            if (mappings[i].container_port_range.empty()) continue;
            const std::optional<HostRange> range = assigned_range(container, i);
            if (!range || binding.host_port != range->first) continue;  // one entry per range, at its first host port
            ranges.push_back({.bind_ip = binding.bind_ip,
                              .container_port = std::nullopt,
                              .host_port = std::nullopt,
                              .container_port_range = mappings[i].container_port_range,
                              .host_port_range = std::to_string(range->first) + "-" + std::to_string(range->last),
                              .protocol = binding.protocol});
        }
    }
    bindings.insert(bindings.end(), ranges.begin(), ranges.end());
    return bindings;
}

}  // namespace nodeagent::core
