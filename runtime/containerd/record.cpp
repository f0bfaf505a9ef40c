#include "runtime/containerd/record.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/containerd/images/image_store.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kJsonType = "nodeagent/json";

std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

const Json& member(const Json& object, const char* name) {
    static const Json absent;
    const auto found = object.find(name);
    return found == object.end() ? absent : *found;
}

Opaque as_extension(const Json& document) { return {.type_url = kJsonType, .value = dump_json(document)}; }

/// Null when it is not there, or is no object.
Json extension(const Container& container, const char* key) {
    const auto found = container.extensions.find(key);
    if (found == container.extensions.end()) return {};
    auto document = parse_json(found->second.value);
    if (!document || !document->is_object()) return {};
    return *std::move(document);
}

void put_time(Json& document, const char* name, const std::optional<WallTime>& when) {
    if (when) document[name] = rfc3339_nanos(*when);
}

std::vector<PortBinding> ports_of(const Json& list) {
    std::vector<PortBinding> ports;
    if (!list.is_array()) return ports;
    for (const Json& one : list) {
        if (!one.is_object()) continue;
        ports.push_back({.container_port = static_cast<std::uint16_t>(number(one, "ContainerPort")),
                         .host_port = static_cast<std::uint16_t>(number(one, "HostPort")),
                         .host_ip = text(one, "HostIp"),
                         .protocol = text(one, "Protocol")});
    }
    return ports;
}

std::vector<Network> networks_of(const Json& list) {
    std::vector<Network> networks;
    if (!list.is_array()) return networks;
    for (const Json& one : list) {
        if (!one.is_object()) continue;
        networks.push_back(
            {.name = text(one, "Name"), .ipv4_address = text(one, "IPv4"), .ipv6_address = text(one, "IPv6")});
    }
    return networks;
}

std::optional<HealthCheck> health_check_of(const Json& document) {
    if (!document.is_object()) return std::nullopt;
    HealthCheck check;
    if (const Json& command = member(document, "Command"); command.is_array()) {
        for (const Json& word : command) {
            if (word.is_string()) check.command.push_back(word.get<std::string>());
        }
    }
    check.interval = std::chrono::nanoseconds(number(document, "Interval"));
    check.timeout = std::chrono::nanoseconds(number(document, "Timeout"));
    check.start_period = std::chrono::nanoseconds(number(document, "StartPeriod"));
    check.retries = static_cast<int>(number(document, "Retries"));
    if (check.command.empty() || check.interval.count() <= 0) return std::nullopt;
    return check;
}

/// The environment that the process gets, of the OCI document.
std::vector<std::string> env_of(const std::string& spec) {
    std::vector<std::string> env;
    const auto document = parse_json(spec);
    if (!document || !document->is_object()) return env;
    const Json& list = member(member(*document, "process"), "env");
    if (!list.is_array()) return env;
    for (const Json& one : list) {
        if (one.is_string()) env.push_back(one.get<std::string>());
    }
    return env;
}

ContainerPhase phase_of(const Life& life, const Process* task) {
    if (task != nullptr) {
        switch (task->status) {
            case TaskStatus::Running:
            case TaskStatus::Paused:
            case TaskStatus::Pausing: return ContainerPhase::Running;
            case TaskStatus::Stopped: return ContainerPhase::Stopped;
            case TaskStatus::Created: return ContainerPhase::Created;
            case TaskStatus::Unknown: break;
        }
        // its shim does not answer: it is busy, or waits for the logging program. What was written down counts.
        if (life.finished_at) return ContainerPhase::Stopped;
        return life.started_at ? ContainerPhase::Running : ContainerPhase::Created;
    }
    return life.started_at || !life.error.empty() ? ContainerPhase::Stopped : ContainerPhase::Created;
}

}  // namespace

Opaque encode(const Creation& creation) {
    Json document = Json::object();
    document["Name"] = creation.name;
    document["Image"] = creation.image;
    document["ImageId"] = creation.image_id;
    document["Config"] = creation.config;
    document["HostConfig"] = creation.host_config;
    Json mounts = Json::array();
    for (const Mount& mount : creation.mounts) {
        Json one = Json::object();
        one["Name"] = mount.name;
        one["Source"] = mount.source;
        one["Destination"] = mount.destination;
        if (mount.read_only) one["ReadOnly"] = true;
        if (!mount.propagation.empty()) one["Propagation"] = mount.propagation;
        mounts.push_back(std::move(one));
    }
    document["Mounts"] = std::move(mounts);
    document["AnonymousVolumes"] = creation.anonymous_volumes;
    document["StopSignal"] = creation.stop_signal;
    if (creation.health_check) {
        Json check = Json::object();
        check["Command"] = creation.health_check->command;
        check["Interval"] = creation.health_check->interval.count();
        check["Timeout"] = creation.health_check->timeout.count();
        check["StartPeriod"] = creation.health_check->start_period.count();
        check["Retries"] = creation.health_check->retries;
        document["HealthCheck"] = std::move(check);
    }
    return as_extension(document);
}

