#pragma once
// What the control plane remembers, one row of the store each. Times are epoch seconds, 0 when unset.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/local/task_definition.hpp"

namespace nodeagent::local {

struct Cluster {
    std::string name;
    std::string arn;
    std::string status;  ///< ACTIVE or INACTIVE
    nlohmann::json settings;
    nlohmann::json configuration;
    std::vector<Tag> tags;
    static constexpr auto json_fields() {
        using T = Cluster;
        return std::tuple{required_field("name", &T::name),
                          required_field("arn", &T::arn),
                          required_field("status", &T::status),
                          optional_field("settings", &T::settings),
                          optional_field("configuration", &T::configuration),
                          optional_field("tags", &T::tags)};
    }
};

struct StoredTaskDefinition {
    TaskDefinition definition;
    std::vector<Tag> tags;
    static constexpr auto json_fields() {
        using T = StoredTaskDefinition;
        return std::tuple{required_field("definition", &T::definition), optional_field("tags", &T::tags)};
    }
};

struct Attribute {
    std::string name;
    std::optional<std::string> value;
    std::string target_type;
    std::string target_id;
    friend bool operator==(const Attribute&, const Attribute&) = default;
    static constexpr auto json_fields() {
        using T = Attribute;
        return std::tuple{required_field("name", &T::name), optional_field("value", &T::value),
                          optional_field("targetType", &T::target_type), optional_field("targetId", &T::target_id)};
    }
};

struct Resource {
    std::string name;
    std::string type;
    double double_value = 0;
    std::int64_t long_value = 0;
    std::int64_t integer_value = 0;
    Strings string_set_value;
    static constexpr auto json_fields() {
        using T = Resource;
        return std::tuple{optional_field("name", &T::name),
                          optional_field("type", &T::type),
                          always_field("doubleValue", &T::double_value),
                          always_field("longValue", &T::long_value),
                          always_field("integerValue", &T::integer_value),
                          optional_field("stringSetValue", &T::string_set_value)};
    }
};

struct PlatformDevice {
    std::string id;
    std::string type;
    static constexpr auto json_fields() {
        return std::tuple{required_field("id", &PlatformDevice::id), required_field("type", &PlatformDevice::type)};
    }
};

struct VersionInfo {
    std::string agent_version;
    std::string agent_hash;
    std::string docker_version;
    static constexpr auto json_fields() {
        using T = VersionInfo;
        return std::tuple{optional_field("agentVersion", &T::agent_version),
                          optional_field("agentHash", &T::agent_hash),
                          optional_field("dockerVersion", &T::docker_version)};
    }
};

struct ContainerInstance {
    std::string arn;
    std::string cluster;  ///< name
    std::string ec2_instance_id;
    std::string instance_type;  ///< from the identity document; a change is refused
    std::string status;         ///< ACTIVE, DRAINING or INACTIVE
    std::vector<Attribute> attributes;
    std::vector<Resource> resources;
    std::vector<PlatformDevice> devices;
    VersionInfo version_info;
    std::vector<Tag> tags;
    std::string client_token;
    double registered_at = 0;
    double deregistered_at = 0;
    std::int64_t version = 1;
    /// The last ACS sequence number given out; payloads and manifests share it, because the agent compares them.
    std::int64_t sequence = 0;
    double connected_since = 0;  ///< of the last change of the agent's connection
    nlohmann::json health;       ///< statuses of the last PublishInstanceStatusRequest

