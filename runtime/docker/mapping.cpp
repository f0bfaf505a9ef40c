#include "runtime/docker/mapping.hpp"

#include <algorithm>
#include <array>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::runtime::docker {

namespace {

constexpr std::size_t kHealthOutputLimit = 1024;

const Json& member(const Json& object, const char* name) {
    static const Json absent;
    if (!object.is_object()) return absent;
    const auto found = object.find(name);
    return found == object.end() ? absent : *found;
}
const Json& member(const Json& object, const char* outer, const char* inner) {
    return member(member(object, outer), inner);
}

std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }
std::string_view view(const Json& value) {
    return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}
bool truth(const Json& value) { return value.is_boolean() && value.get<bool>(); }
std::int64_t number(const Json& value) { return value.is_number_integer() ? value.get<std::int64_t>() : 0; }

/// Seconds since the epoch; nothing beyond the years that nanoseconds can hold.
std::optional<WallTime> time_of_seconds(std::int64_t since_epoch) {
    constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(WallTime::min().time_since_epoch()).count();
    constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch()).count();
    if (since_epoch < kFirst || since_epoch > kLast) return std::nullopt;
    return WallTime(std::chrono::seconds(since_epoch));
}

std::uint16_t port(std::string_view digits) {
    const auto value = parse_integer(digits).value_or(0);
    return value > 0 && value <= 65535 ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
}

std::map<std::string, std::string> text_map(const Json& object) {
    std::map<std::string, std::string> out;
    if (!object.is_object()) return out;
    for (const auto& [key, value] : object.items()) out.emplace(key, text(value));
    return out;
}
std::vector<std::string> text_list(const Json& list) {
    std::vector<std::string> out;
    if (!list.is_array()) return out;
    out.reserve(list.size());
    for (const Json& item : list) out.push_back(text(item));
    return out;
}

std::string without_slash(std::string_view name) {
    if (name.starts_with('/')) name.remove_prefix(1);
    return std::string(name);
}

Health health_view(const Json& health) {
    Health out;
    const std::string_view status = view(member(health, "Status"));
    if (status == "starting") out.status = Health::Status::Starting;
    if (status == "healthy") out.status = Health::Status::Healthy;
    if (status == "unhealthy") out.status = Health::Status::Unhealthy;
    const Json& log = member(health, "Log");
    if (out.status == Health::Status::None || !log.is_array() || log.empty()) return out;
    out.output = truncated(view(member(log.back(), "Output")), kHealthOutputLimit);
    out.exit_code = static_cast<int>(number(member(log.back(), "ExitCode")));
    return out;
}

std::vector<PortBinding> port_bindings(const Json& ports) {
    std::vector<PortBinding> out;
    if (!ports.is_object()) return out;
    for (const auto& [key, hosts] : ports.items()) {  // "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}] or null
        if (!hosts.is_array()) continue;
        const std::size_t slash = key.find('/');
        for (const Json& host : hosts) {
            out.push_back({.container_port = port(std::string_view(key).substr(0, slash)),
                           .host_port = port(view(member(host, "HostPort"))),
                           .host_ip = text(member(host, "HostIp")),
                           .protocol = slash == std::string::npos ? "tcp" : key.substr(slash + 1)});
        }
    }
    return out;
}

/// Names alone before API 1.25, "name=seccomp,profile=default" after.
std::string security_option_name(std::string_view option) {
    if (!option.starts_with("name=")) return std::string(option);
    option.remove_prefix(5);
    return std::string(option.substr(0, option.find(',')));
}

}  // namespace

std::string create_body(const ContainerSpec& spec) {
    std::string body = spec.config.is_object() ? dump_json(spec.config) : "{}";
    body.pop_back();
    if (body.size() > 1) body += ',';
    body += "\"HostConfig\":";
    body += spec.host_config.is_object() ? dump_json(spec.host_config) : "{}";
    body += ",\"NetworkingConfig\":{}}";
    return body;
}

