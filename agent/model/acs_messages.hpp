#pragma once
// Every message of the ACS websocket and its envelope {"type": ..., "message": {...}} (control-plane.md 5.4, 6.1).
// PayloadMessage and what it holds are in payload.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json_fields.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::model {

// ---- from the service
// --------------------------------------------------------------------------------------------------

struct HeartbeatMessage {
    static constexpr std::string_view kType = "HeartbeatMessage";
    bool healthy = false;
    std::optional<std::string> message_id;  ///< echoed as it came, absent included
    static constexpr auto json_fields() {
        using T = HeartbeatMessage;
        return std::tuple{optional_field("healthy", &T::healthy), optional_field("messageId", &T::message_id)};
    }
};

struct IamRoleCredentialsMessage {
    static constexpr std::string_view kType = "IAMRoleCredentialsMessage";
    std::string message_id;
    std::optional<RoleCredentials> role_credentials;
    std::string role_type;  ///< "TaskApplication", "TaskExecution"
    std::string task_arn;
    std::string task_cluster_arn;
    static constexpr auto json_fields() {
        using T = IamRoleCredentialsMessage;
        return std::tuple{optional_field("messageId", &T::message_id),
                          optional_field("roleCredentials", &T::role_credentials),
                          optional_field("roleType", &T::role_type), optional_field("taskArn", &T::task_arn),
                          optional_field("taskClusterArn", &T::task_cluster_arn)};
    }
};

struct TaskIdentifier {
    std::string desired_status;
    std::string task_arn;
    std::string task_cluster_arn;
    friend bool operator==(const TaskIdentifier&, const TaskIdentifier&) = default;
    static constexpr auto json_fields() {
        using T = TaskIdentifier;
        return std::tuple{optional_field("desiredStatus", &T::desired_status), optional_field("taskArn", &T::task_arn),
                          optional_field("taskClusterArn", &T::task_cluster_arn)};
    }
};

struct TaskManifestMessage {
    static constexpr std::string_view kType = "TaskManifestMessage";
    std::string cluster_arn;
    std::string container_instance_arn;
    std::optional<std::int64_t> generated_at;  ///< ms since the epoch
    std::string message_id;
    std::vector<TaskIdentifier> tasks;
    std::int64_t timeline = 0;  ///< sequence number shared with payloads
    static constexpr auto json_fields() {
        using T = TaskManifestMessage;
        return std::tuple{optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("generatedAt", &T::generated_at),
                          optional_field("messageId", &T::message_id),
                          optional_field("tasks", &T::tasks),
                          optional_field("timeline", &T::timeline)};
    }
};

struct TaskStopVerificationAck {
    static constexpr std::string_view kType = "TaskStopVerificationAck";
    std::optional<std::int64_t> generated_at;
    std::string message_id;
    std::vector<TaskIdentifier> stop_tasks;
    static constexpr auto json_fields() {
        using T = TaskStopVerificationAck;
        return std::tuple{optional_field("generatedAt", &T::generated_at), optional_field("messageId", &T::message_id),
                          optional_field("stopTasks", &T::stop_tasks)};
    }
};

struct AttachTaskNetworkInterfacesMessage {
    static constexpr std::string_view kType = "AttachTaskNetworkInterfacesMessage";
    std::string cluster_arn;
    std::string container_instance_arn;
    std::vector<ElasticNetworkInterface> elastic_network_interfaces;
    std::optional<std::int64_t> generated_at;
    std::string message_id;
    std::string task_arn;
    std::string task_cluster_arn;
    std::int64_t wait_timeout_ms = 0;
    static constexpr auto json_fields() {
        using T = AttachTaskNetworkInterfacesMessage;
        return std::tuple{optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("elasticNetworkInterfaces", &T::elastic_network_interfaces),
                          optional_field("generatedAt", &T::generated_at),
                          optional_field("messageId", &T::message_id),
                          optional_field("taskArn", &T::task_arn),
                          optional_field("taskClusterArn", &T::task_cluster_arn),
                          optional_field("waitTimeoutMs", &T::wait_timeout_ms)};
    }
};

struct AttachInstanceNetworkInterfacesMessage {
    static constexpr std::string_view kType = "AttachInstanceNetworkInterfacesMessage";
    std::string cluster_arn;
    std::string container_instance_arn;
    std::vector<ElasticNetworkInterface> elastic_network_interfaces;
    std::optional<std::int64_t> generated_at;
    std::string message_id;
    std::int64_t wait_timeout_ms = 0;
    static constexpr auto json_fields() {
        using T = AttachInstanceNetworkInterfacesMessage;
        return std::tuple{optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("elasticNetworkInterfaces", &T::elastic_network_interfaces),
                          optional_field("generatedAt", &T::generated_at),
                          optional_field("messageId", &T::message_id),
                          optional_field("waitTimeoutMs", &T::wait_timeout_ms)};
    }
};

struct ConfirmAttachmentMessage {
    static constexpr std::string_view kType = "ConfirmAttachmentMessage";
    std::optional<Attachment> attachment;
    std::string cluster_arn;
    std::string container_instance_arn;
    std::optional<std::int64_t> generated_at;
    std::string message_id;
    std::string task_arn;
    std::string task_cluster_arn;
    std::int64_t wait_timeout_ms = 0;
    static constexpr auto json_fields() {
        using T = ConfirmAttachmentMessage;
        return std::tuple{optional_field("attachment", &T::attachment),
                          optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("generatedAt", &T::generated_at),
                          optional_field("messageId", &T::message_id),
                          optional_field("taskArn", &T::task_arn),
                          optional_field("taskClusterArn", &T::task_cluster_arn),
                          optional_field("waitTimeoutMs", &T::wait_timeout_ms)};
    }
};

