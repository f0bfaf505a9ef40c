#include "agent/core/saved_task.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/core/internal_containers.hpp"

namespace nodeagent::core {

namespace {

// The records of the store: wire names in their tables, times in nanoseconds since the epoch, statuses as words.

struct SavedError {
    std::string name, message;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &SavedError::name), optional_field("message", &SavedError::message)};
    }
};

struct SavedAssignment {
    std::uint16_t container_port = 0, host_port = 0;
    std::string protocol;
    std::uint64_t mapping = 0;
    static constexpr auto json_fields() {
        using T = SavedAssignment;
        return std::tuple{required_field("containerPort", &T::container_port),
                          required_field("hostPort", &T::host_port), required_field("protocol", &T::protocol),
                          required_field("mapping", &T::mapping)};
    }
};

struct SavedBinding {
    std::uint16_t container_port = 0, host_port = 0;
    std::string bind_ip, protocol;
    static constexpr auto json_fields() {
        using T = SavedBinding;
        return std::tuple{required_field("containerPort", &T::container_port),
                          required_field("hostPort", &T::host_port), optional_field("bindIp", &T::bind_ip),
                          optional_field("protocol", &T::protocol)};
    }
};

struct SavedNetwork {
    std::string mode, ipv4, ipv6;
    static constexpr auto json_fields() {
        using T = SavedNetwork;
        return std::tuple{optional_field("mode", &T::mode), optional_field("ipv4", &T::ipv4),
                          optional_field("ipv6", &T::ipv6)};
    }
};

struct SavedVolume {
    std::string docker_name, source, destination;
    static constexpr auto json_fields() {
        using T = SavedVolume;
        return std::tuple{optional_field("dockerName", &T::docker_name), optional_field("source", &T::source),
                          optional_field("destination", &T::destination)};
    }
};

struct SavedHealth {
    std::string status;
    std::optional<std::int64_t> since, exit_code;
    std::string output;
    static constexpr auto json_fields() {
        using T = SavedHealth;
        return std::tuple{optional_field("status", &T::status), optional_field("since", &T::since),
                          optional_field("exitCode", &T::exit_code), optional_field("output", &T::output)};
    }
};

struct SavedContainer {
    std::string name, kind, docker_name, runtime_id, endpoint_id, image_id, image_digest;
    std::string desired, known, sent;
    bool start_uncertain = false, oom_noted = false, network_known = false, metadata_file_ready = false;
    std::optional<std::int64_t> restarted_exit, exit_code, created_at, started_at, finished_at, last_restart_at;
    std::int64_t restarts = 0;
    std::optional<SavedError> error;
    std::vector<SavedAssignment> port_assignments;
    std::vector<SavedBinding> port_bindings;
    std::map<std::string, std::string> labels;
    std::vector<SavedNetwork> networks;
    std::vector<SavedVolume> volumes;
    std::optional<SavedHealth> health;
    static constexpr auto json_fields() {
        using T = SavedContainer;
        return std::tuple{required_field("name", &T::name),
                          optional_field("kind", &T::kind),
                          optional_field("dockerName", &T::docker_name),
                          optional_field("runtimeId", &T::runtime_id),
                          optional_field("endpointId", &T::endpoint_id),
                          optional_field("imageId", &T::image_id),
                          optional_field("imageDigest", &T::image_digest),
                          required_field("desired", &T::desired),
                          required_field("known", &T::known),
                          required_field("sent", &T::sent),
                          optional_field("startUncertain", &T::start_uncertain),
                          optional_field("oomNoted", &T::oom_noted),
                          optional_field("networkKnown", &T::network_known),
                          optional_field("metadataFileReady", &T::metadata_file_ready),
                          optional_field("restartedExit", &T::restarted_exit),
                          optional_field("exitCode", &T::exit_code),
                          optional_field("createdAt", &T::created_at),
                          optional_field("startedAt", &T::started_at),
                          optional_field("finishedAt", &T::finished_at),
                          optional_field("lastRestartAt", &T::last_restart_at),
                          optional_field("restarts", &T::restarts),
                          optional_field("error", &T::error),
                          optional_field("portAssignments", &T::port_assignments),
                          optional_field("portBindings", &T::port_bindings),
                          optional_field("labels", &T::labels),
                          optional_field("networks", &T::networks),
                          optional_field("volumes", &T::volumes),
                          optional_field("health", &T::health)};
    }
};

struct SavedResource {
    std::string kind, name, docker_name, desired, known;
    bool shared = false;
    static constexpr auto json_fields() {
        using T = SavedResource;
        return std::tuple{required_field("kind", &T::kind),
                          required_field("name", &T::name),
                          optional_field("dockerName", &T::docker_name),
                          required_field("desired", &T::desired),
                          required_field("known", &T::known),
                          optional_field("shared", &T::shared)};
    }
};

