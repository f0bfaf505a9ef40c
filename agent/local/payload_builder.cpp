#include "agent/local/payload_builder.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"
#include "agent/local/arn.hpp"
#include "agent/local/docker_config.hpp"
#include "agent/local/registration_rules.hpp"

namespace nodeagent::local {
namespace {

void apply(ContainerDefinition& container, const ContainerOverride& change) {
    if (change.cpu) container.cpu = *change.cpu;
    if (change.memory) container.memory = change.memory;
    if (change.memory_reservation) container.memory_reservation = change.memory_reservation;
    if (!change.environment_files.empty()) container.environment_files = change.environment_files;
    if (!change.resource_requirements.empty()) container.resource_requirements = change.resource_requirements;
    for (const NameValue& variable : change.environment) {
        const auto same = [&](const NameValue& other) { return other.name == variable.name; };
        std::erase_if(container.environment, same);
        container.environment.push_back(variable);
    }
}

std::string execution_environment(const std::string& launch_type) {
    return launch_type == "EXTERNAL" ? "AWS_ECS_EXTERNAL" : "AWS_ECS_EC2";
}

OrderedJson environment_of(const ContainerDefinition& container, const std::string& launch_type) {
    OrderedJson environment = OrderedJson::object();
    environment["AWS_EXECUTION_ENV"] = execution_environment(launch_type);
    for (const NameValue& variable : container.environment) environment[variable.name] = variable.value;
    return environment;
}

OrderedJson secret_json(const SecretDefinition& secret, const std::string& region, std::string_view target) {
    const auto parts = split(secret.value_from, ':');
    const bool is_arn = secret.value_from.starts_with("arn:") && parts.size() >= 6;
    OrderedJson out;
    out["name"] = secret.name;
    out["valueFrom"] = secret.value_from;
    out["region"] = is_arn ? std::string(parts[3]) : region;
    out["type"] = target == "LOG_DRIVER" ? "BOOTSTRAP" : "ENVIRONMENT_VARIABLE";
    out["provider"] = is_arn && parts[2] == "secretsmanager" ? "asm" : "ssm";
    out["target"] = target;
    return out;
}

OrderedJson port_mappings_json(const ContainerDefinition& container) {
    OrderedJson out = OrderedJson::array();
    for (const PortMappingDefinition& mapping : container.port_mappings) {
        OrderedJson entry;
        if (mapping.container_port_range.empty()) {
            entry["containerPort"] = mapping.container_port.value_or(0);
            entry["hostPort"] = mapping.host_port.value_or(0);
        } else {
            entry["containerPortRange"] = mapping.container_port_range;
        }
        entry["protocol"] = mapping.protocol.empty() ? "tcp" : mapping.protocol;
        out.push_back(std::move(entry));
    }
    return out;
}

std::optional<OrderedJson> registry_authentication(const ContainerDefinition& container, const std::string& region,
                                                   bool has_execution_role) {
    OrderedJson out;
    if (container.repository_credentials) {
        const std::string& parameter = container.repository_credentials->credentials_parameter;
        const auto parts = split(parameter, ':');
        out["type"] = "asm";
        out["asmAuthData"]["credentialsParameter"] = parameter;
        out["asmAuthData"]["region"] = parts.size() >= 6 ? std::string(parts[3]) : region;
        return out;
    }
    const auto ecr = parse_ecr_image(container.image);
    if (!ecr) return std::nullopt;
    out["type"] = "ecr";
    out["ecrAuthData"]["region"] = ecr->region;
    out["ecrAuthData"]["registryId"] = ecr->registry_id;
    out["ecrAuthData"]["useExecutionRole"] = has_execution_role;
    return out;
}

OrderedJson container_json(const EffectiveContainer& effective, const PayloadInput& input) {
    const ContainerDefinition& c = effective.definition;
    const std::int64_t memory = c.memory.value_or(0);
    OrderedJson out;
    out["name"] = c.name;
    out["image"] = c.image;
    if (c.command) out["command"] = *c.command;
    if (c.entry_point) out["entryPoint"] = *c.entry_point;
    out["environment"] = environment_of(c, input.task.launch_type);
    out["essential"] = c.is_essential();
    out["cpu"] = c.cpu;
    out["memory"] = memory;
    out["links"] = c.links;
    out["mountPoints"] = OrderedJson::array();
    for (const MountPointDefinition& mount : c.mount_points) {
        out["mountPoints"].push_back({{"sourceVolume", mount.source_volume},
                                      {"containerPath", mount.container_path},
                                      {"readOnly", mount.read_only.value_or(false)}});
    }
    out["volumesFrom"] = OrderedJson::array();
    for (const VolumeFromDefinition& from : c.volumes_from) {
        out["volumesFrom"].push_back(
            {{"sourceContainer", from.source_container}, {"readOnly", from.read_only.value_or(false)}});
    }
    out["portMappings"] = port_mappings_json(c);
    out["secrets"] = OrderedJson::array();
    for (const SecretDefinition& secret : c.secrets)
        out["secrets"].push_back(secret_json(secret, input.region, "CONTAINER"));
    if (c.log_configuration) {
        for (const SecretDefinition& secret : c.log_configuration->secret_options) {
            out["secrets"].push_back(secret_json(secret, input.region, "LOG_DRIVER"));
        }
        if (c.log_configuration->log_driver == "awslogs" && input.execution_role != nullptr) {
            out["logsAuthStrategy"] = "ExecutionRole";
        }
    }
    OrderedJson overrides = OrderedJson::object();
    if (effective.command_override) overrides["command"] = *effective.command_override;
    out["overrides"] = dump_json(overrides);
    const std::string_view task_id = std::string_view(input.task.arn).substr(input.task.arn.rfind('/') + 1);
    const DockerConfigTexts texts =
        docker_config(c, task_id, input.definition.effective_network_mode(), memory, c.memory_reservation.value_or(0));
    out["dockerConfig"] = {{"config", texts.config}, {"hostConfig", texts.host_config}, {"version", texts.version}};
    for (const TaskContainer& container : input.task.containers) {
        if (container.name == c.name) out["containerArn"] = container.arn;
    }
    if (c.health_check) out["healthCheckType"] = "docker";
    if (c.start_timeout) out["startTimeout"] = *c.start_timeout;
    if (c.stop_timeout) out["stopTimeout"] = *c.stop_timeout;
    for (const DependencyDefinition& dependency : c.depends_on) {
        out["dependsOn"].push_back({{"containerName", dependency.container_name}, {"condition", dependency.condition}});
    }
    for (const EnvironmentFileDefinition& file : c.environment_files) {
        out["environmentFiles"].push_back({{"type", file.type}, {"value", file.value}});
    }
    if (c.restart_policy) {
        out["restartPolicy"]["enabled"] = c.restart_policy->enabled;
        out["restartPolicy"]["ignoredExitCodes"] = c.restart_policy->ignored_exit_codes;
        out["restartPolicy"]["restartAttemptPeriod"] = c.restart_policy->restart_attempt_period.value_or(300);
    }
    if (c.firelens_configuration) {
        out["firelensConfiguration"] = {{"type", c.firelens_configuration->type},
                                        {"options", c.firelens_configuration->options}};
    }
    if (!c.credential_specs.empty()) out["credentialSpecs"] = c.credential_specs;
    const bool has_execution_role = !input.task.execution_role_arn.empty();
    if (auto authentication = registry_authentication(c, input.region, has_execution_role)) {
        out["registryAuthentication"] = std::move(*authentication);
    }
    return out;
}

OrderedJson volume_json(const VolumeDefinition& volume) {
    OrderedJson out;
    out["name"] = volume.name;
    if (volume.docker) {
        const DockerVolumeDefinition& docker = *volume.docker;
        out["type"] = "docker";
        OrderedJson& configuration = out["dockerVolumeConfiguration"];
        configuration["scope"] = docker.scope.empty() ? "task" : docker.scope;
        configuration["autoprovision"] = docker.autoprovision.value_or(false);
        configuration["driver"] = docker.driver.empty() ? "local" : docker.driver;
        configuration["driverOpts"] = docker.driver_opts;
        configuration["labels"] = docker.labels;
        return out;
    }
    if (volume.efs) {
        out["type"] = "efs";
        out["efsVolumeConfiguration"] = to_json_document(*volume.efs);
        return out;
    }
    out["host"] = OrderedJson::object();
    if (volume.host && !volume.host->source_path.empty()) out["host"]["sourcePath"] = volume.host->source_path;
    return out;
}

}  // namespace

ApiOutcome<std::vector<EffectiveContainer>> effective_containers(const TaskDefinition& definition,
                                                                 const TaskOverride& overrides) {
    std::vector<EffectiveContainer> containers;
    for (const ContainerDefinition& container : definition.containers) containers.push_back({container, std::nullopt});
    for (const ContainerOverride& change : overrides.containers) {
        const auto named = std::find_if(containers.begin(), containers.end(), [&](const EffectiveContainer& container) {
            return container.definition.name == change.name;
        });
        if (named == containers.end()) {
            return invalid_parameter("Override for container named " + change.name +
                                     " is not a container in the TaskDefinition.");
        }
        apply(named->definition, change);
        if (change.command) named->command_override = change.command;
    }
    return containers;
}

ApiOutcome<Demand> demand_of(const TaskDefinition& definition, const TaskOverride& overrides) {
    auto containers = effective_containers(definition, overrides);
    if (!containers) return std::move(containers).error();
    Demand demand;
    for (const EffectiveContainer& effective : *containers) {
        const ContainerDefinition& container = effective.definition;
        if (container.cpu < 0 || container.memory.value_or(0) < 0 || container.memory_reservation.value_or(0) < 0) {
            return invalid_parameter("Override for container named " + container.name +
                                     " has a negative cpu or memory.");
        }
        demand.cpu += container.cpu;
        // a soft limit is what a task is placed by; the hard one may be overcommitted
        demand.memory += container.memory_reservation ? *container.memory_reservation : container.memory.value_or(0);
        for (const PortMappingDefinition& mapping : container.port_mappings) {
            if (mapping.host_port.value_or(0) == 0) continue;
            (mapping.protocol == "udp" ? demand.udp_ports : demand.tcp_ports).push_back(*mapping.host_port);
        }
        for (const ResourceRequirement& requirement : container.resource_requirements) {
            if (requirement.type == "GPU") demand.gpus += parse_integer(requirement.value).value_or(0);
        }
    }
    const std::string& cpu = overrides.cpu.empty() ? definition.cpu : overrides.cpu;
    const std::string& memory = overrides.memory.empty() ? definition.memory : overrides.memory;
    if (!cpu.empty()) {
        const auto units = parse_cpu_units(cpu);
        if (!units) return invalid_parameter("Invalid 'cpu' setting for task: '" + cpu + "'.");
        demand.cpu = *units;
    }
    if (!memory.empty()) {
        const auto mib = parse_memory_mib(memory);
        if (!mib) return invalid_parameter("Invalid 'memory' setting for task: '" + memory + "'.");
        demand.memory = *mib;
    }
    return demand;
}

OrderedJson role_credentials_json(const std::string& credentials_id, const IssuedCredentials& credentials) {
    OrderedJson out;
    out["credentialsId"] = credentials_id;
    out["roleArn"] = credentials.role_arn;
    out["accessKeyId"] = credentials.access_key_id;
    out["secretAccessKey"] = credentials.secret_access_key.reveal();
    out["sessionToken"] = credentials.session_token.reveal();
    out["expiration"] = credentials.expiration;
    return out;
}

OrderedJson build_payload_task(const PayloadInput& input) {
    const Task& task = input.task;
    const TaskDefinition& definition = input.definition;
    OrderedJson out;
    out["arn"] = task.arn;
    out["family"] = definition.family;
    out["version"] = std::to_string(definition.revision);
    out["desiredStatus"] = task.desired_status;
    out["overrides"] = "{}";
    out["networkMode"] = definition.effective_network_mode();
    if (!definition.pid_mode.empty()) out["pidMode"] = definition.pid_mode;
    if (!definition.ipc_mode.empty()) out["ipcMode"] = definition.ipc_mode;
    const std::string& cpu = task.overrides.cpu.empty() ? definition.cpu : task.overrides.cpu;
    const std::string& memory = task.overrides.memory.empty() ? definition.memory : task.overrides.memory;
    // task-level CPU travels in vCPUs, memory in MiB
    if (!cpu.empty()) out["cpu"] = static_cast<double>(parse_cpu_units(cpu).value_or(0)) / 1024.0;
    if (!memory.empty()) out["memory"] = parse_memory_mib(memory).value_or(0);
    out["taskClusterArn"] = task.cluster_arn;
    out["group"] = task.group;
    if (task.group.starts_with("service:")) out["serviceName"] = task.group.substr(8);
    out["launchType"] = task.launch_type;
    out["volumes"] = OrderedJson::array();
    for (const VolumeDefinition& volume : definition.volumes) out["volumes"].push_back(volume_json(volume));
    out["containers"] = OrderedJson::array();
    // the overrides were checked when the task was made
    if (const auto containers = effective_containers(definition, task.overrides)) {
        for (const EffectiveContainer& container : *containers)
            out["containers"].push_back(container_json(container, input));
    }
    for (const TaskContainer& container : task.containers) {
        for (const std::string& gpu : container.gpu_ids) {
            OrderedJson association;
            association["containers"] = Strings{container.name};
            association["name"] = gpu;
            association["type"] = "gpu";
            out["associations"].push_back(std::move(association));
        }
    }
    if (input.role != nullptr) out["roleCredentials"] = role_credentials_json(task.role_credentials_id, *input.role);
    if (input.execution_role != nullptr) {
        out["executionRoleCredentials"] = role_credentials_json(task.execution_credentials_id, *input.execution_role);
    }
    if (definition.enable_fault_injection) out["enableFaultInjection"] = *definition.enable_fault_injection;
    return out;
}

}  // namespace nodeagent::local
