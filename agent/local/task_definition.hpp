#pragma once
// A task definition as the ECS API reads and writes it. The field tables are the API's shapes (botocore ecs
// 2014-11-13): `always` members are those the service returns even when empty.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/json_fields.hpp"

namespace nodeagent::local {

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

struct Tag {
    std::string key;
    std::string value;
    friend bool operator==(const Tag&, const Tag&) = default;
    static constexpr auto json_fields() {
        return std::tuple{required_field("key", &Tag::key), always_field("value", &Tag::value)};
    }
};

struct NameValue {
    std::string name;
    std::string value;
    static constexpr auto json_fields() {
        return std::tuple{always_field("name", &NameValue::name), always_field("value", &NameValue::value)};
    }
};

struct PortMappingDefinition {
    std::optional<std::int64_t> container_port;
    std::optional<std::int64_t> host_port;
    std::string protocol;  ///< "tcp" (the default) or "udp"
    std::string name;
    std::string app_protocol;
    std::string container_port_range;
    static constexpr auto json_fields() {
        using T = PortMappingDefinition;
        return std::tuple{optional_field("containerPort", &T::container_port),
                          optional_field("hostPort", &T::host_port),
                          optional_field("protocol", &T::protocol),
                          optional_field("name", &T::name),
                          optional_field("appProtocol", &T::app_protocol),
                          optional_field("containerPortRange", &T::container_port_range)};
    }
};

struct MountPointDefinition {
    std::string source_volume;
    std::string container_path;
    std::optional<bool> read_only;
    static constexpr auto json_fields() {
        using T = MountPointDefinition;
        return std::tuple{optional_field("sourceVolume", &T::source_volume),
                          optional_field("containerPath", &T::container_path),
                          optional_field("readOnly", &T::read_only)};
    }
};

struct VolumeFromDefinition {
    std::string source_container;
    std::optional<bool> read_only;
    static constexpr auto json_fields() {
        using T = VolumeFromDefinition;
        return std::tuple{optional_field("sourceContainer", &T::source_container),
                          optional_field("readOnly", &T::read_only)};
    }
};

struct Capabilities {
    Strings add;
    Strings drop;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("add", &Capabilities::add), optional_field("drop", &Capabilities::drop)};
    }
};

struct DeviceDefinition {
    std::string host_path;
    std::string container_path;
    Strings permissions;  ///< of read, write, mknod; empty means all three
    static constexpr auto json_fields() {
        using T = DeviceDefinition;
        return std::tuple{required_field("hostPath", &T::host_path),
                          optional_field("containerPath", &T::container_path),
                          optional_field("permissions", &T::permissions)};
    }
};

struct TmpfsDefinition {
    std::string container_path;
    std::int64_t size = 0;  ///< MiB
    Strings mount_options;
    static constexpr auto json_fields() {
        using T = TmpfsDefinition;
        return std::tuple{required_field("containerPath", &T::container_path), required_field("size", &T::size),
                          optional_field("mountOptions", &T::mount_options)};
    }
};

struct LinuxParameters {
    std::optional<Capabilities> capabilities;
    std::vector<DeviceDefinition> devices;
    std::optional<bool> init_process_enabled;
    std::optional<std::int64_t> shared_memory_size;  ///< MiB
    std::vector<TmpfsDefinition> tmpfs;
    std::optional<std::int64_t> max_swap;  ///< MiB beyond the memory limit
    std::optional<std::int64_t> swappiness;
    static constexpr auto json_fields() {
        using T = LinuxParameters;
        return std::tuple{optional_field("capabilities", &T::capabilities),
                          optional_field("devices", &T::devices),
                          optional_field("initProcessEnabled", &T::init_process_enabled),
                          optional_field("sharedMemorySize", &T::shared_memory_size),
                          optional_field("tmpfs", &T::tmpfs),
                          optional_field("maxSwap", &T::max_swap),
                          optional_field("swappiness", &T::swappiness)};
    }
};

struct SecretDefinition {
    std::string name;
    std::string value_from;
    static constexpr auto json_fields() {
        using T = SecretDefinition;
        return std::tuple{required_field("name", &T::name), required_field("valueFrom", &T::value_from)};
    }
};

struct LogConfiguration {
    std::string log_driver;
    StringMap options;
    std::vector<SecretDefinition> secret_options;
    static constexpr auto json_fields() {
        using T = LogConfiguration;
        return std::tuple{required_field("logDriver", &T::log_driver), optional_field("options", &T::options),
                          optional_field("secretOptions", &T::secret_options)};
    }
};

