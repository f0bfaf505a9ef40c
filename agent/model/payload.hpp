#pragma once
// What ACS says a task is: the wire form of PayloadMessage's tasks (control-plane.md 7). Plain values, no behaviour, no
// validation beyond JSON types: numbers are wide and words are strings, because a bad value makes one task invalid, not
// the frame. core/from_payload is the only bridge to live state.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/json_fields.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::model {

struct RoleCredentials {
    std::string credentials_id;
    std::string role_arn;
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;
    std::string expiration;  ///< RFC 3339, echoed verbatim
    std::string credential_scope;

    friend bool operator==(const RoleCredentials&, const RoleCredentials&) = default;
    static constexpr auto json_fields() {
        using T = RoleCredentials;
        return std::tuple{optional_field("credentialsId", &T::credentials_id),
                          optional_field("roleArn", &T::role_arn),
                          optional_field("accessKeyId", &T::access_key_id),
                          optional_field("secretAccessKey", &T::secret_access_key),
                          optional_field("sessionToken", &T::session_token),
                          optional_field("expiration", &T::expiration),
                          optional_field("credentialScope", &T::credential_scope)};
    }
};

struct KeyValue {
    std::string name;
    std::string value;
    friend bool operator==(const KeyValue&, const KeyValue&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &KeyValue::name), optional_field("value", &KeyValue::value)};
    }
};

struct PortMapping {
    std::int64_t container_port = 0;
    std::int64_t host_port = 0;           ///< 0: the agent picks one
    std::optional<std::string> protocol;  ///< "tcp" or "udp"; absent is tcp
    std::string container_port_range;     ///< "8000-8010", instead of container_port
    friend bool operator==(const PortMapping&, const PortMapping&) = default;
    static constexpr auto json_fields() {
        using T = PortMapping;
        return std::tuple{optional_field("containerPort", &T::container_port),
                          optional_field("hostPort", &T::host_port), optional_field("protocol", &T::protocol),
                          optional_field("containerPortRange", &T::container_port_range)};
    }
};

struct MountPoint {
    std::string source_volume;
    std::string container_path;
    bool read_only = false;
    friend bool operator==(const MountPoint&, const MountPoint&) = default;
    static constexpr auto json_fields() {
        using T = MountPoint;
        return std::tuple{optional_field("sourceVolume", &T::source_volume),
                          optional_field("containerPath", &T::container_path),
                          optional_field("readOnly", &T::read_only)};
    }
};

struct VolumeFrom {
    std::string source_container;
    bool read_only = false;
    friend bool operator==(const VolumeFrom&, const VolumeFrom&) = default;
    static constexpr auto json_fields() {
        using T = VolumeFrom;
        return std::tuple{optional_field("sourceContainer", &T::source_container),
                          optional_field("readOnly", &T::read_only)};
    }
};

struct DockerConfig {
    std::string config;       ///< Docker's Config as JSON text
    std::string host_config;  ///< Docker's HostConfig as JSON text
    std::string version;      ///< Docker API version it was written for
    friend bool operator==(const DockerConfig&, const DockerConfig&) = default;
    static constexpr auto json_fields() {
        using T = DockerConfig;
        return std::tuple{optional_field("config", &T::config), optional_field("hostConfig", &T::host_config),
                          optional_field("version", &T::version)};
    }
};

struct EcrAuthData {
    std::string endpoint_override;
    std::string region;
    std::string registry_id;
    bool use_execution_role = false;
    friend bool operator==(const EcrAuthData&, const EcrAuthData&) = default;
    static constexpr auto json_fields() {
        using T = EcrAuthData;
        return std::tuple{optional_field("endpointOverride", &T::endpoint_override),
                          optional_field("region", &T::region), optional_field("registryId", &T::registry_id),
                          optional_field("useExecutionRole", &T::use_execution_role)};
    }
};

struct AsmAuthData {
    std::string credentials_parameter;
    std::string region;
    friend bool operator==(const AsmAuthData&, const AsmAuthData&) = default;
    static constexpr auto json_fields() {
        using T = AsmAuthData;
        return std::tuple{optional_field("credentialsParameter", &T::credentials_parameter),
                          optional_field("region", &T::region)};
    }
};

struct RegistryAuthentication {
    std::string type;  ///< "ecr" or "asm"
    std::optional<EcrAuthData> ecr_auth_data;
    std::optional<AsmAuthData> asm_auth_data;
    friend bool operator==(const RegistryAuthentication&, const RegistryAuthentication&) = default;
    static constexpr auto json_fields() {
        using T = RegistryAuthentication;
        return std::tuple{optional_field("type", &T::type), optional_field("ecrAuthData", &T::ecr_auth_data),
                          optional_field("asmAuthData", &T::asm_auth_data)};
    }
};

