#include "agent/telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/version.hpp"

namespace nodeagent::telemetry {

namespace {

using cgroups::Version;
using enum prometheus::MetricType;
using Operation = cgroups::IoStatistics::Operation;

constexpr double kMicrosecond = 1e-6;
constexpr double kNanosecond = 1e-9;

double of_ns(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * kNanosecond; }
double of_us(std::uint64_t microseconds) { return static_cast<double>(microseconds) * kMicrosecond; }
double number(std::uint64_t value) { return static_cast<double>(value); }
double since_1970(WallTime when) { return std::chrono::duration<double>(when.time_since_epoch()).count(); }

/// A counter of memory.stat with what the cgroup's descendants have, which v1 calls by another name than v2.
std::uint64_t memory_counter(const ContainerUse& use, std::string_view v1, std::string_view v2) {
    return use.usage.cgroup.memory.counter(use.version, use.version == Version::V1 ? v1 : v2);
}

/// As cAdvisor and the kubelet count it, on v1 too, where the reference's own rule leaves out the whole page cache.
std::uint64_t working_set(const ContainerUse& use) {
    const std::uint64_t reclaimable = memory_counter(use, "total_inactive_file", "inactive_file");
    const std::uint64_t usage = use.usage.cgroup.memory.usage;
    return usage > reclaimable ? usage - reclaimable : 0;
}

/// One series per interface.
template <auto Counter>
void per_interface(const ContainerUse& use, Series& out) {
    for (const NetworkInterface& one : use.usage.interfaces)
        out.add(number(one.counters.*Counter), {{"interface", one.name}});
}

/// Nothing where the kernel or the cgroup version has no pressure of its own per cgroup.
template <auto Resource, auto Share>
void pressure(const ContainerUse& use, Series& out) {
    if (const auto& known = use.usage.cgroup.*Resource) out.add(of_us(((*known).*Share).total_us));
}

using S = cgroups::Statistics;
using P = cgroups::Pressure;
using N = NetworkCounters;

// one row per family
// clang-format off
constexpr auto kContainerUse = std::to_array<Row<ContainerUse>>({
    {"container_cpu_usage_seconds_total", Counter, "CPU time used.", [](const ContainerUse& c, Series& out) { out.add(of_ns(c.usage.cgroup.cpu.usage_ns), {{"cpu", "total"}}); }},
    {"container_cpu_user_seconds_total", Counter, "CPU time used outside the kernel.", [](const ContainerUse& c, Series& out) { out.add(of_ns(c.usage.cgroup.cpu.user_ns)); }},
    {"container_cpu_system_seconds_total", Counter, "CPU time used inside the kernel.", [](const ContainerUse& c, Series& out) { out.add(of_ns(c.usage.cgroup.cpu.kernel_ns)); }},
    {"container_cpu_cfs_periods_total", Counter, "Enforcement periods of a CPU limit of the container's own.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.cpu.periods)); }},
    {"container_cpu_cfs_throttled_periods_total", Counter, "Of those, the ones in which it was throttled.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.cpu.throttled_periods)); }},
    {"container_cpu_cfs_throttled_seconds_total", Counter, "Time for which it was throttled.", [](const ContainerUse& c, Series& out) { out.add(of_ns(c.usage.cgroup.cpu.throttled_ns)); }},

    {"container_memory_usage_bytes", Gauge, "Memory in use, page cache included.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.memory.usage)); }},
    {"container_memory_working_set_bytes", Gauge, "Memory in use without page cache that was not used lately.", [](const ContainerUse& c, Series& out) { out.add(number(working_set(c))); }},
    {"container_memory_rss", Gauge, "Anonymous memory, in bytes.", [](const ContainerUse& c, Series& out) { out.add(number(memory_counter(c, "total_rss", "anon"))); }},
    {"container_memory_cache", Gauge, "Page cache, in bytes.", [](const ContainerUse& c, Series& out) { out.add(number(memory_counter(c, "total_cache", "file"))); }},
    {"container_memory_mapped_file", Gauge, "Page cache that is mapped, in bytes.", [](const ContainerUse& c, Series& out) { out.add(number(memory_counter(c, "total_mapped_file", "file_mapped"))); }},
    {"container_memory_max_usage_bytes", Gauge, "Highest memory in use so far; absent where the kernel does not tell.", [](const ContainerUse& c, Series& out) { if (c.usage.cgroup.memory.max_usage > 0) out.add(number(c.usage.cgroup.memory.max_usage)); }},
    {"container_memory_failcnt", Untyped, "Times the memory limit was hit.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.memory.fail_count)); }},
    {"container_oom_events_total", Counter, "Processes that the kernel killed for memory.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.memory.oom_kills)); }},
    {"container_spec_memory_limit_bytes", Gauge, "Memory limit of the container; 0: none.", [](const ContainerUse& c, Series& out) { out.add(c.usage.cgroup.memory.limit == cgroups::MemoryStatistics::kNoLimit ? 0.0 : number(c.usage.cgroup.memory.limit)); }},
    {"container_spec_cpu_shares", Gauge, "CPU shares that the task definition gives the container; absent: it gives none.", [](const ContainerUse& c, Series& out) { if (c.container.cpu > 0) out.add(static_cast<double>(c.container.cpu)); }},

    {"container_fs_reads_bytes_total", Counter, "Bytes read from block devices.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.io.bytes_of(Operation::Read))); }},
    {"container_fs_writes_bytes_total", Counter, "Bytes written to block devices.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.io.bytes_of(Operation::Write))); }},
    {"container_fs_reads_total", Counter, "Reads from block devices.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.io.requests_of(Operation::Read))); }},
    {"container_fs_writes_total", Counter, "Writes to block devices.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.io.requests_of(Operation::Write))); }},

    {"container_network_receive_bytes_total", Counter, "Bytes received.", per_interface<&N::rx_bytes>},
    {"container_network_receive_packets_total", Counter, "Packets received.", per_interface<&N::rx_packets>},
    {"container_network_receive_errors_total", Counter, "Errors while receiving.", per_interface<&N::rx_errors>},
    {"container_network_receive_packets_dropped_total", Counter, "Packets dropped while receiving.", per_interface<&N::rx_dropped>},
    {"container_network_transmit_bytes_total", Counter, "Bytes sent.", per_interface<&N::tx_bytes>},
    {"container_network_transmit_packets_total", Counter, "Packets sent.", per_interface<&N::tx_packets>},
    {"container_network_transmit_errors_total", Counter, "Errors while sending.", per_interface<&N::tx_errors>},
    {"container_network_transmit_packets_dropped_total", Counter, "Packets dropped while sending.", per_interface<&N::tx_dropped>},

    {"container_processes", Gauge, "Processes as the pids controller counts them, their threads included.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.pids.current)); }},
    {"container_threads", Gauge, "The same, under the name that cAdvisor has for what is counted.", [](const ContainerUse& c, Series& out) { out.add(number(c.usage.cgroup.pids.current)); }},
    {"container_threads_max", Gauge, "Limit of the same; 0: none.", [](const ContainerUse& c, Series& out) { out.add(c.usage.cgroup.pids.limit == UINT64_MAX ? 0.0 : number(c.usage.cgroup.pids.limit)); }},
    {"container_start_time_seconds", Gauge, "When the container was started, in seconds since 1970.", [](const ContainerUse& c, Series& out) { if (c.container.started_at) out.add(since_1970(*c.container.started_at)); }},
    {"container_last_seen", Gauge, "When these figures were read, in seconds since 1970.", [](const ContainerUse& c, Series& out) { out.add(since_1970(c.usage.read)); }},

    {"container_pressure_cpu_waiting_seconds_total", Counter, "Time in which some of its tasks waited for CPU.", pressure<&S::cpu_pressure, &P::some>},
    {"container_pressure_cpu_stalled_seconds_total", Counter, "Time in which none could go on for want of CPU.", pressure<&S::cpu_pressure, &P::full>},
    {"container_pressure_memory_waiting_seconds_total", Counter, "Time in which some waited for memory.", pressure<&S::memory_pressure, &P::some>},
    {"container_pressure_memory_stalled_seconds_total", Counter, "Time in which none could go on for want of memory.", pressure<&S::memory_pressure, &P::full>},
    {"container_pressure_io_waiting_seconds_total", Counter, "Time in which some waited for block I/O.", pressure<&S::io_pressure, &P::some>},
    {"container_pressure_io_stalled_seconds_total", Counter, "Time in which none could go on for want of block I/O.", pressure<&S::io_pressure, &P::full>},
});

constexpr auto kContainers = std::to_array<Row<ContainerOfTask>>({
    {"ecs_container_known_status", Gauge, "1 for the status in which the container is.", [](const ContainerOfTask& c, Series& out) { out.add(1, {{"status", model::to_string(c.container.known)}}); }},
    {"ecs_container_restarts_total", Counter, "Restarts by the container's restart policy; absent without one.", [](const ContainerOfTask& c, Series& out) { if (c.container.restart_count) out.add(static_cast<double>(*c.container.restart_count)); }},
    {"ecs_container_health_status", Gauge, "1 for what the container's health check says; absent without one.", [](const ContainerOfTask& c, Series& out) { if (c.container.health_checked) out.add(1, {{"status", model::to_string(c.container.health.status)}}); }},
    {"ecs_container_exit_code", Gauge, "Exit code of a container that has ended, until its task is cleaned up.", [](const ContainerOfTask& c, Series& out) { if (c.container.exit_code) out.add(*c.container.exit_code); }},
});

constexpr auto kTasks = std::to_array<Row<TaskSubject>>({
    {"ecs_task_info", Gauge, "1 for every task that is not cleaned up yet.", [](const TaskSubject& t, Series& out) { out.add(1, {{"launch_type", t.task.launch_type}, {"network_mode", t.task.network_mode}, {"service", t.task.service_name}}); }},
    {"ecs_task_known_status", Gauge, "1 for the status in which the task is.", [](const TaskSubject& t, Series& out) { out.add(1, {{"status", model::to_string(t.task.known)}}); }},
    {"ecs_task_desired_status", Gauge, "1 for the status that ECS wants.", [](const TaskSubject& t, Series& out) { out.add(1, {{"status", model::to_string(t.task.desired)}}); }},
    {"ecs_task_waiting", Gauge, "1 while the task waits for something, which `ecs-node why` names.", [](const TaskSubject& t, Series& out) { out.add(t.task.waiting_for.empty() ? 0 : 1); }},
    {"ecs_task_cpu_limit_cores", Gauge, "vCPU that the task may use; absent without a limit.", [](const TaskSubject& t, Series& out) { if (t.task.cpu > 0) out.add(t.task.cpu); }},
    {"ecs_task_memory_limit_bytes", Gauge, "Memory that the task may use; absent without a limit.", [](const TaskSubject& t, Series& out) { if (t.task.memory > 0) out.add(static_cast<double>(t.task.memory) * (1 << 20)); }},
});

constexpr auto kAgent = std::to_array<Row<AgentState>>({
    {"ecs_agent_build_info", Gauge, "1; what runs here: our release, the ECS agent's release that it speaks as, the container runtime.", [](const AgentState& a, Series& out) { out.add(1, {{"version", NODEAGENT_VERSION}, {"agent_version", kAgentVersion}, {"agent_hash", kAgentHash}, {"runtime", a.figures.engine.runtime}, {"runtime_version", a.figures.engine.runtime_version}}); }},
    {"ecs_agent_instance_info", Gauge, "1; as what the machine is registered.", [](const AgentState& a, Series& out) { out.add(1, {{"cluster", a.figures.cluster}, {"container_instance_arn", a.figures.container_instance_arn}}); }},
    {"ecs_agent_process_resident_memory_bytes", Gauge, "Resident set of the agent.", [](const AgentState& a, Series& out) { out.add(number(a.process.resident_bytes)); }},
    {"ecs_agent_process_open_fds", Gauge, "Open descriptors of the agent.", [](const AgentState& a, Series& out) { out.add(number(a.process.descriptors)); }},
    {"ecs_agent_process_cpu_seconds_total", Counter, "CPU time that the agent has used.", [](const AgentState& a, Series& out) { out.add(a.process.cpu_seconds); }},
    {"ecs_agent_session_connected", Gauge, "1 while the session with ECS stands: acs brings tasks, tcs takes statistics.", [](const AgentState& a, Series& out) { out.add(a.figures.acs.connected ? 1 : 0, {{"session", "acs"}}); out.add(a.figures.tcs.connected ? 1 : 0, {{"session", "tcs"}}); }},
    {"ecs_agent_session_attempts_total", Counter, "Attempts to connect the session.", [](const AgentState& a, Series& out) { out.add(number(a.figures.acs.attempts), {{"session", "acs"}}); out.add(number(a.figures.tcs.attempts), {{"session", "tcs"}}); }},
    {"ecs_agent_session_reconnects_total", Counter, "Connections after the first; ECS itself ends one every half hour or so.", [](const AgentState& a, Series& out) { out.add(number(std::max<std::uint64_t>(a.figures.acs.connects, 1) - 1), {{"session", "acs"}}); out.add(number(std::max<std::uint64_t>(a.figures.tcs.connects, 1) - 1), {{"session", "tcs"}}); }},
    {"ecs_agent_tasks", Gauge, "Tasks on this machine by the status that ECS is told.", [](const AgentState& a, Series& out) {
        for (const char* word : {"PENDING", "RUNNING", "STOPPED"})
            out.add(number(static_cast<std::uint64_t>(std::count_if(a.snapshot.tasks.begin(), a.snapshot.tasks.end(), [&](const auto& task) { return model::to_service_word(task.second->known) == word; }))), {{"status", word}});
    }},
    {"ecs_agent_queue_length", Gauge, "What waits: tasks for host_resources (CPU, memory, ports, GPUs), image_pulls behind the limit of parallel ones, state_changes for ECS's acknowledgement.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.tasks_waiting), {{"queue", "host_resources"}}); out.add(number(a.figures.engine.pulls.queued), {{"queue", "image_pulls"}}); out.add(number(a.figures.submissions.queued), {{"queue", "state_changes"}}); }},
    {"ecs_agent_retries_total", Counter, "Work that was tried again, by the kind of error that made it so.", [](const AgentState&, Series& out) {
        for (const Retried what : kRetried) {
            for (const ErrorKind why : kErrorKinds) out.add(number(retries(what, why)), {{"operation", to_string(what)}, {"kind", to_string(why)}});
        }
    }},
    {"ecs_agent_state_changes_total", Counter, "State changes submitted to ECS: acknowledged, refused for good, or failed and tried again later.", [](const AgentState& a, Series& out) { out.add(number(a.figures.submissions.acknowledged), {{"outcome", "acknowledged"}}); out.add(number(a.figures.submissions.refused), {{"outcome", "refused"}}); out.add(number(a.figures.submissions.failed), {{"outcome", "failed"}}); }},
    {"ecs_agent_image_pulls_running", Gauge, "Image pulls at work.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.pulls.running)); }},
    {"ecs_agent_image_pulls_total", Counter, "Image pulls that have ended, with all their attempts.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.pulls.ended)); }},
    {"ecs_agent_image_pull_failures_total", Counter, "Image pulls that failed in the end.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.pulls.failed)); }},
    {"ecs_agent_image_pull_bytes_total", Counter, "Bytes of image layers downloaded, as far as the runtime told.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.pulls.bytes)); }},
    {"ecs_agent_image_pull_seconds_total", Counter, "Time taken by the pulls that have ended, without the time in the queue.", [](const AgentState& a, Series& out) { out.add(std::chrono::duration<double>(a.figures.engine.pulls.taken).count()); }},
    {"ecs_agent_runtime_reachable", Gauge, "1 while the container runtime answers.", [](const AgentState& a, Series& out) { out.add(a.figures.engine.runtime_reachable ? 1 : 0); }},
    {"ecs_agent_runtime_outages_total", Counter, "Times the container runtime was lost.", [](const AgentState& a, Series& out) { out.add(number(a.figures.engine.runtime_outages)); }},
    {"ecs_agent_store_transactions_total", Counter, "Transactions of the state store.", [](const AgentState& a, Series& out) { out.add(number(a.figures.store_transactions)); }},
    {"ecs_agent_cloudwatch_metrics_total", Counter, "Metrics that CloudWatch took (sent), that it or a proxy refused for good, and that were dropped because the queue was full; absent with ECS_CLOUDWATCH_METRICS=off, as the next three.", [](const AgentState& a, Series& out) {
        if (const auto& to = a.figures.cloudwatch) { out.add(number(to->metrics_sent), {{"outcome", "sent"}}); out.add(number(to->metrics_refused), {{"outcome", "refused"}}); out.add(number(to->metrics_dropped), {{"outcome", "dropped"}}); }
    }},
    {"ecs_agent_cloudwatch_requests_total", Counter, "Requests to CloudWatch: sent, or failed and tried again later.", [](const AgentState& a, Series& out) { if (const auto& to = a.figures.cloudwatch) { out.add(number(to->requests_sent), {{"outcome", "sent"}}); out.add(number(to->attempts_failed), {{"outcome", "failed"}}); } }},
    {"ecs_agent_cloudwatch_queued_requests", Gauge, "Requests to CloudWatch that wait.", [](const AgentState& a, Series& out) { if (const auto& to = a.figures.cloudwatch) out.add(number(to->queued_requests)); }},
    {"ecs_agent_cloudwatch_queued_bytes", Gauge, "Bytes of them, compressed.", [](const AgentState& a, Series& out) { if (const auto& to = a.figures.cloudwatch) out.add(number(to->queued_bytes)); }},
    {"ecs_agent_log_lines_total", Counter, "Lines that containers printed; this and the other log families are of containers on containerd.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->lines)); }},
    {"ecs_agent_log_bytes_total", Counter, "Bytes of them.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->bytes)); }},
    {"ecs_agent_log_events_total", Counter, "Events of them that were sent, or that CloudWatch Logs refused for good.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) { out.add(number(l->events), {{"outcome", "sent"}}); out.add(number(l->refused_events), {{"outcome", "refused"}}); } }},
    {"ecs_agent_log_requests_total", Counter, "Requests to CloudWatch Logs: answered, or failed and tried again.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) { out.add(number(l->requests - std::min(l->requests, l->failed_requests)), {{"outcome", "sent"}}); out.add(number(l->failed_requests), {{"outcome", "failed"}}); } }},
    {"ecs_agent_log_dropped_lines_total", Counter, "Lines that are lost: neither buffer nor spool had room.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->dropped_lines)); }},
    {"ecs_agent_log_dropped_bytes_total", Counter, "Bytes of them, and those of unsent logs that were given up.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->dropped_bytes + l->abandoned_bytes)); }},
    {"ecs_agent_log_spooled_lines_total", Counter, "Lines that went to disk, because memory had no room.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->spooled_lines)); }},
    {"ecs_agent_log_restarts_total", Counter, "Logging programs of which one half had to be made again.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->restarts)); }},
    {"ecs_agent_loggers", Gauge, "Logging programs at work.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->loggers)); }},
    {"ecs_agent_log_buffer_bytes", Gauge, "Log text that waits in memory.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->buffer_bytes)); }},
    {"ecs_agent_log_spool_bytes", Gauge, "Log text that waits on disk.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->spool_bytes)); }},
    {"ecs_agent_log_unsent_containers", Gauge, "Ended containers with log text on disk that CloudWatch Logs has not taken yet.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->unsent_logs)); }},
    {"ecs_agent_log_unsent_bytes", Gauge, "Bytes of it.", [](const AgentState& a, Series& out) { if (const auto& l = a.figures.logs) out.add(number(l->unsent_bytes)); }},
    {"ecs_agent_draining", Gauge, "1 while the machine is drained.", [](const AgentState& a, Series& out) { out.add(a.figures.draining ? 1 : 0); }},
    {"ecs_agent_sampled_containers", Gauge, "Containers whose statistics are read.", [](const AgentState& a, Series& out) { if (a.sampling) out.add(number(a.sampling->tracked)); }},
    {"ecs_agent_samples_total", Counter, "Readings of a container's statistics.", [](const AgentState& a, Series& out) { if (a.sampling) out.add(number(a.sampling->samples)); }},
    {"ecs_agent_samples_missed_total", Counter, "Readings that failed or came too late.", [](const AgentState& a, Series& out) { if (a.sampling) out.add(number(a.sampling->missed)); }},
    {"ecs_agent_sampling_seconds_total", Counter, "Time taken by reading all containers' statistics.", [](const AgentState& a, Series& out) { if (a.sampling) out.add(a.sampling->pass_seconds); }},
});

constexpr auto kHost = std::to_array<Row<model::HostConditions>>({
    {"ecs_host_disk_size_bytes", Gauge, "Size of the disk of the agent's data and of Docker's images.", [](const model::HostConditions& h, Series& out) { for (const auto& disk : h.disks) out.add(number(disk.bytes_total), {{"disk", disk.use}, {"path", disk.path}}); }},
    {"ecs_host_disk_available_bytes", Gauge, "Bytes free on it.", [](const model::HostConditions& h, Series& out) { for (const auto& disk : h.disks) out.add(number(disk.bytes_free), {{"disk", disk.use}, {"path", disk.path}}); }},
    {"ecs_host_disk_inodes", Gauge, "Inodes of it; 0: no fixed number.", [](const model::HostConditions& h, Series& out) { for (const auto& disk : h.disks) out.add(number(disk.inodes_total), {{"disk", disk.use}, {"path", disk.path}}); }},
    {"ecs_host_disk_inodes_available", Gauge, "Inodes free on it.", [](const model::HostConditions& h, Series& out) { for (const auto& disk : h.disks) out.add(number(disk.inodes_free), {{"disk", disk.use}, {"path", disk.path}}); }},
    {"ecs_host_memory_size_bytes", Gauge, "Memory of the machine.", [](const model::HostConditions& h, Series& out) { if (h.memory_total > 0) out.add(number(h.memory_total)); }},
    {"ecs_host_memory_available_bytes", Gauge, "Memory that programs can get without swapping.", [](const model::HostConditions& h, Series& out) { if (h.memory_total > 0) out.add(number(h.memory_available)); }},
    {"ecs_host_load1", Gauge, "Load average over 1 minute.", [](const model::HostConditions& h, Series& out) { if (h.load) out.add((*h.load)[0]); }},
    {"ecs_host_load5", Gauge, "Load average over 5 minutes.", [](const model::HostConditions& h, Series& out) { if (h.load) out.add((*h.load)[1]); }},
    {"ecs_host_load15", Gauge, "Load average over 15 minutes.", [](const model::HostConditions& h, Series& out) { if (h.load) out.add((*h.load)[2]); }},
    {"ecs_host_pressure_waiting_seconds_total", Counter, "Time in which something waited for the resource.", [](const model::HostConditions& h, Series& out) { for (const auto& pressure : h.pressures) out.add(pressure.some_seconds, {{"resource", pressure.resource}}); }},
    {"ecs_host_pressure_stalled_seconds_total", Counter, "Time in which everything stood still for want of the resource.", [](const model::HostConditions& h, Series& out) { for (const auto& pressure : h.pressures) out.add(pressure.full_seconds, {{"resource", pressure.resource}}); }},
    {"ecs_host_short", Gauge, "1 while something is short: disk and inodes from the image clean-up's high watermark on, memory below 5 percent, pressure from 20 percent of a minute on.", [](const model::HostConditions& h, Series& out) {
        for (const std::string_view what : model::kShortages)
            out.add(std::any_of(h.short_of.begin(), h.short_of.end(), [&](const auto& one) { return one.of == what; }) ? 1 : 0, {{"of", what}});
    }},
    {"ecs_host_setup_complete", Gauge, "1 while the last host set-up left the host as it should be: ecs-node-agent host-setup --check.", [](const model::HostConditions& h, Series& out) { if (h.setup) out.add(h.setup->problems.empty() ? 1 : 0); }},
    {"ecs_host_instance_metadata_open", Gauge, "1 while containers on a bridge reach the instance metadata service, and with it the credentials of the instance's role (ECS_BRIDGE_BLOCK_IMDS); only on EC2.", [](const model::HostConditions& h, Series& out) { if (h.setup && h.setup->instance_metadata_open) out.add(*h.setup->instance_metadata_open ? 1 : 0); }},
});
// clang-format on

/// Fit to be read back: Prometheus refuses a whole scrape for one byte that is not UTF-8, and NUL ends its reading.
std::string label_text(std::string_view text) {
    std::string clean = valid_utf8(text);
    std::replace(clean.begin(), clean.end(), '\0', '?');
    return clean;
}

}  // namespace

void Series::add(double value, std::initializer_list<Label> own) {
    prometheus::ClientMetric& series = family_.metric.emplace_back();
    series.label.reserve(subject_.size() + own.size());
    series.label = subject_;
    for (const auto& [name, text] : own) series.label.push_back({name, label_text(text)});
    switch (family_.type) {
        case Counter: series.counter.value = value; break;
        case Gauge: series.gauge.value = value; break;
        default: series.untyped.value = value; break;
    }
}

std::span<const Row<ContainerUse>> container_use_families() { return kContainerUse; }
std::span<const Row<ContainerOfTask>> container_families() { return kContainers; }
std::span<const Row<TaskSubject>> task_families() { return kTasks; }
std::span<const Row<AgentState>> agent_families() { return kAgent; }
std::span<const Row<model::HostConditions>> host_families() { return kHost; }

Labels labels_of(const model::TaskView& task, const std::string& cluster) {
    return {{"task_id", label_text(std::string_view(task.arn).substr(task.arn.rfind('/') + 1))},
            {"task_arn", label_text(task.arn)},
            {"family", label_text(task.family)},
            {"revision", label_text(task.version)},
            {"cluster", label_text(cluster)}};
}

Labels labels_of(const model::TaskView& task, const model::ContainerView& container, const std::string& cluster) {
    Labels labels{{"id", label_text(container.docker_id)},
                  {"name", label_text(container.docker_name)},
                  {"image", label_text(image_label(container.image))},
                  {"container", label_text(container.name)}};
    for (auto& label : labels_of(task, cluster)) labels.push_back(std::move(label));
    return labels;
}

std::string image_label(std::string_view image) {
    if (const std::size_t scheme = image.find("://"); scheme != std::string_view::npos) image.remove_prefix(scheme + 3);
    std::size_t at = image.rfind('@');
    if (at != std::string_view::npos && image.substr(at + 1).starts_with("sha256:")) {  // of a digest
        at = at == 0 ? std::string_view::npos : image.rfind('@', at - 1);
    }
    if (at != std::string_view::npos) image.remove_prefix(at + 1);
    return std::string(image);
}

}  // namespace nodeagent::telemetry
