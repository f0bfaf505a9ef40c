#include "agent/acs_adapter.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"
#include "agent/engine/state_sink.hpp"
#include "agent/engine/task_engine.hpp"

namespace nodeagent {

namespace {

constexpr std::string_view kAttachmentPrefix = "attachment:";

std::string shelf_key(const std::string& key) { return std::string(kAttachmentPrefix) + key; }

struct SavedAttachment {
    int kind = -1;
    std::string key;
    std::string attachment_arn;
    std::string task_arn;
    std::string expires_at;
    bool sent = false;
    std::map<std::string, std::string> properties;
    static constexpr auto json_fields() {
        using T = SavedAttachment;
        return std::tuple{always_field("kind", &T::kind),
                          always_field("key", &T::key),
                          optional_field("attachmentArn", &T::attachment_arn),
                          optional_field("taskArn", &T::task_arn),
                          always_field("expiresAt", &T::expires_at),
                          optional_field("sent", &T::sent),
                          optional_field("properties", &T::properties)};
    }
};

std::string to_text(const ecs::Attachment& attachment) {
    return encode(SavedAttachment{.kind = static_cast<int>(attachment.kind),
                                  .key = attachment.key,
                                  .attachment_arn = attachment.attachment_arn,
                                  .task_arn = attachment.task_arn,
                                  .expires_at = rfc3339_nanos(attachment.expires_at),
                                  .sent = attachment.sent,
                                  .properties = attachment.properties});
}

std::optional<ecs::Attachment> from_text(const std::string& text) {
    auto saved = decode<SavedAttachment>(text);
    if (!saved) return std::nullopt;
    const auto expires = parse_rfc3339(saved->expires_at);
    if (!expires || saved->kind < 0 || saved->kind > static_cast<int>(ecs::Attachment::Kind::Volume))
        return std::nullopt;
    return ecs::Attachment{.kind = static_cast<ecs::Attachment::Kind>(saved->kind),
                           .key = saved->key,
                           .attachment_arn = saved->attachment_arn,
                           .task_arn = saved->task_arn,
                           .expires_at = *expires,
                           .sent = saved->sent,
                           .properties = saved->properties};
}

}  // namespace

AcsAdapter::AcsAdapter(Parts parts) : parts_(std::move(parts)) {}

asio::awaitable<std::vector<model::Acceptance>> AcsAdapter::accept(
    std::vector<std::shared_ptr<const model::Task>> tasks) {
    model::PayloadMessage payload;
    payload.tasks = std::move(tasks);
    engine::PayloadOutcome outcome = co_await parts_.engine.accept(std::move(payload));
    co_return std::move(outcome.tasks);
}

void AcsAdapter::report_invalid(std::string task_arn, std::string reason) {
    model::TaskStateChange change;
    change.task_arn = std::move(task_arn);
    change.status = model::TaskStatus::Stopped;
    change.reason = std::move(reason);
    parts_.reports.submit(std::move(change));
}

bool AcsAdapter::use_credentials(const std::string& task_arn, credentials::RoleType role,
                                 const std::string& credentials_id) {
    const auto held = parts_.engine.tasks();
    if (std::none_of(held.begin(), held.end(), [&](const auto& task) { return task.arn == task_arn; })) return false;
    if (const auto stored = parts_.registry.get(credentials_id)) {
        parts_.scope.spawn(refresh(task_arn, role == credentials::RoleType::TaskExecution, stored->role));
    }
    return true;
}

asio::awaitable<void> AcsAdapter::refresh(std::string task_arn, bool execution_role, model::RoleCredentials role) {
    (void)co_await parts_.engine.refresh_credentials(std::move(task_arn), execution_role, std::move(role));
}

std::vector<ecs::LocalTask> AcsAdapter::tasks() const {
    std::vector<ecs::LocalTask> listed;
    for (const engine::TaskOnHost& task : parts_.engine.tasks()) {
        if (!task.internal) listed.push_back({task.arn, task.desired});
    }
    return listed;
}

asio::awaitable<void> AcsAdapter::stop(std::string task_arn) {
    (void)co_await parts_.engine.stop_task(std::move(task_arn));
}

asio::awaitable<Result<void>> AcsAdapter::save_sequence_number(std::int64_t number) {
    return parts_.store.put(engine::Shelf::Metadata, std::string(engine::kManifestSequenceKey), std::to_string(number));
}

asio::awaitable<Result<void>> AcsAdapter::save_attachment(ecs::Attachment attachment) {
    return parts_.store.put(engine::Shelf::Metadata, shelf_key(attachment.key), to_text(attachment));
}

asio::awaitable<void> AcsAdapter::erase_attachment(std::string key) {
    const auto erased = co_await parts_.store.erase(engine::Shelf::Metadata, shelf_key(key));
    if (!erased)
        log::warn("an expired attachment could not be erased; it is tried again at the next start",
                  {{"attachment", key}, {"error", erased.error().what}});
}

void AcsAdapter::heartbeat() { parts_.on_heartbeat(); }

SavedAttachments saved_attachments(const engine::StoredState& stored) {
    SavedAttachments found;
    for (const auto& [key, text] : stored.metadata) {
        if (!key.starts_with(kAttachmentPrefix)) continue;
        if (auto attachment = from_text(text)) {
            found.attachments.push_back(*std::move(attachment));
        } else {
            found.damaged.push_back(key);
        }
    }
    return found;
}

}  // namespace nodeagent
