#pragma once
// A volume of a task definition as the ECS API reads and writes it (botocore ecs 2014-11-13).

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "agent/base/json_fields.hpp"

namespace nodeagent::local {

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
    std::map<std::string, std::string> driver_opts;
    std::map<std::string, std::string> labels;
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

}  // namespace nodeagent::local
