#include "agent/takeover/reference_task.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/core/dependencies.hpp"
#include "agent/core/feature_gaps.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/host_resources.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/payload_rules.hpp"

namespace nodeagent::takeover {

namespace {

using core::ContainerKind;
using core::ResourceState;
using core::ResourceStatus;
using S = model::ContainerStatus;

// What the reference's records have beside the definition. Statuses are words, times RFC 3339 with year 1 for none.

struct ReferenceError {
    std::string error, name;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("error", &ReferenceError::error),
                          optional_field("name", &ReferenceError::name)};
    }
};

struct ReferenceBinding {
    std::uint16_t container_port = 0, host_port = 0;
    std::string bind_ip, protocol;
    static constexpr auto json_fields() {
        using T = ReferenceBinding;
        return std::tuple{optional_field("ContainerPort", &T::container_port),
                          optional_field("HostPort", &T::host_port), optional_field("BindIp", &T::bind_ip),
                          optional_field("Protocol", &T::protocol)};
    }
};

struct ReferenceTracker {
    std::int64_t count = 0;
    std::string last_restart_at;
    static constexpr auto json_fields() {
        using T = ReferenceTracker;
        return std::tuple{optional_field("restartCount", &T::count),
                          optional_field("lastRestartAt", &T::last_restart_at)};
    }
};

struct ReferenceContainer {
    std::string name, runtime_id, endpoint_id, image_id, image_digest, desired, known, sent, started_at;
    Json kind;
    std::optional<std::int64_t> exit_code;
    std::vector<ReferenceBinding> bindings;
    std::optional<ReferenceError> error;
    std::optional<ReferenceTracker> restarts;
    bool metadata_file = false;
    static constexpr auto json_fields() {
        using T = ReferenceContainer;
        return std::tuple{required_field("Name", &T::name),
                          optional_field("RuntimeID", &T::runtime_id),
                          optional_field("V3EndpointID", &T::endpoint_id),
                          optional_field("ImageID", &T::image_id),
                          optional_field("ImageDigest", &T::image_digest),
                          optional_field("desiredStatus", &T::desired),
                          optional_field("KnownStatus", &T::known),
                          optional_field("SentStatus", &T::sent),
                          optional_field("startedAt", &T::started_at),
                          optional_field("IsInternal", &T::kind),
                          optional_field("KnownExitCode", &T::exit_code),
                          optional_field("KnownPortBindings", &T::bindings),
                          optional_field("ApplyingError", &T::error),
                          optional_field("restartTracker", &T::restarts),
                          optional_field("metadataFileUpdated", &T::metadata_file)};
    }
};

struct ReferenceVolume {
    std::string name, known;
    struct Configuration {
        std::string scope, docker_name;
        static constexpr auto json_fields() {
            return std::tuple{optional_field("scope", &Configuration::scope),
                              optional_field("dockerVolumeName", &Configuration::docker_name)};
        }
    } configuration;
    static constexpr auto json_fields() {
        using T = ReferenceVolume;
        return std::tuple{required_field("name", &T::name), optional_field("knownStatus", &T::known),
                          optional_field("dockerVolumeConfiguration", &T::configuration)};
    }
};

struct ReferenceCgroup {
    std::string known;
    static constexpr auto json_fields() { return std::tuple{optional_field("knownStatus", &ReferenceCgroup::known)}; }
};

struct ReferenceTask {
    std::string arn, desired, known, sent, known_at, pull_started_at, pull_stopped_at, execution_stopped_at;
    std::string credentials_id, execution_credentials_id;
    std::vector<Json> containers;
    std::vector<Json> volumes;
    Json enis, app_mesh, service_connect;
    std::map<std::string, Json> resources;
    bool task_limits = false, internal = false;
    static constexpr auto json_fields() {
        using T = ReferenceTask;
        return std::tuple{required_field("Arn", &T::arn),
                          optional_field("DesiredStatus", &T::desired),
                          optional_field("KnownStatus", &T::known),
                          optional_field("SentStatus", &T::sent),
                          optional_field("KnownTime", &T::known_at),
                          optional_field("PullStartedAt", &T::pull_started_at),
                          optional_field("PullStoppedAt", &T::pull_stopped_at),
                          optional_field("ExecutionStoppedAt", &T::execution_stopped_at),
                          optional_field("credentialsID", &T::credentials_id),
                          optional_field("executionCredentialsID", &T::execution_credentials_id),
                          optional_field("Containers", &T::containers),
                          optional_field("volumes", &T::volumes),
                          optional_field("ENI", &T::enis),
                          optional_field("AppMesh", &T::app_mesh),
                          optional_field("ServiceConnectConfig", &T::service_connect),
                          optional_field("resources", &T::resources),
                          optional_field("MemoryCPULimitsEnabled", &T::task_limits),
                          optional_field("IsInternal", &T::internal)};
    }
};