struct UpdateInfo {
    std::string location;
    std::string signature;  ///< SHA-256, hex
    static constexpr auto json_fields() {
        using T = UpdateInfo;
        return std::tuple{optional_field("location", &T::location), optional_field("signature", &T::signature)};
    }
};

struct StageUpdateMessage {
    static constexpr std::string_view kType = "StageUpdateMessage";
    std::string cluster_arn;
    std::string container_instance_arn;
    std::string message_id;
    std::optional<UpdateInfo> update_info;
    static constexpr auto json_fields() {
        using T = StageUpdateMessage;
        return std::tuple{optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("messageId", &T::message_id), optional_field("updateInfo", &T::update_info)};
    }
};

struct PerformUpdateMessage {
    static constexpr std::string_view kType = "PerformUpdateMessage";
    std::string cluster_arn;
    std::string container_instance_arn;
    std::string message_id;
    std::optional<UpdateInfo> update_info;
    static constexpr auto json_fields() {
        using T = PerformUpdateMessage;
        return std::tuple{optional_field("clusterArn", &T::cluster_arn),
                          optional_field("containerInstanceArn", &T::container_instance_arn),
                          optional_field("messageId", &T::message_id), optional_field("updateInfo", &T::update_info)};
    }
};

/// What the service only tells: CloseMessage, ErrorMessage, the exceptions; and our own types should they come back.
struct ServiceNotice {
    std::string type;
    std::string message;
};

using AcsMessage =
    std::variant<PayloadMessage, HeartbeatMessage, IamRoleCredentialsMessage, TaskManifestMessage,
                 TaskStopVerificationAck, AttachTaskNetworkInterfacesMessage, AttachInstanceNetworkInterfacesMessage,
                 ConfirmAttachmentMessage, StageUpdateMessage, PerformUpdateMessage, ServiceNotice>;

// ---- to the service
// ----------------------------------------------------------------------------------------------------

struct HeartbeatAckRequest {
    static constexpr std::string_view kType = "HeartbeatAckRequest";
    std::optional<std::string> message_id;
    friend bool operator==(const HeartbeatAckRequest&, const HeartbeatAckRequest&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("messageId", &HeartbeatAckRequest::message_id)};
    }
};

struct AckRequest {
    static constexpr std::string_view kType = "AckRequest";
    std::string cluster;             ///< the message's own clusterArn
    std::string container_instance;  ///< the message's own containerInstanceArn
    std::string message_id;
    friend bool operator==(const AckRequest&, const AckRequest&) = default;
    static constexpr auto json_fields() {
        using T = AckRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("containerInstance", &T::container_instance),
                          optional_field("messageId", &T::message_id)};
    }
};

struct NackRequest {
    static constexpr std::string_view kType = "NackRequest";
    std::string cluster;
    std::string container_instance;
    std::string message_id;
    std::string reason;
    friend bool operator==(const NackRequest&, const NackRequest&) = default;
    static constexpr auto json_fields() {
        using T = NackRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("containerInstance", &T::container_instance),
                          optional_field("messageId", &T::message_id), optional_field("reason", &T::reason)};
    }
};

struct IamRoleCredentialsAckRequest {
    static constexpr std::string_view kType = "IAMRoleCredentialsAckRequest";
    std::string credentials_id;
    std::string expiration;  ///< verbatim
    std::string message_id;
    friend bool operator==(const IamRoleCredentialsAckRequest&, const IamRoleCredentialsAckRequest&) = default;
    static constexpr auto json_fields() {
        using T = IamRoleCredentialsAckRequest;
        return std::tuple{optional_field("credentialsId", &T::credentials_id),
                          optional_field("expiration", &T::expiration), optional_field("messageId", &T::message_id)};
    }
};

struct TaskStopVerificationMessage {
    static constexpr std::string_view kType = "TaskStopVerificationMessage";
    std::string message_id;
    std::vector<TaskIdentifier> stop_candidates;
    friend bool operator==(const TaskStopVerificationMessage&, const TaskStopVerificationMessage&) = default;
    static constexpr auto json_fields() {
        using T = TaskStopVerificationMessage;
        return std::tuple{optional_field("messageId", &T::message_id),
                          optional_field("stopCandidates", &T::stop_candidates)};
    }
};

using AcsReply = std::variant<AckRequest, HeartbeatAckRequest, IamRoleCredentialsAckRequest, NackRequest,
                              TaskStopVerificationMessage>;

// ---- the envelope
// ------------------------------------------------------------------------------------------------------

/// Malformed: no JSON, no type, or a member of the wrong JSON type (the text names its path). NotFound: a type this
/// release does not know. Either way the frame is to be logged and ignored.
[[nodiscard]] Result<AcsMessage> decode_acs_frame(std::string_view text);
/// The type word of a decoded message, for logs.
[[nodiscard]] std::string_view type_of(const AcsMessage& message);
[[nodiscard]] std::string encode_acs_frame(const AcsReply& reply);
/// The body of a refused websocket upgrade: "<TypeName>: <message>" when it is an envelope of a known ACS type, else
/// "".
[[nodiscard]] std::string describe_refusal(std::string_view body);

}  // namespace nodeagent::model