ContainerView container_view(const Json& inspected) {
    ContainerView out;
    out.id = text(member(inspected, "Id"));
    out.name = without_slash(view(member(inspected, "Name")));
    out.image_id = text(member(inspected, "Image"));
    out.image = text(member(inspected, "Config", "Image"));
    out.env = text_list(member(inspected, "Config", "Env"));
    out.cpu_shares = number(member(inspected, "HostConfig", "CpuShares"));
    out.memory_bytes = number(member(inspected, "HostConfig", "Memory"));
    out.created_at = parse_rfc3339(view(member(inspected, "Created")));
    out.labels = text_map(member(inspected, "Config", "Labels"));

    const Json& state = member(inspected, "State");
    const bool running = truth(member(state, "Running"));
    out.error = text(member(state, "Error"));
    out.oom_killed = truth(member(state, "OOMKilled"));
    out.pid = number(member(state, "Pid"));
    out.started_at = parse_rfc3339(view(member(state, "StartedAt")));
    out.finished_at = parse_rfc3339(view(member(state, "FinishedAt")));
    if (running) {
        out.phase = ContainerPhase::Running;
        out.finished_at.reset();  // of the run before this one
    } else if (!truth(member(state, "Dead")) && !out.started_at && out.error.empty()) {
        out.phase = ContainerPhase::Created;
    } else {
        out.phase = ContainerPhase::Stopped;
    }
    if (!running && out.finished_at) out.exit_code = static_cast<int>(number(member(state, "ExitCode")));
    out.health = health_view(member(state, "Health"));

    const Json& network = member(inspected, "NetworkSettings");
    out.ports = port_bindings(member(network, "Ports"));
    out.network_mode = text(member(inspected, "HostConfig", "NetworkMode"));
    if (const Json& networks = member(network, "Networks"); networks.is_object()) {
        for (const auto& [name, settings] : networks.items()) {
            out.networks.push_back({.name = name,
                                    .ipv4_address = text(member(settings, "IPAddress")),
                                    .ipv6_address = text(member(settings, "GlobalIPv6Address"))});
        }
    }
    if (const Json& mounts = member(inspected, "Mounts"); mounts.is_array()) {
        for (const Json& mount : mounts) {
            out.mounts.push_back({.name = text(member(mount, "Name")),
                                  .source = text(member(mount, "Source")),
                                  .destination = text(member(mount, "Destination"))});
        }
    }
    return out;
}

ContainerView listed_container(const Json& element) {
    ContainerView out;
    out.id = text(member(element, "Id"));
    if (const Json& names = member(element, "Names"); names.is_array()) {
        // a linked container is listed under "/app/db" too
        for (const Json& name : names) {
            const std::string plain = without_slash(view(name));
            if (out.name.empty() || plain.find('/') == std::string::npos) out.name = plain;
        }
    }
    out.image_id = text(member(element, "ImageID"));
    out.labels = text_map(member(element, "Labels"));
    if (const std::int64_t created = number(member(element, "Created")); created > 0) {
        out.created_at = time_of_seconds(created);
    }
    const std::string_view state = view(member(element, "State"));
    const std::string_view words = view(member(element, "Status"));  // before API 1.23 there is nothing else
    if (state == "running" || state == "paused" || state == "restarting" ||
        (state.empty() && words.starts_with("Up"))) {
        out.phase = ContainerPhase::Running;
    } else if (state == "created" || (state.empty() && words.starts_with("Created"))) {
        out.phase = ContainerPhase::Created;
    } else {
        out.phase = ContainerPhase::Stopped;
    }
    return out;
}

ImageView image_view(const Json& image) {
    ImageView out;
    out.id = text(member(image, "Id"));
    out.repo_digests = text_list(member(image, "RepoDigests"));
    out.repo_tags = text_list(member(image, "RepoTags"));
    std::erase(out.repo_digests, "<none>@<none>");
    std::erase(out.repo_tags, "<none>:<none>");
    out.env = text_list(member(image, "Config", "Env"));
    out.size = number(member(image, "Size"));
    const Json& created = member(image, "Created");  // a text when inspected, seconds in a listing
    if (created.is_string()) out.created = parse_rfc3339(view(created));
    if (created.is_number_integer()) out.created = time_of_seconds(number(created));
    return out;
}

