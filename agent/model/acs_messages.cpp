#include "agent/model/acs_messages.hpp"

#include <algorithm>
#include <array>

#include "agent/base/json.hpp"
#include "agent/model/envelope.hpp"

namespace nodeagent::model {

namespace {

using Decoder = Result<AcsMessage> (*)(const Json& message);

template <class T>
Result<AcsMessage> decode_as(const Json& message) {
    if (message.is_null()) return AcsMessage(T{});
    auto decoded = decode_document<T>(message);
    if (!decoded) return std::move(decoded).error();
    return AcsMessage(std::move(*decoded));
}

struct Row {
    std::string_view type;
    Decoder decoder;  // nullptr: a notice
};

constexpr std::array kTypes{
    Row{"PayloadMessage", decode_as<PayloadMessage>},
    Row{HeartbeatMessage::kType, decode_as<HeartbeatMessage>},
    Row{IamRoleCredentialsMessage::kType, decode_as<IamRoleCredentialsMessage>},
    Row{TaskManifestMessage::kType, decode_as<TaskManifestMessage>},
    Row{TaskStopVerificationAck::kType, decode_as<TaskStopVerificationAck>},
    Row{AttachTaskNetworkInterfacesMessage::kType, decode_as<AttachTaskNetworkInterfacesMessage>},
    Row{AttachInstanceNetworkInterfacesMessage::kType, decode_as<AttachInstanceNetworkInterfacesMessage>},
    Row{ConfirmAttachmentMessage::kType, decode_as<ConfirmAttachmentMessage>},
    Row{StageUpdateMessage::kType, decode_as<StageUpdateMessage>},
    Row{PerformUpdateMessage::kType, decode_as<PerformUpdateMessage>},
    Row{"CloseMessage", nullptr},
    Row{"ErrorMessage", nullptr},
    Row{"ServerException", nullptr},
    Row{"BadRequestException", nullptr},
    Row{"InvalidClusterException", nullptr},
    Row{"InvalidInstanceException", nullptr},
    Row{"AccessDeniedException", nullptr},
    Row{"InactiveInstanceException", nullptr},
    // ours, should one come back
    Row{AckRequest::kType, nullptr},
    Row{NackRequest::kType, nullptr},
    Row{HeartbeatAckRequest::kType, nullptr},
    Row{IamRoleCredentialsAckRequest::kType, nullptr},
    Row{TaskStopVerificationMessage::kType, nullptr},
};

const Row* find_type(std::string_view type) {
    const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const Row& r) { return r.type == type; });
    return row == kTypes.end() ? nullptr : row;
}

}  // namespace

Result<AcsMessage> decode_acs_frame(std::string_view text) {
    auto envelope = open_envelope(text);
    if (!envelope) return std::move(envelope).error();
    const Row* row = find_type(envelope->type);
    if (row == nullptr) return unknown_type(envelope->type);
    if (row->decoder == nullptr) {
        auto notice = notice_text(*envelope);
        if (!notice) return std::move(notice).error();
        return AcsMessage(ServiceNotice{std::move(envelope->type), std::move(*notice)});
    }
    auto message = row->decoder(envelope->message);
    if (!message) return with_context(row->type, std::move(message).error());
    return message;
}

std::string_view type_of(const AcsMessage& message) {
    return std::visit(
        [](const auto& m) -> std::string_view {
            using T = std::decay_t<decltype(m)>;
            if constexpr (std::is_same_v<T, ServiceNotice>) {
                return m.type;
            } else if constexpr (std::is_same_v<T, PayloadMessage>) {
                return "PayloadMessage";
            } else {
                return T::kType;
            }
        },
        message);
}

std::string encode_acs_frame(const AcsReply& reply) {
    return std::visit([](const auto& r) { return encode_envelope(r); }, reply);
}

std::string describe_refusal(std::string_view body) {
    auto envelope = open_envelope(body);
    if (!envelope || find_type(envelope->type) == nullptr) return {};
    auto text = notice_text(*envelope);
    return text ? envelope->type + ": " + *text : std::string{};
}

}  // namespace nodeagent::model
