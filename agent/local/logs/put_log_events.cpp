#include <algorithm>

#include "agent/local/logs/operations.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kUploadAtMost = 1'048'576;
constexpr std::size_t kPerEvent = 26;
constexpr std::size_t kEventsAtMost = 10'000;
constexpr std::int64_t kHour = 3600LL * 1000;
constexpr std::int64_t kOldest = 14 * 24 * kHour;
constexpr std::int64_t kNewest = 2 * kHour;

struct InputEvent {
    std::int64_t timestamp = -1;
    std::string message;
    static constexpr auto json_fields() {
        return std::tuple{required_field("timestamp", &InputEvent::timestamp),
                          required_field("message", &InputEvent::message)};
    }
};

struct PutLogEvents {
    std::string group;
    std::string stream;
    std::vector<InputEvent> events;
    static constexpr auto json_fields() {
        return std::tuple{required_field("logGroupName", &PutLogEvents::group),
                          required_field("logStreamName", &PutLogEvents::stream),
                          required_field("logEvents", &PutLogEvents::events)};
    }
};

std::optional<ApiError> wrong_with(const std::vector<InputEvent>& events) {
    if (events.empty() || events.size() > kEventsAtMost) {
        return bad_log_parameter(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length " +
            std::string(events.empty() ? "greater than or equal to 1" : "less than or equal to 10000"));
    }
    std::size_t bytes = 0;
    std::int64_t before = 0;
    for (const InputEvent& event : events) {
        if (event.message.empty() || event.timestamp < 0) {
            return bad_log_parameter(
                "1 validation error detected: Value at 'logEvents.1.member' failed to satisfy constraint");
        }
        if (event.timestamp < before) {
            return bad_log_parameter("Log events in a single PutLogEvents request must be in chronological order.");
        }
        before = event.timestamp;
        bytes += event.message.size() + kPerEvent;
    }
    if (bytes > kUploadAtMost) {
        return bad_log_parameter("Upload too large: " + std::to_string(bytes) + " bytes exceeds limit of 1048576");
    }
    if (events.back().timestamp - events.front().timestamp > 24 * kHour) {
        return bad_log_parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
    }
    return std::nullopt;
}

}  // namespace

ApiResult put_log_events(LogsApi& api, const Json& request) {
    auto wanted = parse_request<PutLogEvents>(request);
    if (!wanted) return wanted.error();
    if (api.store.group(wanted->group) == nullptr) return no_log_group();
    LogStream* stream = api.store.stream(wanted->group, wanted->stream);
    if (stream == nullptr) return no_log_stream();
    if (auto wrong = wrong_with(wanted->events)) return std::move(*wrong);
    std::size_t old = 0;
    std::vector<LogStore::Text> kept;
    std::size_t fresh_until = wanted->events.size();
    for (std::size_t i = 0; i < wanted->events.size(); ++i) {
        InputEvent& event = wanted->events[i];
        if (event.timestamp < api.now - kOldest) {
            old = i + 1;
        } else if (event.timestamp > api.now + kNewest) {
            fresh_until = std::min(fresh_until, i);
        } else {
            kept.push_back({.timestamp = event.timestamp, .message = std::move(event.message)});
        }
    }
    api.store.add(*stream, std::move(kept), api.now);
    ++api.store.puts;
    Reply reply;
    reply.body["nextSequenceToken"] = std::to_string(stream->next_number);
    if (old > 0) reply.body["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = old;
    if (fresh_until < wanted->events.size()) {
        reply.body["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = fresh_until;
    }
    return reply;
}

}  // namespace nodeagent::local