VolumeSpec volume_view(const Json& volume) {
    return {.name = text(member(volume, "Name")),
            .driver = text(member(volume, "Driver")),
            .driver_opts = text_map(member(volume, "Options")),
            .labels = text_map(member(volume, "Labels"))};
}

std::string volume_body(const VolumeSpec& spec) {
    Json body = Json::object();
    body["Name"] = spec.name;
    if (!spec.driver.empty()) body["Driver"] = spec.driver;
    if (!spec.driver_opts.empty()) body["DriverOpts"] = spec.driver_opts;
    if (!spec.labels.empty()) body["Labels"] = spec.labels;
    return dump_json(body);
}

std::string event_filters() {
    // "health_status" stands for its two forms. `stop` is not asked for: it only repeats the `die` before it.
    return R"({"type":["container"],"event":["create","start","die","oom","health_status","destroy"]})";
}

std::optional<RuntimeEvent> runtime_event(std::string_view line) {
    const Result<Json> parsed = parse_json(line);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    const Json& event = *parsed;
    const Json& type = member(event, "Type");
    if (type.is_string() && view(type) != "container") return std::nullopt;
    const Json& actor = member(event, "Actor");
    std::string_view action = view(member(event, "Action"));
    if (action.empty()) action = view(member(event, "status"));  // daemons before 1.10 say nothing else
    RuntimeEvent out;
    out.container_id = text(member(actor, "ID"));
    if (out.container_id.empty()) out.container_id = text(member(event, "id"));
    if (out.container_id.empty()) return std::nullopt;

    using Kind = RuntimeEvent::Kind;
    if (action == "create") {
        out.kind = Kind::Created;
    } else if (action == "start") {
        out.kind = Kind::Started;
    } else if (action == "die") {
        out.kind = Kind::Exited;
        if (const auto code = parse_integer(view(member(actor, "Attributes", "exitCode")))) {
            out.exit_code = static_cast<int>(*code);
        }
    } else if (action == "oom") {
        out.kind = Kind::Oom;
    } else if (action == "health_status: healthy" || action == "health_status: unhealthy") {
        out.kind = Kind::Health;
    } else if (action == "destroy") {
        out.kind = Kind::Removed;
    } else {
        return std::nullopt;
    }
    return out;
}

bool PullLog::add(std::string_view line) {
    const Result<Json> parsed = parse_json(line);
    if (!parsed || !parsed->is_object()) return false;
    const Json& record = *parsed;
    if (const Json& failure = member(record, "error"); failure.is_string()) {
        error_ = failure.get<std::string>();
        return false;
    }
    if (const Json& failure = member(record, "errorDetail", "message"); failure.is_string()) {
        error_ = failure.get<std::string>();
        return false;
    }
    progress_.status = text(member(record, "status"));
    const std::string_view status = progress_.status;
    const std::string id = text(member(record, "id"));
    if (id.empty() || status.starts_with("Pulling from")) return false;  // the id is the tag's, not a layer's
    const auto [found, is_new] = layers_.try_emplace(id);
    Layer& layer = found->second;
    if (is_new) ++progress_.layers;
    bool changed = is_new;
    if (!layer.done && (status == "Pull complete" || status == "Already exists")) {
        layer.done = changed = true;
        ++progress_.layers_done;
    }
    std::uint64_t current = layer.current;
    if (status == "Downloading") {
        const Json& detail = member(record, "progressDetail");
        const std::int64_t heard_total = number(member(detail, "total"));
        const std::int64_t heard = number(member(detail, "current"));
        if (heard_total <= 0 || heard < 0) return changed;
        current = static_cast<std::uint64_t>(heard);
        progress_.total_bytes += static_cast<std::uint64_t>(heard_total) - layer.total;
        layer.total = static_cast<std::uint64_t>(heard_total);
        changed = true;
    } else if (layer.done || status == "Download complete") {
        current = layer.total;
    }
    changed = changed || current != layer.current;
    progress_.current_bytes += current - layer.current;
    layer.current = current;
    return changed;
}