struct HealthCheckDefinition {
    Strings command;
    std::optional<std::int64_t> interval;  ///< seconds, as the next two
    std::optional<std::int64_t> timeout;
    std::optional<std::int64_t> retries;
    std::optional<std::int64_t> start_period;
    static constexpr auto json_fields() {
        using T = HealthCheckDefinition;
        return std::tuple{required_field("command", &T::command), optional_field("interval", &T::interval),
                          optional_field("timeout", &T::timeout), optional_field("retries", &T::retries),
                          optional_field("startPeriod", &T::start_period)};
    }
};

struct UlimitDefinition {
    std::string name;
    std::int64_t soft_limit = 0;
    std::int64_t hard_limit = 0;
    static constexpr auto json_fields() {
        using T = UlimitDefinition;
        return std::tuple{required_field("name", &T::name), required_field("softLimit", &T::soft_limit),
                          required_field("hardLimit", &T::hard_limit)};
    }
};

struct HostEntry {
    std::string hostname;
    std::string ip_address;
    static constexpr auto json_fields() {
        return std::tuple{required_field("hostname", &HostEntry::hostname),
                          required_field("ipAddress", &HostEntry::ip_address)};
    }
};

struct SystemControl {
    std::string name_space;
    std::string value;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("namespace", &SystemControl::name_space),
                          optional_field("value", &SystemControl::value)};
    }
};

struct DependencyDefinition {
    std::string container_name;
    std::string condition;
    static constexpr auto json_fields() {
        using T = DependencyDefinition;
        return std::tuple{required_field("containerName", &T::container_name),
                          required_field("condition", &T::condition)};
    }
};

struct EnvironmentFileDefinition {
    std::string value;
    std::string type;
    static constexpr auto json_fields() {
        using T = EnvironmentFileDefinition;
        return std::tuple{required_field("value", &T::value), required_field("type", &T::type)};
    }
};

struct ResourceRequirement {
    std::string value;
    std::string type;  ///< GPU
    static constexpr auto json_fields() {
        using T = ResourceRequirement;
        return std::tuple{required_field("value", &T::value), required_field("type", &T::type)};
    }
};

struct RepositoryCredentials {
    std::string credentials_parameter;
    static constexpr auto json_fields() {
        return std::tuple{required_field("credentialsParameter", &RepositoryCredentials::credentials_parameter)};
    }
};

struct RestartPolicyDefinition {
    bool enabled = false;
    std::vector<std::int64_t> ignored_exit_codes;
    std::optional<std::int64_t> restart_attempt_period;  ///< seconds, 60..1800
    static constexpr auto json_fields() {
        using T = RestartPolicyDefinition;
        return std::tuple{required_field("enabled", &T::enabled),
                          optional_field("ignoredExitCodes", &T::ignored_exit_codes),
                          optional_field("restartAttemptPeriod", &T::restart_attempt_period)};
    }
};

struct FirelensDefinition {
    std::string type;
    StringMap options;
    static constexpr auto json_fields() {
        using T = FirelensDefinition;
        return std::tuple{required_field("type", &T::type), optional_field("options", &T::options)};
    }
};

struct ContainerDefinition {
    std::string name;
    std::string image;
    std::optional<RepositoryCredentials> repository_credentials;
    std::int64_t cpu = 0;                            ///< CPU units: 1024 are one CPU
    std::optional<std::int64_t> memory;              ///< MiB, hard limit
    std::optional<std::int64_t> memory_reservation;  ///< MiB, soft limit
    Strings links;
    std::vector<PortMappingDefinition> port_mappings;
    std::optional<bool> essential;
    std::optional<RestartPolicyDefinition> restart_policy;
    std::optional<Strings> entry_point;
    std::optional<Strings> command;
    std::vector<NameValue> environment;
    std::vector<EnvironmentFileDefinition> environment_files;
    std::vector<MountPointDefinition> mount_points;
    std::vector<VolumeFromDefinition> volumes_from;
    std::optional<LinuxParameters> linux_parameters;
    std::vector<SecretDefinition> secrets;
    std::vector<DependencyDefinition> depends_on;
    std::optional<std::int64_t> start_timeout;
    std::optional<std::int64_t> stop_timeout;
    std::string version_consistency;
    std::string hostname;
    std::string user;
    std::string working_directory;
    std::optional<bool> disable_networking;
    std::optional<bool> privileged;
    std::optional<bool> readonly_root_filesystem;
    Strings dns_servers;
    Strings dns_search_domains;
    std::vector<HostEntry> extra_hosts;
    Strings docker_security_options;
    std::optional<bool> interactive;
    std::optional<bool> pseudo_terminal;
    StringMap docker_labels;
    std::vector<UlimitDefinition> ulimits;
    std::optional<LogConfiguration> log_configuration;
    std::optional<HealthCheckDefinition> health_check;
    std::vector<SystemControl> system_controls;
    std::vector<ResourceRequirement> resource_requirements;
    std::optional<FirelensDefinition> firelens_configuration;
    Strings credential_specs;

