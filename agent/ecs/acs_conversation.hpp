#pragma once
// The rules of ACS: which message is valid, what it does, what answers it (control-plane.md 6). The session carries
// frames to it and its replies back. Lives as long as the process, across connections.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/ecs/acs_handler.hpp"
#include "agent/ecs/attachment_book.hpp"
#include "agent/model/acs_messages.hpp"

namespace nodeagent::ecs {

class AcsConversation {
  public:
    /// `sequence`: -1 when nothing was restored, 0 when state was restored without a number, else the saved number.
    AcsConversation(AcsHandler& handler, credentials::Registry& registry, Clock& clock, std::int64_t sequence);

    /// Carries the message out and returns what is to be sent, in order. Empty: the message is not acknowledged, which
    /// makes the service send it again where that helps.
    asio::awaitable<std::vector<model::AcsReply>> handle(model::AcsMessage message);

    /// The highest sequence number seen, of manifests and payloads.
    [[nodiscard]] std::int64_t sequence() const { return sequence_; }
    AttachmentBook& attachments() { return attachments_; }
    /// Drops attachments that did not show up in time.
    asio::awaitable<void> expire_attachments();

  private:
    using Replies = std::vector<model::AcsReply>;
    asio::awaitable<Replies> payload(model::PayloadMessage message);
    asio::awaitable<Replies> manifest(model::TaskManifestMessage message);
    asio::awaitable<Replies> stop_verified(model::TaskStopVerificationAck message);
    asio::awaitable<Replies> confirm_attachment(model::ConfirmAttachmentMessage message);
    template <class Message>
    asio::awaitable<Replies> attach_interfaces(Message message, std::optional<Error> missing, Attachment::Kind kind);
    asio::awaitable<Replies> record(std::vector<Attachment> attachments, model::AckRequest ack);
    Replies refresh_credentials(const model::IamRoleCredentialsMessage& message);
    template <class Message>
    Replies update_refused(const Message& message);
    /// The ids that were not in the registry before.
    std::vector<std::string> store_credentials(const model::Task& task);

    AcsHandler& handler_;
    credentials::Registry& registry_;
    Clock& clock_;
    AttachmentBook attachments_;
    std::int64_t sequence_;
    std::string pending_manifest_;  ///< message id that a TaskStopVerificationAck must name; usable once
};

}  // namespace nodeagent::ecs