std::string registry_auth_header(const RegistryAuth& auth, bool newline) {
    // member order, omission of empty members and HTML escaping are those of Go's encoder
    std::string json = "{";
    const auto field = [&json](std::string_view name, const std::string& value) {
        if (value.empty()) return;
        if (json.size() > 1) json += ',';
        json += '"';
        json += name;
        json += "\":";
        append_json_string(json, value, true);
    };
    field("username", auth.username);
    field("password", auth.password.reveal());
    field("email", auth.email);
    field("serveraddress", auth.server_address);
    json += '}';
    if (newline) json += '\n';
    return base64url_encode(json);
}

ErrorKind kind_of_pull_error(std::string_view text, ErrorKind otherwise) {
    const std::string words = lower(text);
    const auto says = [&words](std::string_view part) { return words.find(part) != std::string::npos; };
    if (says("denied") || says("unauthorized") || says("no basic auth credentials")) return ErrorKind::Denied;
    if (says("toomanyrequests") || says("too many requests")) return ErrorKind::Throttled;
    if (says("manifest unknown") || (says("manifest for") && says("not found"))) return ErrorKind::NotFound;
    return otherwise;
}

Error daemon_error(int status, std::string_view body) {
    Error error;
    switch (status) {
        case 400: error.kind = ErrorKind::Malformed; break;
        case 401:
        case 403: error.kind = ErrorKind::Denied; break;
        case 404: error.kind = ErrorKind::NotFound; break;
        case 409: error.kind = ErrorKind::Conflict; break;
        case 429: error.kind = ErrorKind::Throttled; break;
        case 503: error.kind = ErrorKind::Unavailable; break;
        default: error.kind = ErrorKind::Internal; break;
    }
    const Result<Json> document = parse_json(body);
    const bool object = document.has_value() && document->is_object();
    std::string message = object ? text(member(*document, "message")) : std::string();
    if (message.empty() && !object) message = truncated(trimmed(body), 1024);
    if (message.empty()) message = "HTTP status " + std::to_string(status);
    error.what = "Error response from daemon: " + std::string(trimmed(message));
    return error;
}

std::optional<ManifestDescriptor> manifest_descriptor(const Json& distribution) {
    const Json& descriptor = member(distribution, "Descriptor");
    if (!descriptor.is_object()) return std::nullopt;
    return ManifestDescriptor{.media_type = text(member(descriptor, "mediaType")),
                              .digest = text(member(descriptor, "digest"))};
}

DaemonVersion daemon_version(const Json& document) {
    return {.version = text(member(document, "Version")),
            .api_version = text(member(document, "ApiVersion")),
            .min_api_version = text(member(document, "MinAPIVersion"))};
}

void add_daemon_facts(const Json& system, Capabilities& capabilities) {
    capabilities.cgroup_v2 = view(member(system, "CgroupVersion")) == "2";
    capabilities.systemd_cgroup_driver = view(member(system, "CgroupDriver")) == "systemd";
    capabilities.data_root = text(member(system, "DockerRootDir"));
    capabilities.security_options.clear();
    for (const std::string& option : text_list(member(system, "SecurityOptions"))) {
        capabilities.security_options.push_back(security_option_name(option));
    }
}

std::vector<std::string> volume_plugins(const Json& plugins) {
    std::vector<std::string> out;
    if (!plugins.is_array()) return out;
    for (const Json& plugin : plugins) {
        if (!truth(member(plugin, "Enabled"))) continue;
        const Json& types = member(member(plugin, "Config"), "Interface", "Types");
        const auto is_volume_driver = [](const Json& type) {  // "docker.volumedriver/1.0" or its three parts
            return type.is_string() ? view(type).starts_with("docker.volumedriver/")
                                    : view(member(type, "Capability")) == "volumedriver";
        };
        if (!types.is_array() || std::none_of(types.begin(), types.end(), is_volume_driver)) continue;
        std::string name = text(member(plugin, "Name"));
        const std::size_t colon = name.rfind(':');
        if (colon != std::string::npos && name.substr(colon + 1) == "latest") out.push_back(name.substr(0, colon));
        std::replace(name.begin(), name.end(), ':', '.');
        out.push_back(std::move(name));
    }
    return out;
}

}  // namespace nodeagent::runtime::docker
