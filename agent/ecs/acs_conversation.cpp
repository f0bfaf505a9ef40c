#include "agent/ecs/acs_conversation.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/test_point.hpp"

namespace nodeagent::ecs {

using model::AckRequest;
using model::AcsReply;
using model::IamRoleCredentialsAckRequest;
using model::NackRequest;

namespace {

constexpr std::int64_t kDefaultVolumeWaitMs = 300'000;
constexpr std::int64_t kLongestWaitMs =
    std::int64_t{365} * 24 * 3600 * 1000;  // keeps deadlines inside the clocks' range

// The misspelling is the reference's, and what ECS users search for.
constexpr std::string_view kInvalidTask = "UnrecogniedTaskError: Error loading task - ";

template <class Message>
AckRequest ack_of(const Message& message) {
    return {.cluster = message.cluster_arn,
            .container_instance = message.container_instance_arn,
            .message_id = message.message_id};
}

template <class Message>
std::optional<Error> missing_ids(const Message& message) {
    const auto missing = [](const char* member) {
        return Error{.kind = ErrorKind::Malformed, .what = std::string(member) + ": required, but missing"};
    };
    if (message.message_id.empty()) return missing("messageId");
    if (message.cluster_arn.empty()) return missing("clusterArn");
    if (message.container_instance_arn.empty()) return missing("containerInstanceArn");
    return std::nullopt;
}

std::vector<AcsReply> dropped(std::string_view type, const std::string& message_id, const std::string& why) {
    log::warn("acs message dropped", {{"type", type}, {"messageId", message_id}, {"reason", why}});
    return {};
}

WallTime expiry(const Instant& now, std::int64_t wait_ms) {
    return now.wall + std::chrono::milliseconds(std::clamp<std::int64_t>(wait_ms, 1, kLongestWaitMs));
}

Result<std::vector<Attachment>> interfaces(const std::vector<model::ElasticNetworkInterface>& enis,
                                           Attachment::Kind kind, const std::string& task_arn, WallTime expires_at) {
    if (enis.empty()) {
        return Error{.kind = ErrorKind::Malformed, .what = "elasticNetworkInterfaces: at least one is required"};
    }
    std::vector<Attachment> out;
    for (std::size_t i = 0; i < enis.size(); ++i) {
        if (auto valid = check_interface(enis[i]); !valid) {
            Error why = std::move(valid).error();
            why.what.insert(0, "elasticNetworkInterfaces[" + std::to_string(i) + "].");
            return why;
        }
        Attachment one;
        one.kind = kind;
        one.key = lower(enis[i].mac_address);
        one.attachment_arn = enis[i].attachment_arn;
        one.task_arn = task_arn;
        one.expires_at = expires_at;
        out.push_back(std::move(one));
    }
    return out;
}

Attachment volume(const model::ConfirmAttachmentMessage& message, WallTime expires_at) {
    Attachment out;
    out.kind = Attachment::Kind::Volume;
    out.attachment_arn = message.attachment->attachment_arn;
    out.task_arn = message.task_arn;
    out.expires_at = expires_at;
    for (const model::KeyValue& property : message.attachment->attachment_properties) {
        out.properties[property.name] = property.value;
    }
    out.key = out.properties["volumeId"];
    return out;
}

// What makes a task invalid before the engine sees it; "" when nothing does.
std::string task_fault(const model::Task& task) {
    if (task.role_credentials && task.role_credentials->credentials_id.empty()) {
        return "roleCredentials.credentialsId: required, but missing";
    }
    if (task.execution_role_credentials && task.execution_role_credentials->credentials_id.empty()) {
        return "executionRoleCredentials.credentialsId: required, but missing";
    }
    for (std::size_t i = 0; i < task.elastic_network_interfaces.size(); ++i) {
        if (auto valid = check_interface(task.elastic_network_interfaces[i]); !valid) {
            return "elasticNetworkInterfaces[" + std::to_string(i) + "]." + std::move(valid).error().what;
        }
    }
    const auto& proxy = task.proxy_configuration;
    if (!proxy.is_null()) {
        const auto type = proxy.is_object() ? proxy.find("type") : proxy.end();
        if (!proxy.is_object() || type == proxy.end() || *type != "APPMESH") {
            return "proxyConfiguration.type: expected APPMESH";
        }
    }
    return {};
}

}  // namespace

AcsConversation::AcsConversation(AcsHandler& handler, credentials::Registry& registry, Clock& clock,
                                 std::int64_t sequence)
    : handler_(handler), registry_(registry), clock_(clock), sequence_(sequence) {}

asio::awaitable<std::vector<AcsReply>> AcsConversation::handle(model::AcsMessage message) {
    if (auto* heartbeat = std::get_if<model::HeartbeatMessage>(&message)) {
        handler_.heartbeat();
        Replies replies;
        replies.emplace_back(model::HeartbeatAckRequest{.message_id = std::move(heartbeat->message_id)});
        co_return replies;
    }
    if (auto* payload_message = std::get_if<model::PayloadMessage>(&message)) {
        co_return co_await payload(std::move(*payload_message));
    }
    if (auto* refresh = std::get_if<model::IamRoleCredentialsMessage>(&message))
        co_return refresh_credentials(*refresh);
    if (auto* listed = std::get_if<model::TaskManifestMessage>(&message))
        co_return co_await manifest(std::move(*listed));
    if (auto* verified = std::get_if<model::TaskStopVerificationAck>(&message)) {
        co_return co_await stop_verified(std::move(*verified));
    }
    if (auto* task_eni = std::get_if<model::AttachTaskNetworkInterfacesMessage>(&message)) {
        auto missing = missing_ids(*task_eni);
        if (!missing && task_eni->task_arn.empty()) {
            missing = Error{.kind = ErrorKind::Malformed, .what = "taskArn: required, but missing"};
        }
        co_return co_await attach_interfaces(std::move(*task_eni), std::move(missing), Attachment::Kind::TaskInterface);
    }
    if (auto* instance_eni = std::get_if<model::AttachInstanceNetworkInterfacesMessage>(&message)) {
        auto missing = missing_ids(*instance_eni);
        co_return co_await attach_interfaces(std::move(*instance_eni), std::move(missing),
                                             Attachment::Kind::InstanceInterface);
    }
    if (auto* confirm = std::get_if<model::ConfirmAttachmentMessage>(&message)) {
        co_return co_await confirm_attachment(std::move(*confirm));
    }
    // This release replaces its image by other means: staging is refused with the reference's words.
    if (auto* stage = std::get_if<model::StageUpdateMessage>(&message)) co_return update_refused(*stage);
    if (auto* perform = std::get_if<model::PerformUpdateMessage>(&message)) co_return update_refused(*perform);
    if (auto* notice = std::get_if<model::ServiceNotice>(&message)) {
        log::warn("acs says", {{"type", notice->type}, {"message", notice->message}});
    }
    co_return Replies{};
}

template <class Message>
std::vector<AcsReply> AcsConversation::update_refused(const Message& message) {
    if (message.message_id.empty()) return dropped(Message::kType, "", "messageId: required, but missing");
    Replies replies;
    replies.emplace_back(NackRequest{.cluster = message.cluster_arn,
                                     .container_instance = message.container_instance_arn,
                                     .message_id = message.message_id,
                                     .reason = "Updates are disabled"});
    return replies;
}

asio::awaitable<std::vector<AcsReply>> AcsConversation::payload(model::PayloadMessage message) {
    if (auto missing = missing_ids(message)) co_return dropped("PayloadMessage", message.message_id, missing->what);
    NODEAGENT_POINT("payload.received");
    bool handled = true;
    const auto invalid = [this, &handled](const model::Task& task, const std::string& detail) {
        handled = false;
        log::error("task refused", {{"task", task.arn}, {"reason", detail}});
        if (!task.arn.empty()) handler_.report_invalid(task.arn, std::string(kInvalidTask) + detail);
    };

    std::vector<std::shared_ptr<const model::Task>> stopping;
    std::vector<std::shared_ptr<const model::Task>> others;
    for (const auto& task : message.tasks) {
        if (!task) {
            handled = false;
            log::error("payload holds an empty task", {{"messageId", message.message_id}});
            continue;
        }
        if (const std::string fault = task_fault(*task); !fault.empty()) {
            invalid(*task, fault);
            continue;
        }
        const bool stops = model::parse_task_status(task->desired_status) == model::TaskStatus::Stopped;
        (stops ? stopping : others).push_back(task);
    }

    // what stops frees the resources that what starts may need
    std::vector<std::shared_ptr<const model::Task>> ordered = std::move(stopping);
    ordered.insert(ordered.end(), others.begin(), others.end());
    std::vector<std::vector<std::string>> fresh;  // of each task, the credentials ids that nobody had before
    fresh.reserve(ordered.size());
    for (const auto& task : ordered) fresh.push_back(store_credentials(*task));
    std::vector<std::shared_ptr<const model::Task>> all = ordered;
    const std::vector<model::Acceptance> verdicts = co_await handler_.accept(std::move(all));
    for (std::size_t i = 0; i < ordered.size(); ++i) {
        const model::Acceptance verdict = i < verdicts.size() ? verdicts[i] : model::Acceptance::Failed;
        if (verdict == model::Acceptance::Held) continue;
        // what is not here needs no role; the service sends its credentials again with the task
        for (const std::string& id : fresh[i]) registry_.forget(id);
        if (verdict == model::Acceptance::Refused) continue;
        handled = false;
        log::error("task not taken over, the service will send it again", {{"task", ordered[i]->arn}});
    }

    if (message.seq_num) sequence_ = std::max(sequence_, *message.seq_num);
    if (!handled) co_return Replies{};
    NODEAGENT_POINT("payload.ack.before");

    Replies replies;
    replies.emplace_back(ack_of(message));
    for (const auto& task : message.tasks) {
        for (const auto& role : {task->role_credentials, task->execution_role_credentials}) {
            if (!role) continue;
            replies.emplace_back(IamRoleCredentialsAckRequest{.credentials_id = role->credentials_id,
                                                              .expiration = role->expiration,
                                                              .message_id = message.message_id});
        }
    }
    co_return replies;
}

std::vector<std::string> AcsConversation::store_credentials(const model::Task& task) {
    std::vector<std::string> fresh;
    const auto put = [&](const std::optional<model::RoleCredentials>& role, credentials::RoleType type) {
        if (!role) return;
        const bool known = registry_.known(role->credentials_id);
        if (registry_.put({.task_arn = task.arn, .role_type = type, .role = *role}) && !known) {
            fresh.push_back(role->credentials_id);
        }
    };
    put(task.role_credentials, credentials::RoleType::TaskApplication);
    put(task.execution_role_credentials, credentials::RoleType::TaskExecution);
    return fresh;
}

std::vector<AcsReply> AcsConversation::refresh_credentials(const model::IamRoleCredentialsMessage& message) {
    const auto drop = [&](const char* why) {
        return dropped(model::IamRoleCredentialsMessage::kType, message.message_id, why);
    };
    if (message.message_id.empty()) return drop("messageId: required, but missing");
    if (message.task_arn.empty()) return drop("taskArn: required, but missing");
    if (!message.role_credentials) return drop("roleCredentials: required, but missing");
    const model::RoleCredentials& role = *message.role_credentials;
    if (role.credentials_id.empty()) return drop("roleCredentials.credentialsId: required, but missing");
    const bool execution = message.role_type == "TaskExecution";
    if (!execution && message.role_type != "TaskApplication")
        return drop("roleType: neither TaskApplication nor TaskExecution");

    const auto type = execution ? credentials::RoleType::TaskExecution : credentials::RoleType::TaskApplication;
    const bool known = registry_.known(role.credentials_id);
    registry_.put({.task_arn = message.task_arn, .role_type = type, .role = role});
    if (!handler_.use_credentials(message.task_arn, type, role.credentials_id)) {
        // Unlike the reference, which keeps them for ever: a payload that is on the way brings its own.
        if (!known) registry_.forget(role.credentials_id);
        return drop("taskArn: no such task here");
    }
    Replies replies;
    replies.emplace_back(IamRoleCredentialsAckRequest{
        .credentials_id = role.credentials_id, .expiration = role.expiration, .message_id = message.message_id});
    return replies;
}

asio::awaitable<std::vector<AcsReply>> AcsConversation::manifest(model::TaskManifestMessage message) {
    if (message.timeline <= sequence_) {
        log::info("task manifest is out of date",
                  {{"messageId", message.message_id}, {"timeline", message.timeline}, {"latest", sequence_}});
        co_return Replies{};
    }
    pending_manifest_ = message.message_id;
    sequence_ = message.timeline;
    if (auto saved = co_await handler_.save_sequence_number(message.timeline); !saved) {
        const Error why = std::move(saved).error();
        co_return dropped(model::TaskManifestMessage::kType, message.message_id, why.what);
    }
    model::TaskStopVerificationMessage verify;
    verify.message_id = message.message_id;
    for (const LocalTask& task : handler_.tasks()) {
        if (task.desired != model::TaskStatus::Running) continue;
        const bool listed = std::any_of(
            message.tasks.begin(), message.tasks.end(),
            [&](const model::TaskIdentifier& t) { return t.task_arn == task.arn && t.desired_status == "RUNNING"; });
        if (listed) continue;
        verify.stop_candidates.push_back(
            {.desired_status = "STOPPED", .task_arn = task.arn, .task_cluster_arn = message.cluster_arn});
    }
    Replies replies;
    replies.emplace_back(ack_of(message));
    if (!verify.stop_candidates.empty()) replies.emplace_back(std::move(verify));
    co_return replies;
}

asio::awaitable<std::vector<AcsReply>> AcsConversation::stop_verified(model::TaskStopVerificationAck message) {
    if (message.message_id.empty() || message.message_id != pending_manifest_) {
        co_return dropped(model::TaskStopVerificationAck::kType, message.message_id,
                          "messageId: not the pending manifest's");
    }
    pending_manifest_.clear();
    for (const model::TaskIdentifier& task : message.stop_tasks) {
        log::info("task is to stop: the service does not know it as running", {{"task", task.task_arn}});
        co_await handler_.stop(task.task_arn);
    }
    co_return Replies{};
}

template <class Message>
asio::awaitable<std::vector<AcsReply>> AcsConversation::attach_interfaces(Message message, std::optional<Error> missing,
                                                                          Attachment::Kind kind) {
    if (missing) co_return dropped(Message::kType, message.message_id, missing->what);
    if (message.wait_timeout_ms <= 0) {
        co_return dropped(Message::kType, message.message_id, "waitTimeoutMs: expected a positive number");
    }
    std::string task_arn;
    if constexpr (requires { message.task_arn; }) task_arn = message.task_arn;
    const WallTime expires_at = expiry(clock_.now(), message.wait_timeout_ms);
    auto attachments = interfaces(message.elastic_network_interfaces, kind, task_arn, expires_at);
    if (!attachments) {
        const Error why = std::move(attachments).error();
        co_return dropped(Message::kType, message.message_id, why.what);
    }
    co_return co_await record(std::move(*attachments), ack_of(message));
}

asio::awaitable<std::vector<AcsReply>> AcsConversation::confirm_attachment(model::ConfirmAttachmentMessage message) {
    if (auto valid = check_confirm_attachment(message); !valid) {
        const Error why = std::move(valid).error();
        co_return dropped(model::ConfirmAttachmentMessage::kType, message.message_id, why.what);
    }
    std::vector<Attachment> attachments;
    if (message.attachment->attachment_type == "amazonebs") {
        const std::int64_t wait = message.wait_timeout_ms > 0 ? message.wait_timeout_ms : kDefaultVolumeWaitMs;
        attachments.push_back(volume(message, expiry(clock_.now(), wait)));
    }
    co_return co_await record(std::move(attachments), ack_of(message));
}

// Acknowledged also when it could not be saved: the acknowledgement only says that the message arrived.
asio::awaitable<std::vector<AcsReply>> AcsConversation::record(std::vector<Attachment> attachments, AckRequest ack) {
    for (Attachment& attachment : attachments) {
        if (!attachments_.add(attachment, clock_.now())) continue;
        const std::string key = attachment.key;
        log::info("attachment announced", {{"attachment", attachment.attachment_arn}, {"key", key}});
        if (auto saved = co_await handler_.save_attachment(std::move(attachment)); !saved) {
            const Error why = std::move(saved).error();
            log::error("attachment not saved", {{"key", key}, {"reason", why.what}});
        }
    }
    Replies replies;
    replies.emplace_back(std::move(ack));
    co_return replies;
}

asio::awaitable<void> AcsConversation::expire_attachments() {
    for (const std::string& key : attachments_.expire(clock_.now().steady)) {
        log::warn("attachment did not show up in time", {{"key", key}});
        co_await handler_.erase_attachment(key);
    }
}

}  // namespace nodeagent::ecs
