#include "agent/local/registration_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kMaxContainers = 10;
constexpr std::size_t kMaxName = 255;
constexpr std::int64_t kMinMemory = 6;  // MiB: the least the service accepts

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxName && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    });
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> allowed) {
    return std::find(allowed.begin(), allowed.end(), word) != allowed.end();
}

ApiError for_container(const ContainerDefinition& container, const std::string& problem) {
    return client_error("Invalid setting for container '" + container.name + "'. " + problem);
}

/// A number with an optional unit behind it ("0.25 vCPU"), in units of `unit`, without unit in units of 1.
std::optional<std::int64_t> parse_amount(std::string_view text, std::string_view unit, double factor) {
    std::string_view number = trimmed(text);
    double scale = 1;
    if (number.size() > unit.size() && equals_ignoring_case(number.substr(number.size() - unit.size()), unit)) {
        number = trimmed(number.substr(0, number.size() - unit.size()));
        scale = factor;
    } else if (!parse_integer(number)) {
        return std::nullopt;
    }
    const std::string copy(number);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || end != copy.c_str() + copy.size() || !std::isfinite(value) || value <= 0 || value > 1e9) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(std::llround(value * scale));
}

std::optional<ApiError> complete_ports(ContainerDefinition& container, const std::string& network_mode) {
    for (PortMappingDefinition& mapping : container.port_mappings) {
        if (mapping.protocol.empty()) mapping.protocol = "tcp";
        if (!one_of(mapping.protocol, {"tcp", "udp"}))
            return for_container(container, "Unsupported port mapping protocol.");
        if (mapping.container_port && !mapping.container_port_range.empty()) {
            return for_container(container, "A port mapping has either containerPort or containerPortRange, not both.");
        }
        if (!mapping.container_port && mapping.container_port_range.empty()) {
            return for_container(container, "A port mapping needs containerPort or containerPortRange.");
        }
        const auto in_range = [](std::int64_t port) { return port >= 0 && port <= 65535; };
        if (!in_range(mapping.container_port.value_or(1)) || !in_range(mapping.host_port.value_or(0))) {
            return for_container(container, "Ports must be between 0 and 65535.");
        }
        if (!mapping.container_port_range.empty()) {
            const auto ends = split(mapping.container_port_range, '-');
            const auto first = ends.size() == 2 ? parse_integer(ends[0]) : std::nullopt;
            const auto last = ends.size() == 2 ? parse_integer(ends[1]) : std::nullopt;
            if (!first || !last || *first < 1 || *last > 65535 || *first > *last) {
                return for_container(container,
                                     "containerPortRange must be <first>-<last> with ports from 1 to 65535.");
            }
            continue;
        }
        if (network_mode == "host" || network_mode == "awsvpc") {
            if (mapping.host_port.value_or(0) != 0 && *mapping.host_port != *mapping.container_port) {
                return client_error("When networkMode=" + network_mode +
                                    ", the host ports and container ports in port mappings must match.");
            }
            mapping.host_port = *mapping.container_port;
        } else if (!mapping.host_port) {
            mapping.host_port = 0;
        }
    }
    return std::nullopt;
}

std::optional<ApiError> complete_health_check(ContainerDefinition& container) {
    if (!container.health_check) return std::nullopt;
    HealthCheckDefinition& check = *container.health_check;
    if (check.command.empty()) return for_container(container, "The health check command must not be empty.");
    check.interval = check.interval.value_or(30);
    check.timeout = check.timeout.value_or(5);
    check.retries = check.retries.value_or(3);
    const auto within = [](std::int64_t value, std::int64_t low, std::int64_t high) {
        return value >= low && value <= high;
    };
    if (!within(*check.interval, 5, 300))
        return for_container(container, "The health check interval must be between 5 and 300.");
    if (!within(*check.timeout, 2, 120))
        return for_container(container, "The health check timeout must be between 2 and 120.");
    if (!within(*check.retries, 1, 10))
        return for_container(container, "The health check retries must be between 1 and 10.");
    if (!within(check.start_period.value_or(0), 0, 300)) {
        return for_container(container, "The health check startPeriod must be between 0 and 300.");
    }
    return std::nullopt;
}