    [[nodiscard]] bool is_essential() const { return essential.value_or(true); }

    static constexpr auto json_fields() {
        using T = ContainerDefinition;
        return std::tuple{optional_field("name", &T::name),
                          optional_field("image", &T::image),
                          optional_field("repositoryCredentials", &T::repository_credentials),
                          always_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("memoryReservation", &T::memory_reservation),
                          optional_field("links", &T::links),
                          always_field("portMappings", &T::port_mappings),
                          optional_field("essential", &T::essential),
                          optional_field("restartPolicy", &T::restart_policy),
                          optional_field("entryPoint", &T::entry_point),
                          optional_field("command", &T::command),
                          always_field("environment", &T::environment),
                          optional_field("environmentFiles", &T::environment_files),
                          always_field("mountPoints", &T::mount_points),
                          always_field("volumesFrom", &T::volumes_from),
                          optional_field("linuxParameters", &T::linux_parameters),
                          optional_field("secrets", &T::secrets),
                          optional_field("dependsOn", &T::depends_on),
                          optional_field("startTimeout", &T::start_timeout),
                          optional_field("stopTimeout", &T::stop_timeout),
                          optional_field("versionConsistency", &T::version_consistency),
                          optional_field("hostname", &T::hostname),
                          optional_field("user", &T::user),
                          optional_field("workingDirectory", &T::working_directory),
                          optional_field("disableNetworking", &T::disable_networking),
                          optional_field("privileged", &T::privileged),
                          optional_field("readonlyRootFilesystem", &T::readonly_root_filesystem),
                          optional_field("dnsServers", &T::dns_servers),
                          optional_field("dnsSearchDomains", &T::dns_search_domains),
                          optional_field("extraHosts", &T::extra_hosts),
                          optional_field("dockerSecurityOptions", &T::docker_security_options),
                          optional_field("interactive", &T::interactive),
                          optional_field("pseudoTerminal", &T::pseudo_terminal),
                          optional_field("dockerLabels", &T::docker_labels),
                          optional_field("ulimits", &T::ulimits),
                          optional_field("logConfiguration", &T::log_configuration),
                          optional_field("healthCheck", &T::health_check),
                          always_field("systemControls", &T::system_controls),
                          optional_field("resourceRequirements", &T::resource_requirements),
                          optional_field("firelensConfiguration", &T::firelens_configuration),
                          optional_field("credentialSpecs", &T::credential_specs)};
    }
};

struct HostVolumeDefinition {
    std::string source_path;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("sourcePath", &HostVolumeDefinition::source_path)};
    }
};

struct DockerVolumeDefinition {
    std::string scope;  ///< "task" (the default) or "shared"
    std::optional<bool> autoprovision;
    std::string driver;
    StringMap driver_opts;
    StringMap labels;
    static constexpr auto json_fields() {
        using T = DockerVolumeDefinition;
        return std::tuple{optional_field("scope", &T::scope), optional_field("autoprovision", &T::autoprovision),
                          optional_field("driver", &T::driver), optional_field("driverOpts", &T::driver_opts),
                          optional_field("labels", &T::labels)};
    }
};

struct EfsAuthorization {
    std::string access_point_id;
    std::string iam;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("accessPointId", &EfsAuthorization::access_point_id),
                          optional_field("iam", &EfsAuthorization::iam)};
    }
};

struct EfsVolumeDefinition {
    std::string file_system_id;
    std::string root_directory;
    std::string transit_encryption;
    std::optional<std::int64_t> transit_encryption_port;
    std::optional<EfsAuthorization> authorization_config;
    static constexpr auto json_fields() {
        using T = EfsVolumeDefinition;
        return std::tuple{required_field("fileSystemId", &T::file_system_id),
                          optional_field("rootDirectory", &T::root_directory),
                          optional_field("transitEncryption", &T::transit_encryption),
                          optional_field("transitEncryptionPort", &T::transit_encryption_port),
                          optional_field("authorizationConfig", &T::authorization_config)};
    }
};

struct VolumeDefinition {
    std::string name;
    std::optional<HostVolumeDefinition> host;
    std::optional<DockerVolumeDefinition> docker;
    std::optional<EfsVolumeDefinition> efs;
    std::optional<bool> configured_at_launch;
    static constexpr auto json_fields() {
        using T = VolumeDefinition;
        return std::tuple{optional_field("name", &T::name), optional_field("host", &T::host),
                          optional_field("dockerVolumeConfiguration", &T::docker),
                          optional_field("efsVolumeConfiguration", &T::efs),
                          optional_field("configuredAtLaunch", &T::configured_at_launch)};
    }
};