    static constexpr auto json_fields() {
        using T = ContainerInstance;
        return std::tuple{required_field("arn", &T::arn),
                          required_field("cluster", &T::cluster),
                          optional_field("ec2InstanceId", &T::ec2_instance_id),
                          optional_field("instanceType", &T::instance_type),
                          required_field("status", &T::status),
                          optional_field("attributes", &T::attributes),
                          optional_field("resources", &T::resources),
                          optional_field("devices", &T::devices),
                          optional_field("versionInfo", &T::version_info),
                          optional_field("tags", &T::tags),
                          optional_field("clientToken", &T::client_token),
                          optional_field("registeredAt", &T::registered_at),
                          optional_field("deregisteredAt", &T::deregistered_at),
                          optional_field("version", &T::version),
                          optional_field("sequence", &T::sequence),
                          optional_field("connectedSince", &T::connected_since),
                          optional_field("health", &T::health)};
    }
};

struct NetworkBinding {
    std::string bind_ip;
    std::optional<std::int64_t> container_port;
    std::optional<std::int64_t> host_port;
    std::string protocol;
    std::string container_port_range;
    std::string host_port_range;
    static constexpr auto json_fields() {
        using T = NetworkBinding;
        return std::tuple{optional_field("bindIP", &T::bind_ip),
                          optional_field("containerPort", &T::container_port),
                          optional_field("hostPort", &T::host_port),
                          optional_field("protocol", &T::protocol),
                          optional_field("containerPortRange", &T::container_port_range),
                          optional_field("hostPortRange", &T::host_port_range)};
    }
};

struct ManagedAgentState {
    std::string name;
    std::string last_status;
    std::string reason;
    double last_started_at = 0;
    static constexpr auto json_fields() {
        using T = ManagedAgentState;
        return std::tuple{optional_field("lastStartedAt", &T::last_started_at), optional_field("name", &T::name),
                          optional_field("reason", &T::reason), optional_field("lastStatus", &T::last_status)};
    }
};

struct TaskContainer {
    std::string arn;
    std::string name;
    std::string image;
    std::string image_digest;
    std::string runtime_id;
    std::string last_status;
    std::optional<std::int64_t> exit_code;
    std::string reason;
    std::vector<NetworkBinding> network_bindings;
    std::string health_status;
    std::vector<ManagedAgentState> managed_agents;
    std::string cpu;
    std::string memory;
    std::string memory_reservation;
    Strings gpu_ids;
    bool essential = true;
    bool has_health_check = false;
    static constexpr auto json_fields() {
        using T = TaskContainer;
        return std::tuple{required_field("arn", &T::arn),
                          required_field("name", &T::name),
                          optional_field("image", &T::image),
                          optional_field("imageDigest", &T::image_digest),
                          optional_field("runtimeId", &T::runtime_id),
                          optional_field("lastStatus", &T::last_status),
                          optional_field("exitCode", &T::exit_code),
                          optional_field("reason", &T::reason),
                          optional_field("networkBindings", &T::network_bindings),
                          optional_field("healthStatus", &T::health_status),
                          optional_field("managedAgents", &T::managed_agents),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          optional_field("memoryReservation", &T::memory_reservation),
                          optional_field("gpuIds", &T::gpu_ids),
                          always_field("essential", &T::essential),
                          optional_field("hasHealthCheck", &T::has_health_check)};
    }
};

/// What a task takes from its container instance until it is STOPPED.
struct Demand {
    std::int64_t cpu = 0;     ///< CPU units
    std::int64_t memory = 0;  ///< MiB
    std::vector<std::int64_t> tcp_ports;
    std::vector<std::int64_t> udp_ports;
    std::int64_t gpus = 0;
    static constexpr auto json_fields() {
        using T = Demand;
        return std::tuple{optional_field("cpu", &T::cpu), optional_field("memory", &T::memory),
                          optional_field("tcpPorts", &T::tcp_ports), optional_field("udpPorts", &T::udp_ports),
                          optional_field("gpus", &T::gpus)};
    }
};

struct Task {
    std::string arn;
    std::string cluster;  ///< name
    std::string cluster_arn;
    std::string instance_arn;
    std::string definition_arn;
    std::vector<TaskContainer> containers;
    TaskOverride overrides;
    Demand demand;
    std::string cpu;  ///< as DescribeTasks shows it
    std::string memory;
    std::string last_status;
    std::string desired_status;
    std::string delivered_status;  ///< the desired status the agent last acknowledged; empty: none yet
    std::string started_by;
    std::string group;
    std::string launch_type;
    std::string stop_code;
    std::string stopped_reason;
    std::string task_role_arn;
    std::string execution_role_arn;
    std::string role_credentials_id;
    std::string execution_credentials_id;
    std::string client_token;
    std::vector<Tag> tags;
    bool enable_execute_command = false;
    double created_at = 0;
    double started_at = 0;
    double stopping_at = 0;
    double stopped_at = 0;
    double execution_stopped_at = 0;
    double pull_started_at = 0;
    double pull_stopped_at = 0;
    double protected_until = 0;  ///< task protection; 0: not protected
    std::int64_t version = 1;

    [[nodiscard]] bool stopped() const { return last_status == "STOPPED"; }

    static constexpr auto json_fields() {
        using T = Task;
        return std::tuple{required_field("arn", &T::arn),
                          required_field("cluster", &T::cluster),
                          required_field("clusterArn", &T::cluster_arn),
                          required_field("instanceArn", &T::instance_arn),
                          required_field("definitionArn", &T::definition_arn),
                          optional_field("containers", &T::containers),
                          optional_field("overrides", &T::overrides),
                          optional_field("demand", &T::demand),
                          optional_field("cpu", &T::cpu),
                          optional_field("memory", &T::memory),
                          required_field("lastStatus", &T::last_status),
                          required_field("desiredStatus", &T::desired_status),
                          optional_field("deliveredStatus", &T::delivered_status),
                          optional_field("startedBy", &T::started_by),
                          optional_field("group", &T::group),
                          optional_field("launchType", &T::launch_type),
                          optional_field("stopCode", &T::stop_code),
                          optional_field("stoppedReason", &T::stopped_reason),
                          optional_field("taskRoleArn", &T::task_role_arn),
                          optional_field("executionRoleArn", &T::execution_role_arn),
                          optional_field("roleCredentialsId", &T::role_credentials_id),
                          optional_field("executionCredentialsId", &T::execution_credentials_id),
                          optional_field("clientToken", &T::client_token),
                          optional_field("tags", &T::tags),
                          optional_field("enableExecuteCommand", &T::enable_execute_command),
                          optional_field("createdAt", &T::created_at),
                          optional_field("startedAt", &T::started_at),
                          optional_field("stoppingAt", &T::stopping_at),
                          optional_field("stoppedAt", &T::stopped_at),
                          optional_field("executionStoppedAt", &T::execution_stopped_at),
                          optional_field("pullStartedAt", &T::pull_started_at),
                          optional_field("pullStoppedAt", &T::pull_stopped_at),
                          optional_field("protectedUntil", &T::protected_until),
                          optional_field("version", &T::version)};
    }
};

}  // namespace nodeagent::local