Opaque encode(const Life& life) {
    Json document = Json::object();
    put_time(document, "StartedAt", life.started_at);
    put_time(document, "FinishedAt", life.finished_at);
    if (life.exit_code) document["ExitCode"] = *life.exit_code;
    if (life.oom_killed) document["OOMKilled"] = true;
    if (!life.error.empty()) document["Error"] = life.error;
    Json ports = Json::array();
    for (const PortBinding& port : life.ports) {
        Json one = Json::object();
        one["ContainerPort"] = port.container_port;
        one["HostPort"] = port.host_port;
        one["HostIp"] = port.host_ip;
        one["Protocol"] = port.protocol;
        ports.push_back(std::move(one));
    }
    document["Ports"] = std::move(ports);
    Json networks = Json::array();
    for (const Network& network : life.networks) {
        Json one = Json::object();
        one["Name"] = network.name;
        one["IPv4"] = network.ipv4_address;
        one["IPv6"] = network.ipv6_address;
        networks.push_back(std::move(one));
    }
    document["Networks"] = std::move(networks);
    if (life.attached) document["Attached"] = true;
    return as_extension(document);
}

Result<Creation> creation_of(const Container& container) {
    const Json document = extension(container, kCreationKey);
    if (document.is_null()) {
        return Error{.kind = ErrorKind::Malformed, .what = "container " + container.id + " is none of this agent's"};
    }
    Creation creation;
    creation.name = text(document, "Name");
    creation.image = text(document, "Image");
    creation.image_id = text(document, "ImageId");
    creation.config = member(document, "Config");
    creation.host_config = member(document, "HostConfig");
    if (!creation.config.is_object()) creation.config = Json::object();
    if (!creation.host_config.is_object()) creation.host_config = Json::object();
    if (const Json& mounts = member(document, "Mounts"); mounts.is_array()) {
        for (const Json& one : mounts) {
            if (!one.is_object()) continue;
            creation.mounts.push_back({.name = text(one, "Name"),
                                       .source = text(one, "Source"),
                                       .destination = text(one, "Destination"),
                                       .read_only = one.contains("ReadOnly"),
                                       .propagation = text(one, "Propagation")});
        }
    }
    if (const Json& volumes = member(document, "AnonymousVolumes"); volumes.is_array()) {
        for (const Json& one : volumes) {
            if (one.is_string()) creation.anonymous_volumes.push_back(one.get<std::string>());
        }
    }
    if (const std::int64_t signal = number(document, "StopSignal"); signal > 0 && signal <= 64) {
        creation.stop_signal = static_cast<int>(signal);
    }
    creation.health_check = health_check_of(member(document, "HealthCheck"));
    return creation;
}

Life life_of(const Container& container) {
    const Json document = extension(container, kLifeKey);
    Life life;
    if (document.is_null()) return life;
    life.started_at = parse_rfc3339(text(document, "StartedAt"));
    life.finished_at = parse_rfc3339(text(document, "FinishedAt"));
    if (const Json& code = member(document, "ExitCode"); code.is_number_integer()) life.exit_code = code.get<int>();
    const Json& oom = member(document, "OOMKilled");
    life.oom_killed = oom.is_boolean() && oom.get<bool>();
    life.error = text(document, "Error");
    life.ports = ports_of(member(document, "Ports"));
    life.networks = networks_of(member(document, "Networks"));
    const Json& attached = member(document, "Attached");
    life.attached = attached.is_boolean() && attached.get<bool>();
    return life;
}

ContainerView listed_view(const Container& container, const Process* task) {
    ContainerView view;
    view.id = container.id;
    view.labels = container.labels;
    if (const auto name = view.labels.extract(kNameLabel); !name.empty()) view.name = name.mapped();
    view.labels.erase(kImageIdLabel);
    view.created_at = container.created_at;
    view.phase = phase_of(life_of(container), task);
    if (const auto creation = creation_of(container)) view.image_id = creation->image_id;
    return view;
}

ContainerView view_of(const Container& container, const Process* task) {
    ContainerView view = listed_view(container, task);
    const auto creation = creation_of(container);
    if (!creation) return view;
    view.image = creation->image;
    view.env = env_of(container.spec);
    view.cpu_shares = number(creation->host_config, "CpuShares");
    view.memory_bytes = number(creation->host_config, "Memory");
    view.network_mode = text(creation->host_config, "NetworkMode");
    view.mounts = creation->mounts;
    Life life = life_of(container);
    view.started_at = life.started_at;
    view.error = std::move(life.error);
    view.oom_killed = life.oom_killed;
    if (view.phase == ContainerPhase::Running) {
        view.pid = task->pid;
        view.ports = std::move(life.ports);
        view.networks = std::move(life.networks);
        return view;
    }
    view.finished_at = life.finished_at;
    if (view.finished_at) view.exit_code = life.exit_code;
    // Docker keeps the network's name
    for (Network& network : life.networks)
        view.networks.push_back({.name = std::move(network.name), .ipv4_address = {}, .ipv6_address = {}});
    return view;
}

}  // namespace nodeagent::runtime::containerd
