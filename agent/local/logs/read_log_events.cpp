#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "agent/base/strings.hpp"
#include "agent/local/logs/filter_pattern.hpp"
#include "agent/local/logs/operations.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kEventsAtMost = 10'000;
constexpr std::size_t kAnswerAtMost = 1'048'576;

struct GetLogEvents {
    std::string group;
    std::string identifier;
    std::string stream;
    std::optional<std::int64_t> start;
    std::optional<std::int64_t> end;
    std::string next_token;
    std::optional<std::int64_t> limit;
    bool from_head = false;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("logGroupName", &GetLogEvents::group),
                          optional_field("logGroupIdentifier", &GetLogEvents::identifier),
                          required_field("logStreamName", &GetLogEvents::stream),
                          optional_field("startTime", &GetLogEvents::start),
                          optional_field("endTime", &GetLogEvents::end),
                          optional_field("nextToken", &GetLogEvents::next_token),
                          optional_field("limit", &GetLogEvents::limit),
                          optional_field("startFromHead", &GetLogEvents::from_head)};
    }
};

struct FilterLogEvents {
    std::string group;
    std::string identifier;
    std::vector<std::string> streams;
    std::string prefix;
    std::optional<std::int64_t> start;
    std::optional<std::int64_t> end;
    std::string pattern;
    std::string next_token;
    std::optional<std::int64_t> limit;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("logGroupName", &FilterLogEvents::group),
                          optional_field("logGroupIdentifier", &FilterLogEvents::identifier),
                          optional_field("logStreamNames", &FilterLogEvents::streams),
                          optional_field("logStreamNamePrefix", &FilterLogEvents::prefix),
                          optional_field("startTime", &FilterLogEvents::start),
                          optional_field("endTime", &FilterLogEvents::end),
                          optional_field("filterPattern", &FilterLogEvents::pattern),
                          optional_field("nextToken", &FilterLogEvents::next_token),
                          optional_field("limit", &FilterLogEvents::limit)};
    }
};

/// A place between events of a stream.
struct Place {
    std::int64_t timestamp = 0;
    std::uint64_t number = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
};

Place place_of(const LogEvent& event) { return {event.timestamp, event.number}; }

std::optional<Place> parse_place(std::string_view token, std::string_view direction) {
    const std::vector<std::string_view> parts = split(token, '/');
    if (parts.size() != 3 || parts[0] != direction) return std::nullopt;
    const auto timestamp = parse_integer(parts[1]);
    const auto number = parse_integer(parts[2]);
    if (!timestamp || !number || *number < 0) return std::nullopt;
    return Place{*timestamp, static_cast<std::uint64_t>(*number)};
}

std::string token_of(std::string_view direction, Place place) {
    return std::string(direction) + "/" + std::to_string(place.timestamp) + "/" + std::to_string(place.number);
}

std::size_t limit_of(const std::optional<std::int64_t>& limit) {
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(limit.value_or(kEventsAtMost), 1, static_cast<std::int64_t>(kEventsAtMost)));
}

OrderedJson event_view(const LogEvent& event) {
    OrderedJson view;
    view["timestamp"] = event.timestamp;
    view["message"] = event.message;
    view["ingestionTime"] = event.ingested;
    return view;
}

}  // namespace

// Forward tokens name the last event before the page to come, backward ones the first after it, so that new events
// neither hide nor show twice. At the end the token is the one that was given, as clients expect.
ApiResult get_log_events(LogsApi& api, const Json& request) {
    auto wanted = parse_request<GetLogEvents>(request);
    if (!wanted) return wanted.error();
    const std::string group = requested_group(wanted->group, wanted->identifier);
    if (api.store.group(group) == nullptr) return no_log_group();
    const LogStream* stream = api.store.stream(group, wanted->stream);
    if (stream == nullptr) return no_log_stream();
    const auto forward = parse_place(wanted->next_token, "f");
    const auto backward = parse_place(wanted->next_token, "b");
    if (!wanted->next_token.empty() && !forward && !backward) {
        return bad_log_parameter("The specified nextToken is invalid.");
    }
    const std::deque<LogEvent>& events = stream->events;
    const auto after = [](Place place, const LogEvent& event) { return place < place_of(event); };
    const auto before = [](const LogEvent& event, Place place) { return place_of(event) < place; };
    const Place low{wanted->start.value_or(0), 0};
    const Place high{wanted->end.value_or(std::numeric_limits<std::int64_t>::max()), 0};
    auto begin = std::lower_bound(events.begin(), events.end(), low, before);
    auto end = std::lower_bound(events.begin(), events.end(), high, before);
    if (forward) begin = std::max(begin, std::upper_bound(events.begin(), events.end(), *forward, after));
    if (backward) end = std::min(end, std::lower_bound(events.begin(), events.end(), *backward, before));
    if (end < begin) end = begin;

    const std::size_t limit = limit_of(wanted->limit);
    const bool from_begin = forward || (wanted->from_head && !backward);
    std::size_t count = 0;
    std::size_t bytes = 0;
    auto first = from_begin ? begin : end;
    auto last = first;
    while (count < limit && (from_begin ? last != end : first != begin)) {
        const LogEvent& event = from_begin ? *last : *std::prev(first);
        bytes += event.message.size() + 26;
        if (bytes > kAnswerAtMost && count > 0) break;
        ++count;
        if (from_begin) {
            ++last;
        } else {
            --first;
        }
    }
    Reply reply;
    reply.body["events"] = OrderedJson::array();
    for (auto at = first; at != last; ++at) reply.body["events"].push_back(event_view(*at));
    Place newest = forward.value_or(backward.value_or(Place{}));
    Place oldest = backward.value_or(forward.value_or(Place{}));
    if (first != last) {
        newest = place_of(*std::prev(last));
        oldest = place_of(*first);
    }
    reply.body["nextForwardToken"] = token_of("f", newest);
    reply.body["nextBackwardToken"] = token_of("b", oldest);
    return reply;
}

