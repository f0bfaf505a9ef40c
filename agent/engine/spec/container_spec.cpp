#include "agent/engine/spec/container_spec.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/metadata_file.hpp"
#include "agent/engine/spec/docker_documents.hpp"
#include "agent/engine/spec/environment.hpp"
#include "agent/engine/spec/log_config.hpp"
#include "agent/engine/spec/volumes.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kSmallestMemory = 4 * kMiB;  // Docker refuses less
constexpr std::int64_t kFewestShares = 2;           // the kernel's own bounds
constexpr std::int64_t kMostShares = 262144;

using Failure = std::optional<SpecError>;

SpecError host_config_error(std::string message) { return {"HostConfigError", std::move(message)}; }

/// {"command": [...]}, or a string that holds it.
const Json* overriding_command(const model::Container& definition, Json& parsed) {
    const Json* document = &definition.overrides;
    if (document->is_string()) {
        Result<Json> inner = parse_json(document->get_ref<const std::string&>());
        if (!inner) return nullptr;
        parsed = std::move(*inner);
        document = &parsed;
    }
    if (!document->is_object()) return nullptr;
    const auto command = document->find("command");
    return command != document->end() && command->is_array() ? &*command : nullptr;
}

std::string port_key(std::uint32_t port, const std::string& protocol) { return std::to_string(port) + "/" + protocol; }

Json exposed_ports(const core::ContainerState& container) {
    Json ports = Json::object();
    for (const core::PortAssignment& port : container.port_assignments) {
        ports[port_key(port.container_port, port.protocol)] = Json::object();
    }
    return ports;
}

Json port_bindings(const core::ContainerState& container) {
    Json bindings = Json::object();
    for (const core::PortAssignment& port : container.port_assignments) {
        Json binding = Json::object();
        binding["HostIp"] = "";
        binding["HostPort"] = std::to_string(port.host_port);
        bindings[port_key(port.container_port, port.protocol)].push_back(std::move(binding));
    }
    return bindings;
}

Failure add_links(Json& host_config, const core::TaskState& task, const model::Container& definition) {
    Json& links = host_config["Links"] = Json::array();
    for (const std::string& link : definition.links) {
        const auto parts = split(link, ':');
        if (parts.size() > 2) return host_config_error("Invalid link format");
        const core::ContainerState* target = task.find(parts[0]);
        if (target == nullptr || target->docker_name.empty()) {
            return host_config_error("Link target not available: " + std::string(parts[0]));
        }
        links.push_back(target->docker_name + ":" + std::string(parts.back()));
    }
    return std::nullopt;
}

Failure add_volumes_from(Json& host_config, const core::TaskState& task, const model::Container& definition) {
    Json& sources = host_config["VolumesFrom"] = Json::array();
    for (const model::VolumeFrom& from : definition.volumes_from) {
        const core::ContainerState* target = task.find(from.source_container);
        if (target == nullptr || target->docker_name.empty()) {
            return host_config_error("Volume target not available: " + from.source_container);
        }
        sources.push_back(target->docker_name + (from.read_only ? ":ro" : ""));
    }
    return std::nullopt;
}

Failure add_binds(Json& host_config, const core::TaskState& task, const model::Container& definition) {
    Json& binds = host_config["Binds"] = Json::array();
    for (const model::MountPoint& mount : definition.mount_points) {
        const Result<std::string> source = bind_source(task, mount.source_volume);
        if (!source) return host_config_error(source.error().what);
        if (source->empty() || mount.container_path.empty()) {
            return host_config_error("Unable to resolve volume mounts; invalid path: " + definition.name + " " +
                                     mount.source_volume + "; " + *source + " -> " + mount.container_path);
        }
        binds.push_back(*source + ":" + mount.container_path + (mount.read_only ? ":ro" : ""));
    }
    return std::nullopt;
}

void add_metadata_file(Json& host_config, const core::ContainerState& container, const SpecContext& context) {
    if (context.metadata_file_source.empty()) return;
    Json& binds = host_config["Binds"];
    if (!binds.is_array()) binds = Json::array();
    binds.push_back(context.metadata_file_source + ":" + core::metadata_file_folder(container) +
                    (context.selinux ? ":Z" : ""));
}

std::int64_t memory_bytes(const core::TaskState& task, const model::Container& definition, const SpecContext& context) {
    std::int64_t mebibytes = definition.memory;
    // cgroup v2 gives a container without a limit the whole task's, but tools inside read only their own limit
    if (mebibytes == 0 && context.propagate_memory_limit && context.cgroup_v2) mebibytes = task.definition->memory;
    const std::int64_t bytes = mebibytes * kMiB;
    return bytes > 0 ? std::max(bytes, kSmallestMemory) : 0;
}

Failure add_devices(Json& host_config, const core::TaskState& task, const core::ContainerState& container,
                    const std::map<std::string, std::string>& environment, const SpecContext& context) {
    const auto& associations = task.definition->associations;
    const bool gpu_task = std::any_of(associations.begin(), associations.end(),
                                      [](const model::Association& a) { return a.type == "gpu"; });
    if (context.gpu_support && !context.external && gpu_task && environment.contains("NVIDIA_VISIBLE_DEVICES")) {
        if (context.nvidia_runtime.empty()) return host_config_error("Runtime is not set for GPU containers");
        host_config["Runtime"] = context.nvidia_runtime;
    }
    if (context.gpu_support && context.external) {
        Json request = Json::object();
        request["Capabilities"] = Json::array({Json::array({"gpu"})});
        request["DeviceIDs"] = gpu_ids(*task.definition, container.name);
        host_config["DeviceRequests"] = Json::array({std::move(request)});
    }
    if (context.inferentia_support && environment.contains("AWS_NEURON_VISIBLE_DEVICES")) {
        host_config["Runtime"] = "neuron";
    }
    return std::nullopt;
}