std::optional<ApiError> check_references(const TaskDefinition& definition, const ContainerDefinition& container) {
    const auto known = [&](std::string_view name) {
        return std::any_of(definition.containers.begin(), definition.containers.end(),
                           [&](const ContainerDefinition& c) { return c.name == name; });
    };
    for (const MountPointDefinition& mount : container.mount_points) {
        const bool found = std::any_of(definition.volumes.begin(), definition.volumes.end(),
                                       [&](const VolumeDefinition& v) { return v.name == mount.source_volume; });
        if (!found) return client_error("Unknown volume '" + mount.source_volume + "'.");
    }
    for (const VolumeFromDefinition& from : container.volumes_from) {
        if (!known(from.source_container))
            return client_error("Unknown volumesFrom container '" + from.source_container + "'.");
    }
    for (const std::string& link : container.links) {
        if (definition.effective_network_mode() != "bridge") {
            return client_error("Links are not supported when networkMode=" + definition.network_mode + ".");
        }
        const std::string target = link.substr(0, link.find(':'));
        if (!known(target))
            return client_error("Unknown container '" + target + "' in links of '" + container.name + "'.");
    }
    for (const DependencyDefinition& dependency : container.depends_on) {
        if (!known(dependency.container_name)) {
            return client_error("Unknown container '" + dependency.container_name + "' in dependsOn of '" +
                                container.name + "'.");
        }
        if (!one_of(dependency.condition, {"START", "COMPLETE", "SUCCESS", "HEALTHY"})) {
            return for_container(container, "The dependsOn condition must be START, COMPLETE, SUCCESS or HEALTHY.");
        }
        for (const ContainerDefinition& target : definition.containers) {
            if (target.name != dependency.container_name) continue;
            if (dependency.condition == "HEALTHY" && !target.health_check) {
                return for_container(container,
                                     "It depends on '" + target.name + "' being HEALTHY, which has no health check.");
            }
            if (one_of(dependency.condition, {"COMPLETE", "SUCCESS"}) && target.is_essential()) {
                return for_container(container, "It depends on '" + target.name + "' to " + dependency.condition +
                                                    ", but that container is essential.");
            }
        }
    }
    return std::nullopt;
}

/// Whether following dependsOn from `name` can return to a container on the way.
bool has_cycle(const TaskDefinition& definition, const std::string& name, std::vector<std::string>& path) {
    if (std::find(path.begin(), path.end(), name) != path.end()) return true;
    path.push_back(name);
    for (const ContainerDefinition& container : definition.containers) {
        if (container.name != name) continue;
        for (const DependencyDefinition& dependency : container.depends_on) {
            if (has_cycle(definition, dependency.container_name, path)) return true;
        }
    }
    path.pop_back();
    return false;
}

std::optional<ApiError> complete_container(TaskDefinition& definition, ContainerDefinition& container) {
    if (container.name.empty()) return client_error("Container.name should not be null or empty.");
    if (!is_name(container.name)) {
        return client_error("Container.name contains invalid characters: use letters, numbers, - and _ (at most 255).");
    }
    if (container.image.empty()) return client_error("Container.image should not be null or empty.");
    if (container.cpu < 0) return for_container(container, "The cpu must not be negative.");
    if (!container.memory && !container.memory_reservation && definition.memory.empty()) {
        return for_container(container, "At least one of 'memory' or 'memoryReservation' must be specified.");
    }
    if (container.memory.value_or(kMinMemory) < kMinMemory ||
        container.memory_reservation.value_or(kMinMemory) < kMinMemory) {
        return for_container(
            container, "The memory and memoryReservation must be at least " + std::to_string(kMinMemory) + " MiB.");
    }
    if (container.memory && container.memory_reservation && *container.memory_reservation > *container.memory) {
        return for_container(container, "The memoryReservation must not exceed the memory.");
    }
    if (!definition.memory.empty() && container.memory &&
        *container.memory > parse_memory_mib(definition.memory).value_or(0)) {
        return for_container(container, "The memory must not exceed the memory of the task.");
    }
    for (const std::int64_t timeout : {container.start_timeout.value_or(0), container.stop_timeout.value_or(0)}) {
        if (timeout < 0) return for_container(container, "The startTimeout and stopTimeout must not be negative.");
    }
    if (!container.essential) container.essential = true;
    for (const NameValue& variable : container.environment) {
        if (variable.name.empty()) return for_container(container, "An environment variable has no name.");
    }
    if (auto bad = complete_ports(container, definition.network_mode)) return bad;
    return complete_health_check(container);
}