struct PlacementConstraint {
    std::string type;  ///< distinctInstance or memberOf
    std::string expression;
    static constexpr auto json_fields() {
        using T = PlacementConstraint;
        return std::tuple{optional_field("type", &T::type), optional_field("expression", &T::expression)};
    }
};

struct RequiredAttribute {
    std::string name;
    std::optional<std::string> value;
    static constexpr auto json_fields() {
        using T = RequiredAttribute;
        return std::tuple{required_field("name", &T::name), optional_field("value", &T::value)};
    }
};

struct TaskDefinition {
    std::string arn;
    std::vector<ContainerDefinition> containers;
    std::string family;
    std::string task_role_arn;
    std::string execution_role_arn;
    std::string network_mode;  ///< empty: bridge
    std::int64_t revision = 0;
    std::vector<VolumeDefinition> volumes;
    std::string status;  ///< ACTIVE or INACTIVE
    std::vector<RequiredAttribute> requires_attributes;
    std::vector<PlacementConstraint> placement_constraints;
    Strings compatibilities;
    Strings requires_compatibilities;
    std::string cpu;     ///< task-level CPU units, or empty
    std::string memory;  ///< task-level MiB, or empty
    std::string pid_mode;
    std::string ipc_mode;
    nlohmann::json proxy_configuration;
    nlohmann::json runtime_platform;
    nlohmann::json ephemeral_storage;
    std::optional<bool> enable_fault_injection;
    double registered_at = 0;
    double deregistered_at = 0;
    std::string registered_by;

    [[nodiscard]] std::string family_revision() const { return family + ":" + std::to_string(revision); }
    [[nodiscard]] std::string effective_network_mode() const { return network_mode.empty() ? "bridge" : network_mode; }

    static constexpr auto json_fields() {
        using T = TaskDefinition;
        return std::tuple{optional_field("taskDefinitionArn", &T::arn),
                          always_field("containerDefinitions", &T::containers),
                          always_field("family", &T::family),
                          optional_field("taskRoleArn", &T::task_role_arn),
                          optional_field("executionRoleArn", &T::execution_role_arn),
                          optional_field("networkMode", &T::network_mode),
                          optional_field("revision", &T::revision),
                          always_field("volumes", &T::volumes),
                          optional_field("status", &T::status),
                          optional_field("requiresAttributes", &T::requires_attributes),
                          always_field("placementConstraints", &T::placement_constraints),
                          optional_field("compatibilities", &T::compatibilities),
                          optional_field("requiresCompatibilities", &T::requires_compatibilities),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("pidMode", &T::pid_mode),
                          optional_field("ipcMode", &T::ipc_mode),
                          optional_field("proxyConfiguration", &T::proxy_configuration),
                          optional_field("runtimePlatform", &T::runtime_platform),
                          optional_field("ephemeralStorage", &T::ephemeral_storage),
                          optional_field("enableFaultInjection", &T::enable_fault_injection),
                          optional_field("registeredAt", &T::registered_at),
                          optional_field("deregisteredAt", &T::deregistered_at),
                          optional_field("registeredBy", &T::registered_by)};
    }
};

struct ContainerOverride {
    std::string name;
    std::optional<Strings> command;
    std::vector<NameValue> environment;
    std::vector<EnvironmentFileDefinition> environment_files;
    std::optional<std::int64_t> cpu;
    std::optional<std::int64_t> memory;
    std::optional<std::int64_t> memory_reservation;
    std::vector<ResourceRequirement> resource_requirements;
    static constexpr auto json_fields() {
        using T = ContainerOverride;
        return std::tuple{optional_field("name", &T::name),
                          optional_field("command", &T::command),
                          optional_field("environment", &T::environment),
                          optional_field("environmentFiles", &T::environment_files),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("memoryReservation", &T::memory_reservation),
                          optional_field("resourceRequirements", &T::resource_requirements)};
    }
};

struct TaskOverride {
    std::vector<ContainerOverride> containers;
    std::string cpu;
    std::string memory;
    std::string task_role_arn;
    std::string execution_role_arn;
    static constexpr auto json_fields() {
        using T = TaskOverride;
        return std::tuple{always_field("containerOverrides", &T::containers), optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory), optional_field("taskRoleArn", &T::task_role_arn),
                          optional_field("executionRoleArn", &T::execution_role_arn)};
    }
};

}  // namespace nodeagent::local