struct SavedTask {
    std::int64_t schema = 0;
    std::string arn;
    std::shared_ptr<const model::Task> definition;
    std::vector<SavedContainer> containers;
    std::vector<SavedResource> resources;
    std::string desired, known, sent;
    std::string credentials_id, execution_credentials_id, stop_reason;
    std::optional<std::int64_t> known_at, pull_started_at, pull_stopped_at, execution_stopped_at;
    bool resources_consumed = false, task_limits = false, rejected = false, stop_asked = false, end_refused = false;
    std::uint64_t arrival = 0;
    static constexpr auto json_fields() {
        using T = SavedTask;
        return std::tuple{required_field("schema", &T::schema),
                          required_field("arn", &T::arn),
                          required_field("definition", &T::definition),
                          required_field("containers", &T::containers),
                          optional_field("resources", &T::resources),
                          required_field("desired", &T::desired),
                          required_field("known", &T::known),
                          required_field("sent", &T::sent),
                          optional_field("credentialsId", &T::credentials_id),
                          optional_field("executionCredentialsId", &T::execution_credentials_id),
                          optional_field("stopReason", &T::stop_reason),
                          optional_field("knownAt", &T::known_at),
                          optional_field("pullStartedAt", &T::pull_started_at),
                          optional_field("pullStoppedAt", &T::pull_stopped_at),
                          optional_field("executionStoppedAt", &T::execution_stopped_at),
                          optional_field("resourcesConsumed", &T::resources_consumed),
                          optional_field("taskLimits", &T::task_limits),
                          optional_field("rejected", &T::rejected),
                          optional_field("stopAsked", &T::stop_asked),
                          optional_field("endRefused", &T::end_refused),
                          optional_field("arrival", &T::arrival)};
    }
};

std::optional<std::int64_t> since_epoch(const std::optional<WallTime>& when) {
    if (!when) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(when->time_since_epoch()).count();
}

std::optional<WallTime> wall_time(const std::optional<std::int64_t>& nanoseconds) {
    if (!nanoseconds) return std::nullopt;
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(*nanoseconds)));
}

constexpr std::array kResourceWords{
    std::pair{ResourceStatus::None, std::string_view("NONE")},
    std::pair{ResourceStatus::Created, std::string_view("CREATED")},
    std::pair{ResourceStatus::Removed, std::string_view("REMOVED")},
};
constexpr std::array kKindWords{
    std::pair{ResourceState::Kind::Cgroup, std::string_view("cgroup")},
    std::pair{ResourceState::Kind::DockerVolume, std::string_view("dockerVolume")},
    std::pair{ResourceState::Kind::SsmSecrets, std::string_view("ssmsecret")},
    std::pair{ResourceState::Kind::AsmSecrets, std::string_view("asmsecret")},
    std::pair{ResourceState::Kind::RegistryAuth, std::string_view("asm-auth")},
    std::pair{ResourceState::Kind::EnvironmentFiles, std::string_view("envfile")},
};

template <class Table, class Value>
std::string word(const Table& table, Value value) {
    for (const auto& [entry, text] : table) {
        if (entry == value) return std::string(text);
    }
    return {};
}

template <class Table>
auto value_of(const Table& table, std::string_view text) -> std::optional<decltype(table[0].first)> {
    for (const auto& [entry, word] : table) {
        if (word == text) return entry;
    }
    return std::nullopt;
}

// Task status PULLED has no word of its own, and nothing yields it (task-engine.md 1.1).
std::optional<TaskStatus> task_status(std::string_view text) { return model::parse_task_status(text); }

Error damaged(const std::string& at, std::string_view what) {
    return {.kind = ErrorKind::Malformed, .what = "saved task: " + at + ": " + std::string(what), .cause = {}};
}

SavedContainer record_of(const ContainerState& c) {
    SavedContainer record;
    record.name = c.name;
    if (is_internal(c)) record.kind = to_string(c.kind);
    record.docker_name = c.docker_name;
    record.runtime_id = c.runtime_id;
    record.endpoint_id = c.endpoint_id;
    record.image_id = c.image_id;
    record.image_digest = c.image_digest;
    record.desired = to_string(c.desired);
    record.known = to_string(c.known);
    record.sent = to_string(c.sent);
    record.start_uncertain = c.start_uncertain;
    record.oom_noted = c.oom_noted;
    record.network_known = c.network_known;
    record.metadata_file_ready = c.metadata_file_ready;
    record.restarted_exit = since_epoch(c.restarted_exit);
    record.exit_code = c.exit_code;
    record.created_at = since_epoch(c.created_at);
    record.started_at = since_epoch(c.started_at);
    record.finished_at = since_epoch(c.finished_at);
    record.last_restart_at = since_epoch(c.restarts.last_restart_at);
    record.restarts = c.restarts.count;
    if (c.error) record.error = SavedError{c.error->name, c.error->message};
    for (const PortAssignment& p : c.port_assignments) {
        record.port_assignments.push_back({p.container_port, p.host_port, p.protocol, p.mapping});
    }
    for (const model::PortBinding& b : c.port_bindings) {
        record.port_bindings.push_back({b.container_port, b.host_port, b.bind_ip, b.protocol});
    }
    record.labels = c.labels;
    for (const model::NetworkView& n : c.networks) record.networks.push_back({n.mode, n.ipv4_address, n.ipv6_address});
    for (const model::VolumeView& v : c.volumes) record.volumes.push_back({v.docker_name, v.source, v.destination});
    if (c.health != model::HealthView{}) {
        record.health = SavedHealth{std::string(to_string(c.health.status)), since_epoch(c.health.since),
                                    c.health.exit_code, c.health.output};
    }
    return record;
}