struct ContainerSecret {
    std::string name;
    std::string value_from;
    std::string region;
    std::string container_path;
    std::string type;      ///< ENVIRONMENT_VARIABLE, MOUNT_POINT, BOOTSTRAP
    std::string provider;  ///< ssm, asm
    std::string target;    ///< CONTAINER, LOG_DRIVER
    friend bool operator==(const ContainerSecret&, const ContainerSecret&) = default;
    static constexpr auto json_fields() {
        using T = ContainerSecret;
        return std::tuple{optional_field("name", &T::name),     optional_field("valueFrom", &T::value_from),
                          optional_field("region", &T::region), optional_field("containerPath", &T::container_path),
                          optional_field("type", &T::type),     optional_field("provider", &T::provider),
                          optional_field("target", &T::target)};
    }
};

struct EnvironmentFile {
    std::string type;   ///< "s3"
    std::string value;  ///< S3 ARN
    friend bool operator==(const EnvironmentFile&, const EnvironmentFile&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("type", &EnvironmentFile::type),
                          optional_field("value", &EnvironmentFile::value)};
    }
};

struct Dependency {
    std::string container_name;
    std::string condition;  ///< START, COMPLETE, SUCCESS, HEALTHY
    friend bool operator==(const Dependency&, const Dependency&) = default;
    static constexpr auto json_fields() {
        using T = Dependency;
        return std::tuple{optional_field("containerName", &T::container_name),
                          optional_field("condition", &T::condition)};
    }
};

struct RestartPolicy {
    bool enabled = false;
    std::vector<std::int64_t> ignored_exit_codes;
    std::int64_t restart_attempt_period = 0;  ///< seconds
    friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
    static constexpr auto json_fields() {
        using T = RestartPolicy;
        return std::tuple{optional_field("enabled", &T::enabled),
                          optional_field("ignoredExitCodes", &T::ignored_exit_codes),
                          optional_field("restartAttemptPeriod", &T::restart_attempt_period)};
    }
};

struct ManagedAgent {
    std::string name;
    std::map<std::string, std::string> properties;
    friend bool operator==(const ManagedAgent&, const ManagedAgent&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &ManagedAgent::name),
                          optional_field("properties", &ManagedAgent::properties)};
    }
};

struct FirelensConfiguration {
    std::string type;
    std::map<std::string, std::string> options;
    friend bool operator==(const FirelensConfiguration&, const FirelensConfiguration&) = default;
    static constexpr auto json_fields() {
        using T = FirelensConfiguration;
        return std::tuple{optional_field("type", &T::type), optional_field("options", &T::options)};
    }
};

struct Container {
    std::string name;
    std::string image;
    std::string container_arn;
    bool essential = false;
    std::int64_t cpu = 0;     ///< CPU shares
    std::int64_t memory = 0;  ///< MiB
    std::optional<std::vector<std::string>> command;
    std::optional<std::vector<std::string>> entry_point;
    std::map<std::string, std::string> environment;
    std::vector<EnvironmentFile> environment_files;
    std::vector<ContainerSecret> secrets;
    std::vector<std::string> links;
    std::vector<PortMapping> port_mappings;
    std::vector<MountPoint> mount_points;
    std::vector<VolumeFrom> volumes_from;
    std::optional<DockerConfig> docker_config;
    nlohmann::json overrides;  ///< an object, or a string that holds one
    std::optional<RegistryAuthentication> registry_authentication;
    std::string logs_auth_strategy;
    std::string health_check_type;   ///< "docker" turns health reporting on
    std::int64_t start_timeout = 0;  ///< seconds
    std::int64_t stop_timeout = 0;   ///< seconds
    std::vector<Dependency> depends_on;
    std::vector<ManagedAgent> managed_agents;
    std::optional<FirelensConfiguration> firelens_configuration;
    std::optional<RestartPolicy> restart_policy;
    std::vector<std::string> credential_specs;
    friend bool operator==(const Container&, const Container&) = default;
    static constexpr auto json_fields() {
        using T = Container;
        return std::tuple{optional_field("name", &T::name),
                          optional_field("image", &T::image),
                          optional_field("containerArn", &T::container_arn),
                          optional_field("essential", &T::essential),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("command", &T::command),
                          optional_field("entryPoint", &T::entry_point),
                          optional_field("environment", &T::environment),
                          optional_field("environmentFiles", &T::environment_files),
                          optional_field("secrets", &T::secrets),
                          optional_field("links", &T::links),
                          optional_field("portMappings", &T::port_mappings),
                          optional_field("mountPoints", &T::mount_points),
                          optional_field("volumesFrom", &T::volumes_from),
                          optional_field("dockerConfig", &T::docker_config),
                          optional_field("overrides", &T::overrides),
                          optional_field("registryAuthentication", &T::registry_authentication),
                          optional_field("logsAuthStrategy", &T::logs_auth_strategy),
                          optional_field("healthCheckType", &T::health_check_type),
                          optional_field("startTimeout", &T::start_timeout),
                          optional_field("stopTimeout", &T::stop_timeout),
                          optional_field("dependsOn", &T::depends_on),
                          optional_field("managedAgents", &T::managed_agents),
                          optional_field("firelensConfiguration", &T::firelens_configuration),
                          optional_field("restartPolicy", &T::restart_policy),
                          optional_field("credentialSpecs", &T::credential_specs)};
    }
};