ApiResult filter_log_events(LogsApi& api, const Json& request) {
    auto wanted = parse_request<FilterLogEvents>(request);
    if (!wanted) return wanted.error();
    const LogGroup* group = api.store.group(requested_group(wanted->group, wanted->identifier));
    if (group == nullptr) return no_log_group();
    if (!wanted->streams.empty() && !wanted->prefix.empty()) {
        return bad_log_parameter("Only one of logStreamNames and logStreamNamePrefix can be specified.");
    }
    const auto pattern = FilterPattern::parse(wanted->pattern);
    if (!pattern)
        return bad_log_parameter("Invalid filter pattern; ecs-local serves terms, \"quoted\", -without and ?any");
    const std::set<std::string> names(wanted->streams.begin(), wanted->streams.end());
    for (const std::string& name : names) {
        if (!group->streams.contains(name)) return no_log_stream();
    }
    // one line of all streams: by time, then by stream, then as they came
    using Entry = std::tuple<std::int64_t, std::string_view, std::uint64_t, const LogEvent*>;
    std::vector<Entry> found;
    for (const auto& [name, stream] : group->streams) {
        if (!names.empty() && !names.contains(name)) continue;
        if (!name.starts_with(wanted->prefix)) continue;
        const auto low =
            std::lower_bound(stream.events.begin(), stream.events.end(), wanted->start.value_or(0),
                             [](const LogEvent& event, std::int64_t time) { return event.timestamp < time; });
        for (auto at = low; at != stream.events.end(); ++at) {
            if (wanted->end && at->timestamp > *wanted->end) break;
            if (pattern->matches(at->message)) found.emplace_back(at->timestamp, name, at->number, &*at);
        }
    }
    std::sort(found.begin(), found.end());
    // a token is the last event told: "<timestamp>/<number>/<stream>"
    auto next = found.begin();
    if (!wanted->next_token.empty()) {
        const std::string_view token = wanted->next_token;
        const std::size_t first = token.find('/');
        const std::size_t second = first == std::string_view::npos ? first : token.find('/', first + 1);
        if (second == std::string_view::npos) return bad_log_parameter("The specified nextToken is invalid.");
        const auto timestamp = parse_integer(token.substr(0, first));
        const auto number = parse_integer(token.substr(first + 1, second - first - 1));
        if (!timestamp || !number) return bad_log_parameter("The specified nextToken is invalid.");
        const auto told = std::tuple{static_cast<std::int64_t>(*timestamp), token.substr(second + 1),
                                     static_cast<std::uint64_t>(*number)};
        next = std::find_if(found.begin(), found.end(), [&](const Entry& entry) {
            return std::tuple{std::get<0>(entry), std::get<1>(entry), std::get<2>(entry)} > told;
        });
    }
    Reply reply;
    reply.body["events"] = OrderedJson::array();
    const std::size_t limit = limit_of(wanted->limit);
    std::size_t bytes = 0;
    const Entry* last = nullptr;
    for (; next != found.end() && reply.body["events"].size() < limit; ++next) {
        const LogEvent& event = *std::get<3>(*next);
        bytes += event.message.size() + 26;
        if (bytes > kAnswerAtMost && last != nullptr) break;
        OrderedJson view;
        view["logStreamName"] = std::get<1>(*next);
        view.update(event_view(event));
        // clients tell events apart by it
        view["eventId"] = std::string(std::get<1>(*next)) + "/" + std::to_string(event.number);
        reply.body["events"].push_back(std::move(view));
        last = &*next;
    }
    reply.body["searchedLogStreams"] = OrderedJson::array();
    if (next != found.end() && last != nullptr) {
        reply.body["nextToken"] = std::to_string(std::get<0>(*last)) + "/" + std::to_string(std::get<2>(*last)) + "/" +
                                  std::string(std::get<1>(*last));
    }
    return reply;
}

}  // namespace nodeagent::local
