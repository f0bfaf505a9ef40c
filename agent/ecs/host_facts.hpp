#pragma once
// What registration says about the machine.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/config/config.hpp"
#include "agent/model/ecs_api.hpp"

namespace nodeagent::ecs {

struct HostFacts {
    int online_cpus = 0;           ///< visible to this process by its affinity mask
    std::int64_t memory_mib = 0;   ///< MemTotal, rounded down
    bool optimized_cpu = false;    ///< avx, avx2, sse4_1 and sse4_2
    std::string cpu_architecture;  ///< "x86_64", "i386", "arm64": the service's words; "" for any other
};

/// Reads the affinity mask and `proc`/meminfo, `proc`/cpuinfo.
[[nodiscard]] Result<HostFacts> read_host_facts(const std::string& proc = "/proc");

/// Whether the first "flags" line of a cpuinfo text has all four.
[[nodiscard]] bool has_optimized_cpu_flags(std::string_view cpuinfo);

/// CPU, MEMORY, PORTS, PORTS_UDP, in this order. Malformed when more memory is reserved than there is.
[[nodiscard]] Result<std::vector<model::Resource>> total_resources(const HostFacts& host, const config::Config& config);

}  // namespace nodeagent::ecs
