#pragma once
// A task definition, and what a task may override of it, as the ECS API reads and writes them. The field tables are the
// API's shapes (botocore ecs 2014-11-13): `always` members are those the service returns even when empty.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/json_fields.hpp"
#include "agent/local/container_definition.hpp"
#include "agent/local/volume_definition.hpp"

namespace nodeagent::local {

struct Tag {
    std::string key;
    std::string value;
    friend bool operator==(const Tag&, const Tag&) = default;
    static constexpr auto json_fields() {
        return std::tuple{required_field("key", &Tag::key), always_field("value", &Tag::value)};
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