struct HostVolume {
    std::string source_path;  ///< empty: a volume the runtime manages
    friend bool operator==(const HostVolume&, const HostVolume&) = default;
    static constexpr auto json_fields() { return std::tuple{optional_field("sourcePath", &HostVolume::source_path)}; }
};

struct DockerVolume {
    std::string scope;  ///< "task" or "shared"
    bool autoprovision = false;
    std::string driver;
    std::map<std::string, std::string> driver_opts;
    std::map<std::string, std::string> labels;
    friend bool operator==(const DockerVolume&, const DockerVolume&) = default;
    static constexpr auto json_fields() {
        using T = DockerVolume;
        return std::tuple{optional_field("scope", &T::scope), optional_field("autoprovision", &T::autoprovision),
                          optional_field("driver", &T::driver), optional_field("driverOpts", &T::driver_opts),
                          optional_field("labels", &T::labels)};
    }
};

struct Volume {
    std::string name;
    std::string type;  ///< absent is "host"
    std::optional<HostVolume> host;
    std::optional<DockerVolume> docker;
    nlohmann::json efs;  ///< recognised, refused with a reason
    friend bool operator==(const Volume&, const Volume&) = default;
    static constexpr auto json_fields() {
        using T = Volume;
        return std::tuple{optional_field("name", &T::name), optional_field("type", &T::type),
                          optional_field("host", &T::host), optional_field("dockerVolumeConfiguration", &T::docker),
                          optional_field("efsVolumeConfiguration", &T::efs)};
    }
};

struct AssociationContent {
    std::string encoding;
    std::string value;
    friend bool operator==(const AssociationContent&, const AssociationContent&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("encoding", &AssociationContent::encoding),
                          optional_field("value", &AssociationContent::value)};
    }
};

struct Association {
    std::vector<std::string> containers;
    AssociationContent content;
    std::string name;
    std::string type;  ///< "gpu", "elastic-inference"
    friend bool operator==(const Association&, const Association&) = default;
    static constexpr auto json_fields() {
        using T = Association;
        return std::tuple{optional_field("containers", &T::containers), optional_field("content", &T::content),
                          optional_field("name", &T::name), optional_field("type", &T::type)};
    }
};

struct Attachment {
    std::string attachment_arn;
    std::string attachment_type;
    std::vector<KeyValue> attachment_properties;
    friend bool operator==(const Attachment&, const Attachment&) = default;
    static constexpr auto json_fields() {
        using T = Attachment;
        return std::tuple{optional_field("attachmentArn", &T::attachment_arn),
                          optional_field("attachmentType", &T::attachment_type),
                          optional_field("attachmentProperties", &T::attachment_properties)};
    }
};

