#include "agent/host.hpp"

#include <utility>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/start_checks.hpp"
#include "cgroups/hierarchy.hpp"

namespace nodeagent {

using namespace std::chrono_literals;

OrEnding<Host> examine_host(const config::Config& config) {
    auto facts = ecs::read_host_facts();
    if (!facts) return Ending{kExitRecoverable, facts.error().what};
    const auto resources = ecs::total_resources(*facts, config);
    if (!resources) return Ending{kExitRecoverable, resources.error().what};
    Host host{.facts = *std::move(facts), .gpus = std::nullopt};
    if (!config.gpu_support) return host;
    auto gpus = ecs::read_gpu_info();
    if (!gpus) return Ending{kExitRecoverable, gpus.error().what};
    host.gpus = *std::move(gpus);
    if (!host.gpus) {
        log::error("ECS_ENABLE_GPU_SUPPORT is on, but this host's GPUs are not known; going on without them",
                   {{"missing", ecs::kGpuInfoPath}});
    }
    return host;
}

core::HostTotals host_totals(const Host& host, const config::Config& config) {
    return {.cpu = std::int64_t{1024} * host.facts.online_cpus,
            .memory = host.facts.memory_mib - config.reserved_memory,
            .reserved_tcp = config.reserved_ports,
            .reserved_udp = config.reserved_ports_udp,
            .gpu_support = config.gpu_support,
            .gpus = host.gpus ? host.gpus->ids : std::vector<std::string>()};
}

asio::awaitable<std::optional<Ending>> check_cloud_init(const config::Config& config, credentials::Imds& imds) {
    if (config.external.enabled()) co_return std::nullopt;
    const auto result = read_file("/var/lib/cloud/data/result.json");
    if (!result) co_return std::nullopt;  // no cloud-init here, or not readable: not our judgement
    const auto user_data = co_await imds.user_data();
    if (!cloud_init_missed_user_data(*result, user_data ? *user_data : std::string())) co_return std::nullopt;
    co_return Ending{
        kExitTerminal,
        "cloud-init found no data source although this instance has user data; its configuration is missing; "
        "check the instance's data source (cloud-init status --long) and start the agent again"};
}

OrEnding<std::unique_ptr<cgroups::TaskCgroups>> set_up_task_cgroups(const config::Config& config,
                                                                    const runtime::Capabilities& capabilities) {
    std::unique_ptr<cgroups::TaskCgroups> none;
    if (!config.task_cpu_mem_limit.enabled()) return none;
    const auto driver = capabilities.systemd_cgroup_driver ? cgroups::Driver::Systemd : cgroups::Driver::Cgroupfs;
    auto ready = [&]() -> Result<std::unique_ptr<cgroups::TaskCgroups>> {
        auto hierarchy = cgroups::detect_hierarchy(config.cgroup_path, driver);
        if (!hierarchy) return std::move(hierarchy).error();
        auto made = cgroups::make_task_cgroups({.hierarchy = *std::move(hierarchy), .bus_address = {}});
        if (!made) return std::move(made).error();
        auto prepared = (*made)->prepare();
        if (!prepared) return std::move(prepared).error();
        return *std::move(made);
    }();
    if (ready) return *std::move(ready);
    if (config.task_cpu_mem_limit.explicitly_enabled()) {
        return Ending{
            kExitTerminal,
            with_context("set up task cgroups (ECS_ENABLE_TASK_CPU_MEM_LIMIT=true)", std::move(ready).error()).what};
    }
    log::warn("task-level CPU and memory limits are off", {{"reason", ready.error().what}});
    return none;
}

asio::awaitable<Location> find_location(credentials::Imds& imds) {
    Location location;
    const auto mac = co_await imds.mac();
    if (mac) {
        const auto vpc = co_await imds.vpc_id(*mac);
        if (vpc) location.vpc_id = *vpc;
    }
    const auto zone = co_await imds.availability_zone_id();
    if (zone) location.availability_zone_id = *zone;
    co_return location;
}

asio::awaitable<HostAddresses> find_addresses(credentials::Imds& imds, bool ipv6_only) {
    HostAddresses found;
    if (ipv6_only) {
        const auto address = co_await imds.ipv6();
        if (address) found.ipv6 = *address;
        co_return found;
    }
    const auto inner = co_await imds.local_ipv4();
    if (inner) found.private_ipv4 = *inner;
    const auto outer = co_await imds.public_ipv4();  // most instances have none
    if (outer) found.public_ipv4 = *outer;
    co_return found;
}

}  // namespace nodeagent
