#include "agent/telemetry/stats_document.hpp"

#include <algorithm>
#include <array>

#include "metadata/go_json.hpp"

namespace nodeagent::telemetry {

namespace {

using cgroups::Version;
using metadata::JsonWriter;
using Entries = std::vector<cgroups::IoStatistics::Entry>;
using Operation = cgroups::IoStatistics::Operation;

std::string_view operation_word(Operation operation, Version version) {
    const bool v2 = version == Version::V2;
    switch (operation) {
        case Operation::Read: return v2 ? "read" : "Read";
        case Operation::Write: return v2 ? "write" : "Write";
        case Operation::Sync: return "Sync";
        case Operation::Async: return "Async";
        case Operation::Discard: return "Discard";
        case Operation::Total: break;
    }
    return "Total";
}

void write_entries(JsonWriter& out, std::string_view key, const Entries& entries, Version version) {
    out.key(key);
    out.begin_array();
    for (const auto& entry : entries) {
        out.begin_object();
        out.member("major", entry.major);
        out.member("minor", entry.minor);
        out.member("op", operation_word(entry.operation, version));
        out.member("value", entry.value);
        out.end_object();
    }
    out.end_array();
}

// Docker fills eight lists on v1, of which those of the long gone CFQ scheduler stay empty, and one on v2.
void write_block_io(JsonWriter& out, const cgroups::IoStatistics& io, Version version) {
    static constexpr std::array<std::string_view, 6> kOthers{"io_queue_recursive",     "io_service_time_recursive",
                                                             "io_wait_time_recursive", "io_merged_recursive",
                                                             "io_time_recursive",      "sectors_recursive"};
    out.begin_object();
    if (version == Version::V1) {
        write_entries(out, "io_service_bytes_recursive", io.bytes, version);
        write_entries(out, "io_serviced_recursive", io.requests, version);
        for (const std::string_view name : kOthers) write_entries(out, name, {}, version);
    } else {
        if (io.bytes.empty()) {
            out.key("io_service_bytes_recursive");
            out.null();
        } else {
            write_entries(out, "io_service_bytes_recursive", io.bytes, version);
        }
        out.key("io_serviced_recursive");
        out.null();
        for (const std::string_view name : kOthers) {
            out.key(name);
            out.null();
        }
    }
    out.end_object();
}

void write_cpu(JsonWriter& out, const cgroups::CpuStatistics& cpu, std::uint64_t system_cpu, unsigned online_cpus) {
    out.begin_object();
    out.key("cpu_usage");
    out.begin_object();
    out.member("total_usage", cpu.usage_ns);
    if (!cpu.per_cpu_ns.empty()) {
        out.key("percpu_usage");
        out.begin_array();
        for (const std::uint64_t one : cpu.per_cpu_ns) out.value(one);
        out.end_array();
    }
    out.member("usage_in_kernelmode", cpu.kernel_ns);
    out.member("usage_in_usermode", cpu.user_ns);
    out.end_object();
    out.member_unless_empty("system_cpu_usage", system_cpu);
    out.member_unless_empty("online_cpus", online_cpus);
    out.key("throttling_data");
    out.begin_object();
    out.member("periods", cpu.periods);
    out.member("throttled_periods", cpu.throttled_periods);
    out.member("throttled_time", cpu.throttled_ns);
    out.end_object();
    out.end_object();
}

void write_memory(JsonWriter& out, const cgroups::MemoryStatistics& memory, const StatsSubject& subject) {
    const bool v2 = subject.version == Version::V2;
    out.begin_object();
    out.member_unless_empty("usage", memory.usage);
    if (!v2) out.member_unless_empty("max_usage", memory.max_usage);
    out.key("stats");
    out.begin_object();
    const auto names = cgroups::memory_counters(subject.version);
    for (std::size_t i = 0; i < names.size(); ++i) out.member(names[i], memory.counters[i]);
    out.end_object();
    out.member_unless_empty("failcnt", v2 ? memory.oom_events : memory.fail_count);
    const std::uint64_t limit =
        subject.machine_memory == 0 ? memory.limit : std::min(memory.limit, subject.machine_memory);
    out.member_unless_empty("limit", limit);
    out.end_object();
}

void write_interfaces(JsonWriter& out, const std::vector<NetworkInterface>& interfaces) {
    std::vector<const NetworkInterface*> sorted;
    for (const NetworkInterface& one : interfaces) sorted.push_back(&one);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    out.begin_object();
    for (const NetworkInterface* const one : sorted) {
        const NetworkCounters& counters = one->counters;
        out.key(one->name);
        out.begin_object();
        out.member("rx_bytes", counters.rx_bytes);
        out.member("rx_packets", counters.rx_packets);
        out.member("rx_errors", counters.rx_errors);
        out.member("rx_dropped", counters.rx_dropped);
        out.member("tx_bytes", counters.tx_bytes);
        out.member("tx_packets", counters.tx_packets);
        out.member("tx_errors", counters.tx_errors);
        out.member("tx_dropped", counters.tx_dropped);
        out.end_object();
    }
    out.end_object();
}

void write_pids(JsonWriter& out, const cgroups::PidsStatistics& pids, Version version) {
    const bool unlimited = pids.limit == UINT64_MAX;
    out.begin_object();
    out.member_unless_empty("current", pids.current);
    // Docker shows no limit on v1, and v2's "max" as the largest number
    if (!unlimited || version == Version::V2) out.member_unless_empty("limit", pids.limit);
    out.end_object();
}

}  // namespace

std::string stats_document(const StatsSubject& subject, const Usage& now, const Usage* before) {
    JsonWriter out;
    out.begin_object();
    out.member("read", now.read);
    if (before != nullptr) {
        out.member("preread", before->read);
    } else {
        out.member("preread", "0001-01-01T00:00:00Z");
    }
    out.key("pids_stats");
    write_pids(out, now.cgroup.pids, subject.version);
    out.key("blkio_stats");
    write_block_io(out, now.cgroup.io, subject.version);
    out.member("num_procs", 0);
    out.key("storage_stats");
    out.begin_object();
    out.end_object();
    out.key("cpu_stats");
    write_cpu(out, now.cgroup.cpu, now.system_cpu_ns, subject.online_cpus);
    out.key("precpu_stats");
    if (before != nullptr) {
        write_cpu(out, before->cgroup.cpu, before->system_cpu_ns, subject.online_cpus);
    } else {
        write_cpu(out, {}, 0, 0);
    }
    out.key("memory_stats");
    write_memory(out, now.cgroup.memory, subject);
    out.member("name", "/" + std::string(subject.name));
    out.member("id", subject.id);
    if (!now.interfaces.empty()) {
        out.key("networks");
        write_interfaces(out, now.interfaces);
    }
    out.end_object();
    return std::move(out).text();
}

}  // namespace nodeagent::telemetry