/// control-plane.md 6.7
struct Ipv4Address {
    bool primary = false;
    std::string private_address;
    friend bool operator==(const Ipv4Address&, const Ipv4Address&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("primary", &Ipv4Address::primary),
                          optional_field("privateAddress", &Ipv4Address::private_address)};
    }
};
struct Ipv6Address {
    bool primary = false;
    std::string address;
    friend bool operator==(const Ipv6Address&, const Ipv6Address&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("primary", &Ipv6Address::primary),
                          optional_field("address", &Ipv6Address::address)};
    }
};
struct VlanProperties {
    std::string vlan_id;
    std::string trunk_interface_mac_address;
    friend bool operator==(const VlanProperties&, const VlanProperties&) = default;
    static constexpr auto json_fields() {
        using T = VlanProperties;
        return std::tuple{optional_field("vlanId", &T::vlan_id),
                          optional_field("trunkInterfaceMacAddress", &T::trunk_interface_mac_address)};
    }
};
struct ElasticNetworkInterface {
    std::string attachment_arn;
    std::string ec2_id;
    std::string mac_address;
    std::vector<Ipv4Address> ipv4_addresses;
    std::vector<Ipv6Address> ipv6_addresses;
    std::string subnet_gateway_ipv4_address;  ///< CIDR
    std::string subnet_gateway_ipv6_address;  ///< CIDR
    std::vector<std::string> domain_name;
    std::vector<std::string> domain_name_servers;
    std::string private_dns_name;
    std::string interface_association_protocol;  ///< "", default, vlan
    std::optional<VlanProperties> interface_vlan_properties;
    friend bool operator==(const ElasticNetworkInterface&, const ElasticNetworkInterface&) = default;
    static constexpr auto json_fields() {
        using T = ElasticNetworkInterface;
        return std::tuple{optional_field("attachmentArn", &T::attachment_arn),
                          optional_field("ec2Id", &T::ec2_id),
                          optional_field("macAddress", &T::mac_address),
                          optional_field("ipv4Addresses", &T::ipv4_addresses),
                          optional_field("ipv6Addresses", &T::ipv6_addresses),
                          optional_field("subnetGatewayIpv4Address", &T::subnet_gateway_ipv4_address),
                          optional_field("subnetGatewayIpv6Address", &T::subnet_gateway_ipv6_address),
                          optional_field("domainName", &T::domain_name),
                          optional_field("domainNameServers", &T::domain_name_servers),
                          optional_field("privateDnsName", &T::private_dns_name),
                          optional_field("interfaceAssociationProtocol", &T::interface_association_protocol),
                          optional_field("interfaceVlanProperties", &T::interface_vlan_properties)};
    }
};

struct Task {
    std::string arn;
    std::string family;
    std::string version;
    std::string desired_status;
    std::vector<Container> containers;
    std::vector<Volume> volumes;
    double cpu = 0;           ///< vCPUs, 0: no task-level limit
    std::int64_t memory = 0;  ///< MiB, 0: no task-level limit
    std::string network_mode;
    std::string pid_mode;
    std::string ipc_mode;
    std::optional<RoleCredentials> role_credentials;
    std::optional<RoleCredentials> execution_role_credentials;
    std::vector<ElasticNetworkInterface> elastic_network_interfaces;
    nlohmann::json proxy_configuration;
    std::vector<Association> associations;
    std::vector<Attachment> attachments;
    std::string service_name;
    std::string group;
    std::string launch_type;
    bool enable_fault_injection = false;
    friend bool operator==(const Task&, const Task&) = default;
    static constexpr auto json_fields() {
        using T = Task;
        return std::tuple{optional_field("arn", &T::arn),
                          optional_field("family", &T::family),
                          optional_field("version", &T::version),
                          optional_field("desiredStatus", &T::desired_status),
                          optional_field("containers", &T::containers),
                          optional_field("volumes", &T::volumes),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("networkMode", &T::network_mode),
                          optional_field("pidMode", &T::pid_mode),
                          optional_field("ipcMode", &T::ipc_mode),
                          optional_field("roleCredentials", &T::role_credentials),
                          optional_field("executionRoleCredentials", &T::execution_role_credentials),
                          optional_field("elasticNetworkInterfaces", &T::elastic_network_interfaces),
                          optional_field("proxyConfiguration", &T::proxy_configuration),
                          optional_field("associations", &T::associations),
                          optional_field("attachments", &T::attachments),
                          optional_field("serviceName", &T::service_name),
                          optional_field("group", &T::group),
                          optional_field("launchType", &T::launch_type),
                          optional_field("enableFaultInjection", &T::enable_fault_injection)};
    }
};

struct PayloadMessage {
    std::string message_id;
    std::string cluster_arn;
    std::string container_instance_arn;
    std::optional<std::int64_t> generated_at;
    std::optional<std::int64_t> seq_num;
    /// nullptr for a JSON null among the tasks, which marks the payload as not fully handled.
    std::vector<std::shared_ptr<const Task>> tasks;
    static constexpr auto json_fields() {
        using T = PayloadMessage;
        return std::tuple{optional_field("messageId", &T::message_id),
                          optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("generatedAt", &T::generated_at),
                          optional_field("seqNum", &T::seq_num),
                          optional_field("tasks", &T::tasks)};
    }
};

/// What became of one task of a payload.
enum class Acceptance : std::uint8_t {
    Held,     ///< new and saved, or known already
    Refused,  ///< for good, and reported STOPPED with the reason: handled, but nothing of it is here
    Failed,   ///< not understood, or not saved: not handled, the service sends it again
};

}  // namespace nodeagent::model
