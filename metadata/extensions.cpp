#include "metadata/extensions.hpp"

#include "agent/base/version.hpp"
#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

namespace {

std::string_view id_of(std::string_view task_arn) { return task_arn.substr(task_arn.rfind('/') + 1); }

template <class T>
void member_or_null(JsonWriter& out, std::string_view name, const std::optional<T>& content) {
    out.key(name);
    if (content) {
        out.value(*content);
    } else {
        out.null();
    }
}

// "0.0.0.0:32768->80/tcp", "[::]:32768->80/tcp"
std::string port_text(const model::PortBinding& port) {
    const bool ipv6 = port.bind_ip.find(':') != std::string::npos;
    std::string text = ipv6 ? "[" + port.bind_ip + "]" : port.bind_ip;
    return text + ":" + std::to_string(port.host_port) + "->" + std::to_string(port.container_port) + "/" +
           port.protocol;
}

void write_pull(JsonWriter& out, const model::PullView& pull) {
    out.begin_object();
    out.member("queued", pull.queued);
    out.member("attempt", static_cast<std::int64_t>(pull.attempt));
    member_or_null(out, "since", pull.since);
    out.member("currentBytes", pull.current_bytes);
    out.member("totalBytes", pull.total_bytes);
    out.member("layers", pull.layers);
    out.member("layersDone", pull.layers_done);
    out.member("lastError", pull.last_error);
    member_or_null(out, "retryAt", pull.retry_at);
    out.end_object();
}

void write_container(JsonWriter& out, const model::ContainerView& container) {
    out.begin_object();
    out.member("name", container.name);
    out.member("image", container.image);
    out.member("runtimeId", container.docker_id);
    out.member("known", model::to_string(container.known));
    out.member("desired", model::to_string(container.desired));
    member_or_null(out, "exitCode", container.exit_code);
    out.member("error", container.last_error);
    member_or_null(out, "startedAt", container.started_at);
    out.member("health", container.health_checked ? model::to_string(container.health.status) : std::string_view{});
    out.key("ports");
    out.begin_array();
    for (const model::PortBinding& port : container.ports) out.value(port_text(port));
    out.end_array();
    if (container.pull) {
        out.key("pull");
        write_pull(out, *container.pull);
    }
    out.end_object();
}

void write_task(JsonWriter& out, const model::TaskView& task) {
    out.begin_object();
    out.member("arn", task.arn);
    out.member("id", id_of(task.arn));
    out.member("family", task.family);
    out.member("version", task.version);
    out.member("desired", model::to_string(task.desired));
    out.member("known", model::to_string(task.known));
    out.member("sent", model::to_string(task.sent));
    out.member("waitingFor", task.waiting_for);
    out.member("stopReason", task.stop_reason);
    out.member("cpu", task.cpu);
    out.member("memory", task.memory);
    out.key("containers");
    out.begin_array();
    for (const model::ContainerView& container : task.containers) write_container(out, container);
    out.end_array();
    out.end_object();
}

Response no_view(unsigned status, const std::string& why) {
    JsonWriter out;
    out.begin_object();
    out.member("error", why);
    out.end_object();
    return json_response(std::move(out).text(), status);
}

Response one_task(const model::TaskView& task) {
    JsonWriter out;
    write_task(out, task);
    return json_response(std::move(out).text());
}

void write_task_counts(JsonWriter& out, const model::Snapshot& snapshot) {
    std::size_t running = 0;
    std::size_t pending = 0;
    std::size_t stopped = 0;
    std::size_t waiting = 0;
    for (const auto& [arn, task] : snapshot.tasks) {
        const std::string_view word = model::to_service_word(task->known);
        running += word == "RUNNING" ? 1U : 0U;
        pending += word == "PENDING" ? 1U : 0U;
        stopped += word == "STOPPED" ? 1U : 0U;
        waiting += task->waiting_for.empty() ? 0U : 1U;
    }
    out.key("tasks");
    out.begin_object();
    out.member("running", running);
    out.member("pending", pending);
    out.member("stopped", stopped);
    out.member("waiting", waiting);
    out.end_object();
}

void write_host(JsonWriter& out, const model::HostConditions& host) {
    out.begin_object();
    out.key("disks");
    out.begin_array();
    for (const model::DiskCondition& disk : host.disks) {
        out.begin_object();
        out.member("use", disk.use);
        out.member("path", disk.path);
        out.member("bytesTotal", disk.bytes_total);
        out.member("bytesFree", disk.bytes_free);
        out.member("bytesPercent", std::uint64_t{disk.bytes_percent});
        out.member("inodesTotal", disk.inodes_total);
        out.member("inodesFree", disk.inodes_free);
        out.member("inodesPercent", std::uint64_t{disk.inodes_percent});
        out.end_object();
    }
    out.end_array();
    out.member("memoryTotalBytes", host.memory_total);
    out.member("memoryAvailableBytes", host.memory_available);
    if (host.load) {
        out.key("load");
        out.begin_array();
        for (const double average : *host.load) out.value(average);
        out.end_array();
    }
    out.key("pressure");
    out.begin_array();
    for (const model::PressureCondition& pressure : host.pressures) {
        out.begin_object();
        out.member("resource", pressure.resource);
        out.member("somePercent", pressure.some_percent);
        out.member("fullPercent", pressure.full_percent);
        out.end_object();
    }
    out.end_array();
    out.key("shortOf");
    out.begin_array();
    for (const model::Shortage& shortage : host.short_of) out.value(shortage.why);
    out.end_array();
    if (host.setup) {
        out.key("setup");
        out.begin_object();
        out.member("at", host.setup->at);
        out.key("problems");
        out.begin_array();
        for (const std::string& problem : host.setup->problems) out.value(problem);
        out.end_array();
        if (host.setup->instance_metadata_open) out.member("instanceMetadataOpen", *host.setup->instance_metadata_open);
        out.end_object();
    }
    out.end_object();
}

}  // namespace