/// What of an environment is the reference's own doing.
constexpr std::array kInjected{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                               "AWS_EXECUTION_ENV",
                               "ECS_AGENT_URI",
                               "ECS_CONTAINER_METADATA_FILE",
                               "ECS_CONTAINER_METADATA_URI",
                               "ECS_CONTAINER_METADATA_URI_V4"};

Error bad_record(const std::string& what) {
    return {.kind = ErrorKind::Malformed, .what = "task record: " + what, .cause = {}};
}

bool filled(const Json& value) { return !value.is_null() && !value.empty(); }

/// Steady states beyond RUNNING are the reference's own affair.
Result<S> status_of(const std::string& word, const std::string& at) {
    const auto status = model::parse_container_status(word);
    if (!status) return bad_record(at + ": unknown status " + word);
    return *status == S::ResourcesProvisioned ? S::Running : *status;
}

/// Nothing for an internal container of a kind that no running task needs (of agents before 1.20).
Result<std::optional<ContainerKind>> kind_of(const ReferenceContainer& container) {
    using Kind = std::optional<ContainerKind>;
    if (container.kind.is_null()) return Kind(ContainerKind::Normal);
    if (container.kind.is_boolean()) return container.kind.get<bool>() ? Kind() : Kind(ContainerKind::Normal);
    if (!container.kind.is_string()) return bad_record(container.name + ".IsInternal: expected a word");
    const auto& word = container.kind.get_ref<const std::string&>();
    if (word == "EMPTY_HOST_VOLUME") return Kind();
    if (word == "MANAGED_DAEMON") return Kind(ContainerKind::Normal);
    const auto kind = core::parse_container_kind(word);
    if (!kind) return bad_record(container.name + ".IsInternal: unknown kind " + word);
    return Kind(*kind);
}

class Translation {
  public:
    Translation(const Json& record, const std::map<std::string, Json>& containers, const core::Identity& identity)
        : record_(record), stored_(containers), identity_(identity) {}

    Result<TranslatedTask> run(std::uint64_t arrival) {
        auto fields = decode_document<ReferenceTask>(record_);
        if (!fields) return bad_record(fields.error().what);
        fields_ = *std::move(fields);
        if (fields_.arn.empty()) return bad_record("it has no ARN");
        if (auto read = define(); !read) return std::move(read).error();
        if (auto read = read_statuses(); !read) return std::move(read).error();
        for (Made& made : made_) {
            if (auto read = add(made); !read) return std::move(read).error();
        }
        if (auto read = add_resources(); !read) return std::move(read).error();
        out_.internal = fields_.internal;
        core::TaskState& task = out_.task;
        task.arrival = arrival;
        const bool begun = std::any_of(task.containers.begin(), task.containers.end(),
                                       [](const auto& c) { return c.known > S::None && c.known != S::Stopped; });
        task.resources_consumed =
            begun && task.known != model::TaskStatus::Stopped && core::counts_on_host(*task.definition);
        stop_if_incomplete();
        return std::move(out_);
    }

  private:
    struct Made {
        ReferenceContainer fields;
        ContainerKind kind = ContainerKind::Normal;
        std::string docker_id, docker_name;
        [[nodiscard]] bool exists() const { return !docker_id.empty(); }
    };

    void lacks(std::string feature) {
        if (std::find(out_.missing.begin(), out_.missing.end(), feature) == out_.missing.end())
            out_.missing.push_back(std::move(feature));
    }