Result<ContainerState> container_of(SavedContainer record, const std::shared_ptr<const model::Task>& task,
                                    const std::string& at) {
    ContainerState c;
    const auto kind = record.kind.empty() ? ContainerKind::Normal : parse_container_kind(record.kind);
    if (!kind) return damaged(at + ".kind", "unknown kind " + record.kind);
    c.kind = *kind;
    c.definition = internal_definition(*kind);
    if (c.definition == nullptr) {
        const auto definition = std::find_if(task->containers.begin(), task->containers.end(),
                                             [&](const model::Container& one) { return one.name == record.name; });
        if (definition == task->containers.end())
            return damaged(at + ".name", "the definition has no container " + record.name);
        c.definition = {task, &*definition};  // shares the task's life
    }
    const auto status = [&](const std::string& text, ContainerStatus& out) {
        const auto parsed = model::parse_container_status(text);
        if (parsed) out = *parsed;
        return parsed.has_value();
    };
    if (!status(record.desired, c.desired) || !status(record.known, c.known) || !status(record.sent, c.sent)) {
        return damaged(at, "unknown status");
    }
    c.name = std::move(record.name);
    c.essential = c.definition->essential;
    c.docker_name = std::move(record.docker_name);
    c.runtime_id = std::move(record.runtime_id);
    c.endpoint_id = std::move(record.endpoint_id);
    c.image_id = std::move(record.image_id);
    c.image_digest = std::move(record.image_digest);
    c.start_uncertain = record.start_uncertain;
    c.oom_noted = record.oom_noted;
    c.network_known = record.network_known;
    c.metadata_file_ready = record.metadata_file_ready;
    c.restarted_exit = wall_time(record.restarted_exit);
    if (record.exit_code) c.exit_code = static_cast<int>(*record.exit_code);
    c.created_at = wall_time(record.created_at);
    c.started_at = wall_time(record.started_at);
    c.finished_at = wall_time(record.finished_at);
    c.restarts.count = record.restarts;
    c.restarts.last_restart_at = wall_time(record.last_restart_at);
    if (record.error) c.error = NamedError{std::move(record.error->name), std::move(record.error->message)};
    for (SavedAssignment& p : record.port_assignments) {
        c.port_assignments.push_back({p.container_port, p.host_port, std::move(p.protocol), p.mapping});
    }
    for (SavedBinding& b : record.port_bindings) {
        c.port_bindings.push_back({b.container_port, b.host_port, std::move(b.bind_ip), std::move(b.protocol)});
    }
    c.labels = std::move(record.labels);
    for (SavedNetwork& n : record.networks)
        c.networks.push_back({std::move(n.mode), std::move(n.ipv4), std::move(n.ipv6)});
    for (SavedVolume& v : record.volumes) {
        c.volumes.push_back({std::move(v.docker_name), std::move(v.source), std::move(v.destination)});
    }
    if (record.health) {
        for (const auto health : {HealthStatus::Unknown, HealthStatus::Healthy, HealthStatus::Unhealthy}) {
            if (record.health->status == to_string(health)) c.health.status = health;
        }
        c.health.since = wall_time(record.health->since);
        if (record.health->exit_code) c.health.exit_code = static_cast<int>(*record.health->exit_code);
        c.health.output = std::move(record.health->output);
    }
    return c;
}

Result<ResourceState> resource_of(SavedResource record, const std::string& at) {
    const auto kind = value_of(kKindWords, record.kind);
    if (!kind) return damaged(at + ".kind", "unknown kind " + record.kind);
    const auto desired = value_of(kResourceWords, record.desired);
    const auto known = value_of(kResourceWords, record.known);
    if (!desired || !known) return damaged(at, "unknown status");
    ResourceState resource;
    resource.kind = *kind;
    resource.name = std::move(record.name);
    resource.docker_name = std::move(record.docker_name);
    resource.shared = record.shared;
    resource.desired = *desired;
    resource.known = *known;
    return resource;
}

}  // namespace

