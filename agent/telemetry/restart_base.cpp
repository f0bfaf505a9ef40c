#include "agent/telemetry/restart_base.hpp"

#include <algorithm>

namespace nodeagent::telemetry {

namespace {

using IoEntries = std::vector<cgroups::IoStatistics::Entry>;

// Entries of the base come first, as in the reference.
void merge(const IoEntries& base, IoEntries& into) {
    if (base.empty()) return;
    IoEntries merged = base;
    for (const auto& entry : into) {
        const auto same = std::find_if(merged.begin(), merged.end(), [&](const auto& one) {
            return one.major == entry.major && one.minor == entry.minor && one.operation == entry.operation;
        });
        if (same == merged.end()) {
            merged.push_back(entry);
        } else {
            same->value += entry.value;
        }
    }
    into = std::move(merged);
}

}  // namespace

void add_base(const Usage& base, Usage& into) {
    const cgroups::CpuStatistics& cpu_before = base.cgroup.cpu;
    cgroups::CpuStatistics& cpu = into.cgroup.cpu;
    cpu.usage_ns += cpu_before.usage_ns;
    cpu.user_ns += cpu_before.user_ns;
    cpu.kernel_ns += cpu_before.kernel_ns;
    cpu.periods += cpu_before.periods;
    cpu.throttled_periods += cpu_before.throttled_periods;
    cpu.throttled_ns += cpu_before.throttled_ns;
    cpu.per_cpu_ns.resize(std::max(cpu.per_cpu_ns.size(), cpu_before.per_cpu_ns.size()));
    for (std::size_t i = 0; i < cpu_before.per_cpu_ns.size(); ++i) cpu.per_cpu_ns[i] += cpu_before.per_cpu_ns[i];

    cgroups::MemoryStatistics& memory = into.cgroup.memory;
    memory.max_usage = std::max(memory.max_usage, base.cgroup.memory.max_usage);
    memory.fail_count += base.cgroup.memory.fail_count;
    memory.oom_events += base.cgroup.memory.oom_events;
    memory.oom_kills += base.cgroup.memory.oom_kills;

    merge(base.cgroup.io.bytes, into.cgroup.io.bytes);
    merge(base.cgroup.io.requests, into.cgroup.io.requests);
    for (NetworkInterface& interface : into.interfaces) {
        for (const NetworkInterface& before : base.interfaces) {
            if (before.name == interface.name) interface.counters += before.counters;
        }
    }
}

}  // namespace nodeagent::telemetry