    /// The task's definition, and what is known of each container beside it.
    Result<void> define() {
        Json plain = record_;
        for (auto at = plain.begin(); at != plain.end();) {  // these have forms of their own
            const bool apart =
                equals_ignoring_case(at.key(), "Containers") || equals_ignoring_case(at.key(), "volumes");
            at = apart ? plain.erase(at) : std::next(at);
        }
        auto task = decode_document<model::Task>(plain);
        if (!task) return bad_record(task.error().what);
        definition_ = std::make_shared<model::Task>(*std::move(task));
        definition_->desired_status = fields_.desired == "STOPPED" ? "STOPPED" : "RUNNING";
        const bool own_network = filled(fields_.enis) || equals_ignoring_case(definition_->network_mode, "awsvpc");
        if (own_network) {
            definition_->network_mode = "awsvpc";
            lacks("network mode awsvpc");
        } else if (definition_->network_mode.empty()) {
            definition_->network_mode = "bridge";
        }
        if (filled(fields_.app_mesh)) lacks("App Mesh proxies");
        if (filled(fields_.service_connect)) lacks("Service Connect");
        for (const Json& volume : fields_.volumes) {
            if (auto read = add_volume(volume); !read) return read;
        }
        for (const Json& embedded : fields_.containers) {
            if (auto read = add_definition(embedded); !read) return read;
        }
        drop_references_to_internal_containers();
        if (auto checked = core::check_payload(*definition_); !checked) return bad_record(checked.error().what);
        if (!core::orderable(definition_->containers)) return bad_record("its containers wait for each other");
        lacks_of_definition();
        return {};
    }

    /// All that the core would refuse the task for, which names one thing at a time.
    void lacks_of_definition() {
        model::Task rest = *definition_;
        rest.network_mode = "bridge";
        rest.containers.clear();
        rest.volumes.clear();
        const auto look = [&] {
            if (std::string missing = core::missing_feature(rest); !missing.empty()) lacks(std::move(missing));
        };
        for (const model::Volume& volume : definition_->volumes) {
            rest.volumes = {volume};
            look();
        }
        rest.volumes.clear();
        for (const model::Container& container : definition_->containers) {
            rest.containers = {container};
            look();
        }
    }

    Result<void> add_volume(const Json& record) {
        auto volume = decode_document<model::Volume>(record);
        if (!volume) return bad_record("volumes: " + volume.error().what);
        if (volume->type == "amazonebs" || volume->type == "s3files" || volume->type == "attachment") {
            // it is mounted by now; what mounts it again is not here
            lacks(volume->type == "s3files" ? "S3 Files volumes" : "Amazon EBS volumes");
            volume->type = "host";
        }
        if (volume->type.empty()) volume->type = "host";
        if (volume->type == "host" && !volume->host) volume->host.emplace();
        if (volume->type == "docker" && !volume->docker) volume->docker.emplace();
        definition_->volumes.push_back(*std::move(volume));
        return {};
    }

    Result<void> add_definition(const Json& embedded) {
        const auto named = decode_document<ReferenceContainer>(embedded);
        if (!named) return bad_record("Containers: " + named.error().what);
        Made made;
        const Json* record = &embedded;
        const auto stored = stored_.find(core::task_id(fields_.arn) + "-" + named->name);
        if (stored != stored_.end()) {
            const Json* id = json_detail::member(stored->second, "DockerId");
            const Json* name = json_detail::member(stored->second, "DockerName");
            const Json* container = json_detail::member(stored->second, "Container");
            if (id != nullptr && id->is_string()) made.docker_id = *id;
            if (name != nullptr && name->is_string()) made.docker_name = *name;
            if (container != nullptr) record = container;
        }
        auto fields = decode_document<ReferenceContainer>(*record);
        if (!fields) return bad_record(named->name + ": " + fields.error().what);
        made.fields = *std::move(fields);
        made.fields.name = named->name;  // the record's key and the task's own name for it
        const bool twice =
            std::any_of(made_.begin(), made_.end(), [&](const Made& one) { return one.fields.name == named->name; });
        if (twice) return bad_record("two containers are called " + named->name);
        if (made.docker_id.empty()) made.docker_id = made.fields.runtime_id;
        const auto kind = kind_of(made.fields);
        if (!kind) return kind.error();
        if (!*kind) return {};
        made.kind = **kind;
        if (made.kind == ContainerKind::Normal) {
            auto container = decode_document<model::Container>(*record);
            if (!container) return bad_record(made.fields.name + ": " + container.error().what);
            container->name = made.fields.name;
            settle(*container, made.exists());
            definition_->containers.push_back(*std::move(container));
        }
        made_.push_back(std::move(made));
        return {};
    }