Response extension_status(const model::Snapshot& snapshot, const InstanceIdentity& identity, const AgentStatus& status,
                          const ProcessUse& use, const model::HostConditions* host) {
    JsonWriter out;
    out.begin_object();
    out.member("version", kAgentVersion);
    out.member("cluster", identity.cluster);
    out.member("containerInstanceArn", identity.container_instance_arn);
    out.member("acsConnected", status.acs_connected);
    member_or_null(out, "acsConnectedSince", status.acs_connected_since);
    out.member("tcsConnected", status.tcs_connected);
    out.key("runtime");
    out.begin_object();
    out.member("name", status.runtime_name);
    out.member("version", status.runtime_version);
    out.member("reachable", status.runtime_reachable);
    out.end_object();
    if (status.drain.draining) {
        out.key("drain");
        write_drain_report(out, status.drain);
    }
    write_task_counts(out, snapshot);
    out.member("startedAt", status.started_at);
    out.member("residentBytes", use.resident_bytes);
    out.member("openDescriptors", use.open_descriptors);
    if (host != nullptr) {
        out.key("host");
        write_host(out, *host);
    }
    out.end_object();
    return json_response(std::move(out).text());
}

Response extension_tasks(const model::Snapshot& snapshot) {
    JsonWriter out;
    out.begin_object();
    out.key("tasks");
    out.begin_array();
    for (const auto& [arn, task] : snapshot.tasks) write_task(out, *task);
    out.end_array();
    out.end_object();
    return json_response(std::move(out).text());
}

Result<std::shared_ptr<const model::TaskView>> task_called(const model::Snapshot& snapshot, std::string_view id) {
    std::shared_ptr<const model::TaskView> found;
    std::size_t matching = 0;
    for (const auto& [arn, task] : snapshot.tasks) {
        const std::string_view own = id_of(arn);
        if (arn == id || own == id) return task;
        if (own.starts_with(id)) {
            found = task;
            ++matching;
        }
    }
    if (matching == 1) return found;
    if (matching == 0) {
        return Error{.kind = ErrorKind::NotFound, .what = "no task " + std::string(id) + " on this instance"};
    }
    return Error{.kind = ErrorKind::Conflict,
                 .what = std::to_string(matching) + " tasks begin with " + std::string(id) + "; give more of the id"};
}

Response extension_task(const model::Snapshot& snapshot, std::string_view id) {
    if (id.empty()) return no_view(404, "no task id given; ask for /v1/ext/task?id=<ARN, id or beginning of an id>");
    const auto found = task_called(snapshot, id);
    if (found) return one_task(**found);
    return no_view(found.error().kind == ErrorKind::Conflict ? 409 : 404, found.error().what);
}

Response extension_events(const std::vector<AgentEvent>& events) {
    JsonWriter out;
    out.begin_object();
    out.key("events");
    out.begin_array();
    for (const AgentEvent& event : events) {
        out.begin_object();
        out.member("time", event.when);
        out.member("task", event.task_arn);
        out.member("container", event.container);
        out.member("what", event.what);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return json_response(std::move(out).text());
}

Response extension_settings(const std::vector<AgentSetting>& settings) {
    JsonWriter out;
    out.begin_object();
    out.key("settings");
    out.begin_array();
    for (const AgentSetting& setting : settings) {
        const bool hidden = setting.secret && !setting.value.empty();
        out.begin_object();
        out.member("name", setting.name);
        out.member("value", hidden ? std::string_view("<redacted>") : std::string_view(setting.value));
        out.member("source", setting.source);
        out.member("active", setting.active);
        out.member("secret", setting.secret);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return json_response(std::move(out).text());
}

}  // namespace nodeagent::metadata
