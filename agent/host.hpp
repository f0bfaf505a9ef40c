#pragma once
// This machine as the agent finds it at the start: whether its configuration is whole, CPUs, memory and GPUs, its
// container runtime, cgroups for tasks, and where in AWS it is.

#include <memory>
#include <optional>
#include <string>

#include "agent/base/clock.hpp"
#include "agent/config/config.hpp"
#include "agent/core/host_resources.hpp"
#include "agent/credentials/imds.hpp"
#include "agent/ecs/gpu_info.hpp"
#include "agent/ecs/host_facts.hpp"
#include "agent/ending.hpp"
#include "cgroups/task_cgroups.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

struct Host {
    ecs::HostFacts facts;
    std::optional<ecs::GpuInfo> gpus;  ///< ECS_ENABLE_GPU_SUPPORT is on and they are known
};

/// Exit 1 when the machine cannot say what it has, or more memory is reserved than there is.
[[nodiscard]] OrEnding<Host> examine_host(const config::Config& config);
/// What tasks may have of it.
[[nodiscard]] core::HostTotals host_totals(const Host& host, const config::Config& config);

/// The end (5) if cloud-init was to write the configuration and did not: running would join the wrong cluster.
asio::awaitable<std::optional<Ending>> check_cloud_init(const config::Config& config, credentials::Imds& imds);

/// Nothing when task limits are off, or impossible and not asked for by name; exit 5 when they are.
[[nodiscard]] OrEnding<std::unique_ptr<cgroups::TaskCgroups>> set_up_task_cgroups(
    const config::Config& config, const runtime::Capabilities& capabilities);

/// For metadata documents only; what cannot be told is "".
struct Location {
    std::string vpc_id;
    std::string availability_zone_id;
};
asio::awaitable<Location> find_location(credentials::Imds& imds);

/// Of the instance, for metadata files; "" where there is none or it cannot be told.
struct HostAddresses {
    std::string private_ipv4;
    std::string public_ipv4;
    std::string ipv6;
};
/// IPv4, or on instances that have only that, IPv6.
asio::awaitable<HostAddresses> find_addresses(credentials::Imds& imds, bool ipv6_only);

}  // namespace nodeagent