    static void settle(model::Container& container, bool exists) {
        const auto command = core::overridden_command(container.overrides);
        if (command && *command) container.command = **command;
        if (exists) {
            container.environment.clear();
            return;
        }
        for (const char* name : kInjected) container.environment.erase(name);
        for (const model::ContainerSecret& secret : container.secrets) container.environment.erase(secret.name);
    }

    void drop_references_to_internal_containers() {
        std::set<std::string, std::less<>> names;
        for (const model::Container& container : definition_->containers) names.insert(container.name);
        for (model::Container& container : definition_->containers) {
            std::erase_if(container.depends_on, [&](const auto& one) { return !names.contains(one.container_name); });
            std::erase_if(container.volumes_from,
                          [&](const auto& one) { return !names.contains(one.source_container); });
        }
    }

    Result<void> read_statuses() {
        core::TaskState& task = out_.task;
        const auto desired = model::parse_task_status(fields_.desired), known = model::parse_task_status(fields_.known),
                   sent = model::parse_task_status(fields_.sent);
        if (!desired || !known || !sent) return bad_record("DesiredStatus, KnownStatus, SentStatus: unknown status");
        task.arn = fields_.arn;
        task.definition = definition_;
        task.desired = *desired;
        task.known = *known;
        task.sent = std::min(*sent, *known);
        task.known_at = parse_rfc3339(fields_.known_at);
        task.pull_started_at = parse_rfc3339(fields_.pull_started_at);
        task.pull_stopped_at = parse_rfc3339(fields_.pull_stopped_at);
        task.execution_stopped_at = parse_rfc3339(fields_.execution_stopped_at);
        task.credentials_id = fields_.credentials_id;
        task.execution_credentials_id = fields_.execution_credentials_id;
        task.task_limits = fields_.task_limits;
        return {};
    }

    Result<void> add(Made& made) {
        core::ContainerState container;
        const ReferenceContainer& fields = made.fields;
        container.name = fields.name;
        container.kind = made.kind;
        if (made.kind == ContainerKind::Normal) {
            const auto definition = std::find_if(definition_->containers.begin(), definition_->containers.end(),
                                                 [&](const auto& one) { return one.name == fields.name; });
            container.definition = {definition_, &*definition};
            container.endpoint_id = fields.endpoint_id.empty() ? identity_.uuid() : fields.endpoint_id;
        } else {
            container.definition = core::internal_definition(made.kind);
        }
        container.essential = container.definition->essential;
        const auto desired = status_of(fields.desired, fields.name + ".desiredStatus"),
                   known = status_of(fields.known, fields.name + ".KnownStatus"),
                   sent = status_of(fields.sent, fields.name + ".SentStatus");
        if (!desired) return desired.error();
        if (!known) return known.error();
        if (!sent) return sent.error();
        container.desired = *desired;
        container.known = *known;
        container.sent = std::min(*sent, *known);
        container.runtime_id = std::move(made.docker_id);
        // its id is recorded once it has been made
        if (!container.runtime_id.empty()) container.known = std::max(container.known, S::Created);
        container.docker_name = std::move(made.docker_name);
        const bool to_be_made = container.runtime_id.empty() && container.known < S::Created;
        if (container.docker_name.empty() && to_be_made)
            container.docker_name = identity_.container_name(*definition_, container.name);
        container.image_id = fields.image_id;
        container.image_digest = fields.image_digest;
        if (fields.exit_code) container.exit_code = static_cast<int>(*fields.exit_code);
        if (fields.error) container.error = core::NamedError{fields.error->name, fields.error->error};
        for (const ReferenceBinding& one : fields.bindings) {
            container.port_bindings.push_back({one.container_port, one.host_port, one.bind_ip, one.protocol});
        }
        container.started_at = parse_rfc3339(fields.started_at);
        if (fields.restarts) {
            container.restarts.count = std::max<std::int64_t>(fields.restarts->count, 0);
            container.restarts.last_restart_at = parse_rfc3339(fields.restarts->last_restart_at);
        }
        container.metadata_file_ready = fields.metadata_file;
        out_.task.containers.push_back(std::move(container));
        return {};
    }

