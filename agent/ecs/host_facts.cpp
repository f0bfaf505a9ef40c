#include "agent/ecs/host_facts.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::ecs {

namespace {

// One mask is enough for 1024 CPUs; larger machines need a larger one, which the kernel says with EINVAL.
int cpus_by_affinity() {
    for (int possible = 1024; possible <= 1 << 16; possible *= 2) {
        cpu_set_t* mask = CPU_ALLOC(possible);
        if (mask == nullptr) break;
        const std::size_t size = CPU_ALLOC_SIZE(possible);
        CPU_ZERO_S(size, mask);
        const bool known = sched_getaffinity(0, size, mask) == 0;
        const int count = known ? CPU_COUNT_S(size, mask) : 0;
        CPU_FREE(mask);
        if (known) return count;
    }
    return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

// "MemTotal:       16112345 kB"
std::int64_t kib_of(std::string_view meminfo, std::string_view key) {
    for (std::string_view line : split(meminfo, '\n')) {
        if (!line.starts_with(key)) continue;
        line.remove_prefix(key.size());
        const std::size_t unit = line.rfind("kB");
        return parse_integer(trimmed(line.substr(0, unit))).value_or(0);
    }
    return 0;
}

std::vector<std::string> decimal(const std::vector<std::uint16_t>& ports) {
    std::vector<std::string> words;
    for (const std::uint16_t port : ports) words.push_back(std::to_string(port));
    return words;
}

std::string service_architecture() {
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__i386__)
    return "i386";
#elif defined(__aarch64__)
    return "arm64";
#else
    return {};
#endif
}

}  // namespace

bool has_optimized_cpu_flags(std::string_view cpuinfo) {
    constexpr std::array<std::string_view, 4> kWanted{"avx", "avx2", "sse4_1", "sse4_2"};
    for (const std::string_view line : split(cpuinfo, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || trimmed(line.substr(0, colon)) != "flags") continue;
        const std::vector<std::string_view> flags = split(line.substr(colon + 1), ' ');
        return std::all_of(kWanted.begin(), kWanted.end(), [&flags](std::string_view wanted) {
            return std::find(flags.begin(), flags.end(), wanted) != flags.end();
        });
    }
    return false;
}

Result<HostFacts> read_host_facts(const std::string& proc) {
    auto meminfo = read_file(proc + "/meminfo");
    if (!meminfo) return with_context("find out how much memory the host has", std::move(meminfo).error());
    HostFacts facts;
    facts.memory_mib = kib_of(*meminfo, "MemTotal:") / 1024;
    if (facts.memory_mib <= 0) {
        return Error{.kind = ErrorKind::Malformed, .what = proc + "/meminfo has no MemTotal line: is /proc mounted?"};
    }
    facts.online_cpus = cpus_by_affinity();
    facts.cpu_architecture = service_architecture();
    if (const auto cpuinfo = read_file(proc + "/cpuinfo")) facts.optimized_cpu = has_optimized_cpu_flags(*cpuinfo);
    return facts;
}

Result<std::vector<model::Resource>> total_resources(const HostFacts& host, const config::Config& config) {
    const std::int64_t memory = host.memory_mib - config.reserved_memory;
    if (memory < 0) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "ECS_RESERVED_MEMORY is " + std::to_string(config.reserved_memory) +
                             " MiB, but the host has " + std::to_string(host.memory_mib) + " MiB: lower it"};
    }
    const auto number = [](std::string name, std::int64_t value) {
        return model::Resource{
            .integer_value = value, .name = std::move(name), .string_set_value = std::nullopt, .type = "INTEGER"};
    };
    const auto ports = [](std::string name, const std::vector<std::uint16_t>& reserved) {
        return model::Resource{
            .integer_value = 0, .name = std::move(name), .string_set_value = decimal(reserved), .type = "STRINGSET"};
    };
    return std::vector<model::Resource>{number("CPU", std::int64_t{host.online_cpus} * 1024), number("MEMORY", memory),
                                        ports("PORTS", config.reserved_ports),
                                        ports("PORTS_UDP", config.reserved_ports_udp)};
}

}  // namespace nodeagent::ecs