void need(std::set<std::string>& names, std::string_view capability) { names.insert(std::string(capability)); }

}  // namespace

std::optional<std::int64_t> parse_cpu_units(std::string_view text) { return parse_amount(text, "vcpu", 1024); }
std::optional<std::int64_t> parse_memory_mib(std::string_view text) { return parse_amount(text, "gb", 1024); }

std::optional<EcrImage> parse_ecr_image(std::string_view image) {
    const auto parts = split(image.substr(0, image.find('/')), '.');
    if (parts.size() < 6 || parts[0].size() != 12 || !parse_integer(parts[0]) || parts[1] != "dkr" ||
        parts[2] != "ecr" || parts[4] != "amazonaws" || parts[5] != "com" ||
        image.find('/') == std::string_view::npos) {
        return std::nullopt;
    }
    return EcrImage{.registry_id = std::string(parts[0]), .region = std::string(parts[3])};
}

std::optional<ApiError> complete_task_definition(TaskDefinition& definition) {
    if (definition.family.empty()) return client_error("Family should not be null or empty.");
    if (!is_name(definition.family)) {
        return client_error("Family contains invalid characters: use letters, numbers, - and _ (at most 255).");
    }
    if (definition.containers.empty())
        return client_error("TaskDefinition must have at least one container definition.");
    if (definition.containers.size() > kMaxContainers)
        return client_error("A task definition has at most 10 container definitions.");
    if (!one_of(definition.network_mode, {"", "bridge", "host", "none", "awsvpc"})) {
        return client_error("networkMode must be bridge, host, none or awsvpc, not '" + definition.network_mode + "'.");
    }
    if (!one_of(definition.pid_mode, {"", "host", "task"})) return client_error("pidMode must be host or task.");
    if (!one_of(definition.ipc_mode, {"", "host", "task", "none"}))
        return client_error("ipcMode must be host, task or none.");
    if (!definition.cpu.empty()) {
        const auto cpu = parse_cpu_units(definition.cpu);
        if (!cpu || *cpu < 128 || *cpu > 196608) {
            return client_error(
                "Invalid 'cpu' setting for task. Give CPU units (128 to 196608) or vCPUs such as '1 vCPU'.");
        }
        definition.cpu = std::to_string(*cpu);
    }
    if (!definition.memory.empty()) {
        const auto memory = parse_memory_mib(definition.memory);
        if (!memory || *memory < kMinMemory) {
            return client_error("Invalid 'memory' setting for task. Give MiB such as '512' or GiB such as '1 GB'.");
        }
        definition.memory = std::to_string(*memory);
    }
    std::set<std::string> names;
    for (ContainerDefinition& container : definition.containers) {
        if (auto bad = complete_container(definition, container)) return bad;
        if (!names.insert(container.name).second)
            return client_error("Container names must be unique: '" + container.name + "'.");
    }
    if (std::none_of(definition.containers.begin(), definition.containers.end(),
                     [](const ContainerDefinition& c) { return c.is_essential(); })) {
        return client_error("At least one container in a task must be essential.");
    }
    std::set<std::string> volumes;
    for (VolumeDefinition& volume : definition.volumes) {
        if (!is_name(volume.name))
            return client_error("Volume name '" + volume.name + "' contains invalid characters.");
        if (!volumes.insert(volume.name).second)
            return client_error("Volume names must be unique: '" + volume.name + "'.");
        if (!volume.docker) continue;
        if (volume.docker->scope.empty()) volume.docker->scope = "task";
        if (!one_of(volume.docker->scope, {"task", "shared"}))
            return client_error("A docker volume's scope must be task or shared.");
        if (volume.docker->scope == "task" && volume.docker->autoprovision.value_or(false)) {
            return client_error("autoprovision is only for docker volumes of scope shared: '" + volume.name + "'.");
        }
    }
    for (const ContainerDefinition& container : definition.containers) {
        if (auto bad = check_references(definition, container)) return bad;
        std::vector<std::string> path;
        if (has_cycle(definition, container.name, path)) {
            return client_error("Container dependencies must not have a cycle: " + join(path, " -> ") + " -> " +
                                container.name + ".");
        }
    }
    definition.compatibilities =
        definition.network_mode == "awsvpc" ? Strings{"EC2", "FARGATE"} : Strings{"EXTERNAL", "EC2"};
    definition.requires_attributes = required_attributes(definition);
    return std::nullopt;
}