std::string encode_saved_task(const TaskState& task) {
    SavedTask record;
    record.schema = kSavedTaskSchema;
    record.arn = task.arn;
    record.definition = task.definition;
    for (const ContainerState& container : task.containers) record.containers.push_back(record_of(container));
    for (const ResourceState& r : task.resources) {
        record.resources.push_back({word(kKindWords, r.kind), r.name, r.docker_name, word(kResourceWords, r.desired),
                                    word(kResourceWords, r.known), r.shared});
    }
    record.desired = to_string(task.desired);
    record.known = to_string(task.known);
    record.sent = to_string(task.sent);
    record.credentials_id = task.credentials_id;
    record.execution_credentials_id = task.execution_credentials_id;
    record.stop_reason = task.stop_reason;
    record.known_at = since_epoch(task.known_at);
    record.pull_started_at = since_epoch(task.pull_started_at);
    record.pull_stopped_at = since_epoch(task.pull_stopped_at);
    record.execution_stopped_at = since_epoch(task.execution_stopped_at);
    record.resources_consumed = task.resources_consumed;
    record.task_limits = task.task_limits;
    record.rejected = task.rejected;
    record.stop_asked = task.stop_asked;
    record.end_refused = task.end_refused;
    record.arrival = task.arrival;
    return encode(record);
}

Result<TaskState> decode_saved_task(std::string_view text) {
    Result<SavedTask> decoded = decode<SavedTask>(text);
    if (!decoded) return with_context("saved task", std::move(decoded).error());
    SavedTask& record = *decoded;
    if (record.schema != kSavedTaskSchema) {
        return damaged("schema", std::to_string(record.schema) + " is not known to this version of the agent, " +
                                     std::to_string(kSavedTaskSchema) + " is");
    }
    const auto desired = task_status(record.desired), known = task_status(record.known),
               sent = task_status(record.sent);
    if (!desired || !known || !sent) return damaged("desired, known, sent", "unknown status");
    TaskState task;
    task.arn = std::move(record.arn);
    task.definition = std::move(record.definition);
    for (std::size_t i = 0; i < record.containers.size(); ++i) {
        auto c =
            container_of(std::move(record.containers[i]), task.definition, "containers[" + std::to_string(i) + "]");
        if (!c) return std::move(c).error();
        task.containers.push_back(std::move(*c));
    }
    for (std::size_t i = 0; i < record.resources.size(); ++i) {
        auto r = resource_of(std::move(record.resources[i]), "resources[" + std::to_string(i) + "]");
        if (!r) return std::move(r).error();
        task.resources.push_back(std::move(*r));
    }
    task.desired = *desired;
    task.known = *known;
    task.sent = *sent;
    task.credentials_id = std::move(record.credentials_id);
    task.execution_credentials_id = std::move(record.execution_credentials_id);
    task.stop_reason = std::move(record.stop_reason);
    task.known_at = wall_time(record.known_at);
    task.pull_started_at = wall_time(record.pull_started_at);
    task.pull_stopped_at = wall_time(record.pull_stopped_at);
    task.execution_stopped_at = wall_time(record.execution_stopped_at);
    task.resources_consumed = record.resources_consumed;
    task.task_limits = record.task_limits;
    task.rejected = record.rejected;
    task.stop_asked = record.stop_asked;
    task.end_refused = record.end_refused;
    task.arrival = record.arrival;
    return task;
}

bool saved_alike(const TaskState& a, const TaskState& b) {
    if (a == b) return true;
    TaskState marked = a;  // with the marks of b, whatever still differs is durable
    marked.offered = b.offered;
    marked.resumed = b.resumed;
    marked.execution_credentials_known = b.execution_credentials_known;
    marked.acquiring = b.acquiring;
    marked.cleanup = b.cleanup;
    marked.fast_poll = b.fast_poll;
    marked.ended = b.ended;
    marked.poll_at = b.poll_at;
    marked.wake_at = b.wake_at;
    if (marked.containers.size() != b.containers.size() || marked.resources.size() != b.resources.size()) return false;
    for (std::size_t i = 0; i < b.containers.size(); ++i) {
        ContainerState& c = marked.containers[i];
        const ContainerState& other = b.containers[i];
        c.applied = other.applied;
        c.offered = other.offered;
        c.came_back = other.came_back;
        c.recheck = other.recheck;
        c.pending_exit = other.pending_exit;
        c.stop_again_at = other.stop_again_at;
        c.pid = other.pid;
        c.metadata_file_writing = other.metadata_file_writing;
        c.started = other.started;
        c.restarts.last_restart = other.restarts.last_restart;
    }
    for (std::size_t i = 0; i < b.resources.size(); ++i) marked.resources[i].in_flight = b.resources[i].in_flight;
    return marked == b;
}

}  // namespace nodeagent::core
