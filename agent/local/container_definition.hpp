#pragma once
// A container of a task definition as the ECS API reads and writes it (botocore ecs 2014-11-13). `always` members are
// those the service returns even when empty.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/json_fields.hpp"

namespace nodeagent::local {

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

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

}  // namespace nodeagent::local