std::vector<RequiredAttribute> required_attributes(const TaskDefinition& definition) {
    const std::string legacy = "com.amazonaws.ecs.capability.";
    const std::string capability = "ecs.capability.";
    std::set<std::string> names;
    const bool execution_role = !definition.execution_role_arn.empty();
    need(names, legacy + "docker-remote-api.1.18");
    if (!definition.task_role_arn.empty()) {
        need(names, legacy + (definition.network_mode == "host" ? "task-iam-role-network-host" : "task-iam-role"));
    }
    if (definition.network_mode == "awsvpc") need(names, capability + "task-eni");
    if (!definition.cpu.empty() || !definition.memory.empty()) need(names, capability + "task-cpu-mem-limit");
    if (one_of(definition.pid_mode, {"host", "task"}) || one_of(definition.ipc_mode, {"host", "task", "none"})) {
        if (definition.pid_mode == "task" || definition.ipc_mode == "task")
            need(names, capability + "pid-ipc-namespace-sharing");
    }
    for (const VolumeDefinition& volume : definition.volumes) {
        if (volume.efs) need(names, capability + "efs");
        if (volume.docker) {
            const std::string driver = volume.docker->driver.empty() ? "local" : volume.docker->driver;
            need(names, capability + "docker-plugin." + driver);
        }
    }
    for (const ContainerDefinition& container : definition.containers) {
        if (container.privileged.value_or(false)) need(names, legacy + "privileged-container");
        if (container.memory_reservation) need(names, legacy + "docker-remote-api.1.21");
        if (container.health_check) need(names, capability + "container-health-check");
        if (!container.depends_on.empty()) need(names, capability + "container-ordering");
        if (container.restart_policy) need(names, capability + "container-restart-policy");
        if (!container.environment_files.empty()) need(names, capability + "env-files.s3");
        if (container.firelens_configuration)
            need(names, capability + "firelens." + container.firelens_configuration->type);
        if (container.repository_credentials)
            need(names, capability + "private-registry-authentication.secretsmanager");
        if (parse_ecr_image(container.image)) {
            need(names, execution_role ? capability + "execution-role-ecr-pull" : legacy + "ecr-auth");
        }
        for (const PortMappingDefinition& mapping : container.port_mappings) {
            if (!mapping.container_port_range.empty()) need(names, capability + "network.container-port-range");
        }
        const auto need_secret = [&](const SecretDefinition& secret, std::string_view use) {
            const bool manager = secret.value_from.find(":secretsmanager:") != std::string::npos;
            need(names, capability + (manager ? "secrets.asm." : "secrets.ssm.") + std::string(use));
        };
        for (const SecretDefinition& secret : container.secrets) need_secret(secret, "environment-variables");
        if (container.log_configuration) {
            need(names, legacy + "logging-driver." + container.log_configuration->log_driver);
            if (container.log_configuration->log_driver == "awslogs" && execution_role) {
                need(names, capability + "execution-role-awslogs");
            }
            for (const SecretDefinition& secret : container.log_configuration->secret_options) {
                need_secret(secret, "bootstrap.log-driver");
            }
        }
    }
    std::vector<RequiredAttribute> attributes;
    for (const std::string& name : names) attributes.push_back({.name = name, .value = std::nullopt});
    return attributes;
}

std::optional<ApiError> check_tags(const std::vector<Tag>& tags) {
    if (tags.size() > 50) return invalid_parameter("Too many tags: at most 50.");
    std::set<std::string> keys;
    for (const Tag& tag : tags) {
        if (tag.key.empty() || tag.key.size() > 128) return invalid_parameter("A tag key has 1 to 128 characters.");
        if (tag.value.size() > 256)
            return invalid_parameter("A tag value has at most 256 characters: key '" + tag.key + "'.");
        if (lower(tag.key).starts_with("aws:"))
            return invalid_parameter("Tag keys must not begin with 'aws:': '" + tag.key + "'.");
        if (!keys.insert(tag.key).second) return invalid_parameter("Duplicate tag key '" + tag.key + "'.");
    }
    return std::nullopt;
}

}  // namespace nodeagent::local
