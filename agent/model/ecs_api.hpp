#pragma once
// The ECS API as the agent uses it: requests and answers with the members it sends and reads (control-plane.md 3).
// std::optional members are left out when absent, and sent when empty; the rest as their Presence says.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/json_fields.hpp"

namespace nodeagent::model {

struct Attribute {
    std::string name;
    std::optional<std::string> value;
    friend bool operator==(const Attribute&, const Attribute&) = default;
    static constexpr auto json_fields() {
        return std::tuple{always_field("name", &Attribute::name), optional_field("value", &Attribute::value)};
    }
};

struct Tag {
    std::string key;
    std::string value;
    friend bool operator==(const Tag&, const Tag&) = default;
    static constexpr auto json_fields() {
        return std::tuple{always_field("key", &Tag::key), always_field("value", &Tag::value)};
    }
};

struct Resource {
    std::int64_t integer_value = 0;  ///< 0 is left out
    std::string name;
    std::optional<std::vector<std::string>> string_set_value;
    std::string type;  ///< "INTEGER", "STRINGSET"
    friend bool operator==(const Resource&, const Resource&) = default;
    static constexpr auto json_fields() {
        using T = Resource;
        return std::tuple{optional_field("integerValue", &T::integer_value), always_field("name", &T::name),
                          optional_field("stringSetValue", &T::string_set_value), always_field("type", &T::type)};
    }
};

struct PlatformDevice {
    std::string id;
    std::string type;  ///< "GPU"
    friend bool operator==(const PlatformDevice&, const PlatformDevice&) = default;
    static constexpr auto json_fields() {
        return std::tuple{always_field("id", &PlatformDevice::id), always_field("type", &PlatformDevice::type)};
    }
};

struct RegisterContainerInstanceRequest {
    std::vector<Attribute> attributes;
    std::string client_token;
    std::string cluster;
    std::string container_instance_arn;  ///< on re-registration only
    std::string instance_identity_document;
    std::string instance_identity_document_signature;
    std::optional<std::vector<PlatformDevice>> platform_devices;
    std::vector<Tag> tags;
    std::vector<Resource> total_resources;
    static constexpr auto json_fields() {
        using T = RegisterContainerInstanceRequest;
        return std::tuple{always_field("attributes", &T::attributes),
                          always_field("clientToken", &T::client_token),
                          always_field("cluster", &T::cluster),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          always_field("instanceIdentityDocument", &T::instance_identity_document),
                          always_field("instanceIdentityDocumentSignature", &T::instance_identity_document_signature),
                          optional_field("platformDevices", &T::platform_devices),
                          optional_field("tags", &T::tags),
                          always_field("totalResources", &T::total_resources)};
    }
};

struct ContainerInstance {
    std::string container_instance_arn;
    std::vector<Attribute> attributes;
    static constexpr auto json_fields() {
        using T = ContainerInstance;
        return std::tuple{required_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("attributes", &T::attributes)};
    }
};

struct RegisterContainerInstanceResponse {
    ContainerInstance container_instance;
    static constexpr auto json_fields() {
        return std::tuple{required_field("containerInstance", &RegisterContainerInstanceResponse::container_instance)};
    }
};

struct DiscoverPollEndpointRequest {
    std::string cluster;
    std::string container_instance;
    std::string zone_id;
    static constexpr auto json_fields() {
        using T = DiscoverPollEndpointRequest;
        return std::tuple{always_field("cluster", &T::cluster),
                          always_field("containerInstance", &T::container_instance),
                          always_field("zoneId", &T::zone_id)};
    }
};

/// A member that is missing is an error for whoever needs it, not for the others.
struct PollEndpoints {
    std::string endpoint;            ///< ACS
    std::string telemetry_endpoint;  ///< TCS
    std::string service_connect_endpoint;
    std::string system_logs_endpoint;
    friend bool operator==(const PollEndpoints&, const PollEndpoints&) = default;
    static constexpr auto json_fields() {
        using T = PollEndpoints;
        return std::tuple{optional_field("endpoint", &T::endpoint),
                          optional_field("telemetryEndpoint", &T::telemetry_endpoint),
                          optional_field("serviceConnectEndpoint", &T::service_connect_endpoint),
                          optional_field("systemLogsEndpoint", &T::system_logs_endpoint)};
    }
};

struct NetworkBindingEntry {
    std::string bind_ip;
    std::optional<int> container_port;
    std::string container_port_range;
    std::optional<int> host_port;
    std::string host_port_range;
    std::string protocol;
    friend bool operator==(const NetworkBindingEntry&, const NetworkBindingEntry&) = default;
    static constexpr auto json_fields() {
        using T = NetworkBindingEntry;
        return std::tuple{optional_field("bindIP", &T::bind_ip),
                          optional_field("containerPort", &T::container_port),
                          optional_field("containerPortRange", &T::container_port_range),
                          optional_field("hostPort", &T::host_port),
                          optional_field("hostPortRange", &T::host_port_range),
                          optional_field("protocol", &T::protocol)};
    }
};

struct ContainerSubmission {
    std::string container_name;
    std::optional<int> exit_code;
    std::string image_digest;
    std::optional<std::vector<NetworkBindingEntry>> network_bindings;
    std::string reason;
    std::string runtime_id;
    std::string status;  ///< RUNNING, STOPPED, PENDING
    static constexpr auto json_fields() {
        using T = ContainerSubmission;
        return std::tuple{always_field("containerName", &T::container_name),
                          optional_field("exitCode", &T::exit_code),
                          optional_field("imageDigest", &T::image_digest),
                          optional_field("networkBindings", &T::network_bindings),
                          optional_field("reason", &T::reason),
                          optional_field("runtimeId", &T::runtime_id),
                          always_field("status", &T::status)};
    }
};

/// Timestamps are epoch seconds with milliseconds.
struct SubmitTaskStateChangeRequest {
    std::string cluster;
    std::vector<ContainerSubmission> containers;
    std::optional<double> execution_stopped_at;
    std::optional<double> pull_started_at;
    std::optional<double> pull_stopped_at;
    std::string reason;
    std::string status;
    std::string task;
    static constexpr auto json_fields() {
        using T = SubmitTaskStateChangeRequest;
        return std::tuple{always_field("cluster", &T::cluster),
                          optional_field("containers", &T::containers),
                          optional_field("executionStoppedAt", &T::execution_stopped_at),
                          optional_field("pullStartedAt", &T::pull_started_at),
                          optional_field("pullStoppedAt", &T::pull_stopped_at),
                          always_field("reason", &T::reason),
                          always_field("status", &T::status),
                          always_field("task", &T::task)};
    }
};

struct AttachmentSubmission {
    std::string attachment_arn;
    std::string status;  ///< "ATTACHED"
    static constexpr auto json_fields() {
        using T = AttachmentSubmission;
        return std::tuple{always_field("attachmentArn", &T::attachment_arn), always_field("status", &T::status)};
    }
};

struct SubmitAttachmentStateChangesRequest {
    std::vector<AttachmentSubmission> attachments;
    std::string cluster;
    static constexpr auto json_fields() {
        using T = SubmitAttachmentStateChangesRequest;
        return std::tuple{always_field("attachments", &T::attachments), always_field("cluster", &T::cluster)};
    }
};

struct UpdateContainerInstancesStateRequest {
    std::string cluster;
    std::vector<std::string> container_instances;
    std::string status;  ///< "DRAINING", "ACTIVE"
    static constexpr auto json_fields() {
        using T = UpdateContainerInstancesStateRequest;
        return std::tuple{always_field("cluster", &T::cluster),
                          always_field("containerInstances", &T::container_instances),
                          always_field("status", &T::status)};
    }
};

struct CreateClusterRequest {
    std::string cluster_name;
    static constexpr auto json_fields() {
        return std::tuple{always_field("clusterName", &CreateClusterRequest::cluster_name)};
    }
};

struct ListTagsForResourceRequest {
    std::string resource_arn;
    static constexpr auto json_fields() {
        return std::tuple{always_field("resourceArn", &ListTagsForResourceRequest::resource_arn)};
    }
};

struct ListTagsForResourceResponse {
    std::vector<Tag> tags;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("tags", &ListTagsForResourceResponse::tags)};
    }
};

}  // namespace nodeagent::model
