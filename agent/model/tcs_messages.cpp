#include "agent/model/tcs_messages.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "agent/model/envelope.hpp"

namespace nodeagent::model {

namespace {

struct Inbound {
    std::string_view type;
    TcsInboundKind kind;
};
constexpr std::array kInbound{
    Inbound{"HeartbeatMessage", TcsInboundKind::Heartbeat},
    Inbound{"AckPublishMetric", TcsInboundKind::Ack},
    Inbound{"AckPublishHealth", TcsInboundKind::Ack},
    Inbound{"AckPublishInstanceStatus", TcsInboundKind::Ack},
    Inbound{"StopTelemetrySessionMessage", TcsInboundKind::StopSession},
    Inbound{"ServerException", TcsInboundKind::Notice},
    Inbound{"BadRequestException", TcsInboundKind::Notice},
    Inbound{"ResourceValidationException", TcsInboundKind::Notice},
    Inbound{"InvalidParameterException", TcsInboundKind::Notice},
    Inbound{"StartTelemetrySessionRequest", TcsInboundKind::Notice},
    Inbound{PublishMetricsRequest::kType, TcsInboundKind::Notice},
    Inbound{PublishHealthRequest::kType, TcsInboundKind::Notice},
    Inbound{PublishInstanceStatusRequest::kType, TcsInboundKind::Notice},
};

}  // namespace

nlohmann::json tcs_timestamp(std::chrono::system_clock::time_point when) {
    const double seconds = epoch_seconds(when);
    if (seconds == std::floor(seconds)) return static_cast<std::int64_t>(seconds);
    return seconds;
}

std::string encode_tcs_envelope(const PublishMetricsRequest& request) { return encode_envelope(request); }
std::string encode_tcs_envelope(const PublishHealthRequest& request) { return encode_envelope(request); }
std::string encode_tcs_envelope(const PublishInstanceStatusRequest& request) { return encode_envelope(request); }

Result<TcsInbound> decode_tcs_frame(std::string_view text) {
    auto envelope = open_envelope(text);
    if (!envelope) return std::move(envelope).error();
    const auto* row =
        std::find_if(kInbound.begin(), kInbound.end(), [&](const Inbound& r) { return r.type == envelope->type; });
    if (row == kInbound.end()) return unknown_type(envelope->type);
    auto notice = notice_text(*envelope);
    if (!notice) return std::move(notice).error();
    return TcsInbound{row->kind, std::move(envelope->type), std::move(*notice)};
}

}  // namespace nodeagent::model