/// The namespaces that pidMode and ipcMode of the task choose; the payload's document may not. task-engine.md 3.5.
Failure set_namespaces(Json& host_config, const core::TaskState& task, const core::ContainerState& container) {
    const std::string& pid_mode = task.definition->pid_mode;
    const std::string& ipc_mode = task.definition->ipc_mode;
    if (core::is_internal(container)) {
        host_config["NetworkMode"] = "none";
        if (container.kind == core::ContainerKind::NamespacePause && ipc_mode == "task") {
            host_config["IpcMode"] = "shareable";
        }
        return std::nullopt;
    }
    if (pid_mode == "host") host_config["PidMode"] = pid_mode;
    if (ipc_mode == "host" || ipc_mode == "none") host_config["IpcMode"] = ipc_mode;
    if (pid_mode != "task" && ipc_mode != "task") return std::nullopt;
    const core::ContainerState* pause = task.find(core::kNamespacePauseName);
    if (pause == nullptr || pause->runtime_id.empty()) {
        return host_config_error("the container that keeps the task's shared namespaces does not exist");
    }
    if (pid_mode == "task") host_config["PidMode"] = "container:" + pause->runtime_id;
    if (ipc_mode == "task") host_config["IpcMode"] = "container:" + pause->runtime_id;
    return std::nullopt;
}

void set_labels(Json& config, const core::TaskState& task, const core::ContainerState& container,
                const SpecContext& context) {
    Json& labels = config["Labels"];
    if (!labels.is_object()) labels = Json::object();
    if (core::is_internal(container)) {
        for (const auto& [name, value] : context.pause_labels) labels[name] = value;
    }
    labels["com.amazonaws.ecs.task-arn"] = task.arn;
    labels["com.amazonaws.ecs.container-name"] = container.name;
    labels["com.amazonaws.ecs.task-definition-family"] = task.definition->family;
    labels["com.amazonaws.ecs.task-definition-version"] = task.definition->version;
    labels["com.amazonaws.ecs.cluster"] = context.cluster;
}

Failure fill_config(Json& config, const core::TaskState& task, const core::ContainerState& container,
                    const std::map<std::string, std::string>& environment, const SpecContext& context) {
    const model::Container& definition = *container.definition;
    config["Image"] = definition.image;
    Json overrides;
    if (const Json* command = overriding_command(definition, overrides)) {
        config["Cmd"] = *command;
    } else {
        config["Cmd"] = definition.command ? Json(*definition.command) : Json(nullptr);
    }
    config["Entrypoint"] = definition.entry_point ? Json(*definition.entry_point) : Json(nullptr);
    Json& variables = config["Env"] = Json::array();
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    config["ExposedPorts"] = exposed_ports(container);

    if (definition.docker_config) {
        if (const auto merged = merge_config(config, definition.docker_config->config); !merged) {
            return SpecError{"DockerClientConfigError", "Unable decode given docker config: " + merged.error().what};
        }
    }
    const auto check = config.find("Healthcheck");
    if (definition.health_check_type == "docker" && (check == config.end() || check->is_null())) {
        return SpecError{"DockerClientConfigError",
                         "docker health check is nil while container health check type is DOCKER"};
    }
    set_labels(config, task, container, context);
    return std::nullopt;
}

Failure fill_host_config(Json& host_config, const core::TaskState& task, const core::ContainerState& container,
                         const std::map<std::string, std::string>& environment, const SpecContext& context) {
    const model::Container& definition = *container.definition;
    if (auto failed = add_links(host_config, task, definition)) return failed;
    host_config["PortBindings"] = port_bindings(container);
    if (auto failed = add_volumes_from(host_config, task, definition)) return failed;
    if (auto failed = add_binds(host_config, task, definition)) return failed;
    host_config["Memory"] = memory_bytes(task, definition, context);
    host_config["CpuShares"] = std::clamp(definition.cpu, kFewestShares, kMostShares);
    if (auto failed = add_devices(host_config, task, container, environment, context)) return failed;

    if (definition.docker_config) {
        if (const auto merged = merge_host_config(host_config, definition.docker_config->host_config); !merged) {
            return host_config_error("Unable to decode given host config: " + merged.error().what);
        }
    }
    // what the payload's document may not choose
    add_metadata_file(host_config, container, context);
    if (!context.cgroup_parent.empty()) host_config["CgroupParent"] = context.cgroup_parent;
    if (auto failed = set_namespaces(host_config, task, container)) return failed;
    return complete_log_config(host_config, task, container, context);
}

}  // namespace

boost::system::result<runtime::ContainerSpec, SpecError> container_spec(const core::TaskState& task,
                                                                        const core::ContainerState& container,
                                                                        const SpecContext& context) {
    const auto environment = container_environment(task, container, context);
    runtime::ContainerSpec spec;
    spec.name = container.docker_name;
    if (container.definition->docker_config) spec.api_version = container.definition->docker_config->version;
    spec.config = Json::object();
    spec.host_config = Json::object();
    if (auto failed = fill_host_config(spec.host_config, task, container, environment, context)) return *failed;
    if (auto failed = fill_config(spec.config, task, container, environment, context)) return *failed;
    return spec;
}

}  // namespace nodeagent::engine