    Result<void> add_resources() {
        if (fields_.task_limits) {
            ResourceState cgroup;
            cgroup.name = core::kCgroupResource;
            out_.task.resources.push_back(std::move(cgroup));
        }
        for (const auto& [kind, list] : fields_.resources) {
            if (list.is_null()) continue;
            if (!list.is_array()) return bad_record("resources." + kind + ": expected a list");
            if (kind == "credentialspec" && !list.empty()) lacks("gMSA credential specs");
            for (const Json& record : list) {
                if (auto read = add_resource(kind, record); !read) return read;
            }
        }
        const bool any_made = std::any_of(out_.task.containers.begin(), out_.task.containers.end(),
                                          [](const auto& c) { return c.known >= S::Created; });
        for (ResourceState& resource : core::fetched_resources(*definition_)) {
            // where a container still needs what was fetched, it is fetched again (fetched.hpp)
            if (any_made) resource.desired = resource.known = ResourceStatus::Created;
            out_.task.resources.push_back(std::move(resource));
        }
        return {};
    }

    Result<void> add_resource(const std::string& kind, const Json& record) {
        if (kind == "cgroup") {
            const auto cgroup = decode_document<ReferenceCgroup>(record, "resources.cgroup");
            if (!cgroup) return bad_record(cgroup.error().what);
            if (!fields_.task_limits) return {};
            if (cgroup->known == "CREATED") mark_made(out_.task.resources.front());
        }
        if (kind != "dockerVolume") return {};
        const auto volume = decode_document<ReferenceVolume>(record, "resources.dockerVolume");
        if (!volume) return bad_record(volume.error().what);
        ResourceState resource;
        resource.kind = ResourceState::Kind::DockerVolume;
        resource.name = volume->name;
        resource.docker_name =
            volume->configuration.docker_name.empty() ? volume->name : volume->configuration.docker_name;
        resource.shared = volume->configuration.scope == "shared";
        if (volume->known == "CREATED") mark_made(resource);
        if (volume->known == "REMOVED") resource.known = ResourceStatus::Removed;
        out_.task.resources.push_back(std::move(resource));
        return {};
    }

    static void mark_made(ResourceState& resource) { resource.desired = resource.known = ResourceStatus::Created; }

    void stop_if_incomplete() {
        core::TaskState& task = out_.task;
        if (out_.missing.empty() || task.desired == model::TaskStatus::Stopped) return;
        const bool incomplete = std::any_of(task.containers.begin(), task.containers.end(),
                                            [](const auto& c) { return c.known < S::Created; });
        if (!incomplete) return;
        task.desired = model::TaskStatus::Stopped;
        task.stop_reason = core::resource_not_initialised(
            task.arn, join(out_.missing, ", ") + " is not supported by this agent, which took the task over from " +
                          "amazon-ecs-agent before all its containers were made");
    }

    const Json& record_;
    const std::map<std::string, Json>& stored_;
    const core::Identity& identity_;
    ReferenceTask fields_;
    std::shared_ptr<model::Task> definition_;
    std::vector<Made> made_;
    TranslatedTask out_;
};

}  // namespace

Result<TranslatedTask> translate_task(const Json& record, const std::map<std::string, Json>& containers,
                                      const core::Identity& identity, std::uint64_t arrival) {
    if (!record.is_object()) return bad_record("expected an object");
    return Translation(record, containers, identity).run(arrival);
}

}  // namespace nodeagent::takeover
