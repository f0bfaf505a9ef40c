#include <algorithm>

#include "agent/base/strings.hpp"
#include "agent/local/logs/operations.hpp"
#include "agent/local/pagination.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kNameAtMost = 512;
constexpr std::int64_t kPage = 50;

struct NamedGroup {
    std::string group;
    std::string stream;
    static constexpr auto json_fields() {
        return std::tuple{required_field("logGroupName", &NamedGroup::group),
                          optional_field("logStreamName", &NamedGroup::stream)};
    }
};

struct DescribeGroups {
    std::string prefix;
    std::string pattern;
    std::string next_token;
    std::optional<std::int64_t> limit;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("logGroupNamePrefix", &DescribeGroups::prefix),
                          optional_field("logGroupNamePattern", &DescribeGroups::pattern),
                          optional_field("nextToken", &DescribeGroups::next_token),
                          optional_field("limit", &DescribeGroups::limit)};
    }
};

struct DescribeStreams {
    std::string group;
    std::string identifier;
    std::string prefix;
    std::string order_by;
    bool descending = false;
    std::string next_token;
    std::optional<std::int64_t> limit;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("logGroupName", &DescribeStreams::group),
                          optional_field("logGroupIdentifier", &DescribeStreams::identifier),
                          optional_field("logStreamNamePrefix", &DescribeStreams::prefix),
                          optional_field("orderBy", &DescribeStreams::order_by),
                          optional_field("descending", &DescribeStreams::descending),
                          optional_field("nextToken", &DescribeStreams::next_token),
                          optional_field("limit", &DescribeStreams::limit)};
    }
};

ApiError taken(std::string_view what) {
    return {.code = "ResourceAlreadyExistsException",
            .message = "The specified " + std::string(what) + " already exists"};
}

ApiError too_many() { return {.code = "LimitExceededException", .message = "Resource limit exceeded."}; }

bool good_group_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameAtMost && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view("_-/.#").find(c) != std::string_view::npos;
    });
}

bool good_stream_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameAtMost && name.find_first_of(":*") == std::string_view::npos;
}

ApiError bad_name(const char* member, const std::string& value) {
    return bad_log_parameter("1 validation error detected: Value '" + value + "' at '" + member +
                             "' failed to satisfy constraint");
}

OrderedJson stream_view(const std::string& arn, const std::string& name, const LogStream& stream) {
    OrderedJson view;
    view["logStreamName"] = name;
    view["creationTime"] = stream.created;
    if (!stream.events.empty()) {
        view["firstEventTimestamp"] = stream.events.front().timestamp;
        view["lastEventTimestamp"] = stream.events.back().timestamp;
        view["lastIngestionTime"] = stream.last_ingestion;
    }
    view["uploadSequenceToken"] = std::to_string(stream.next_number);
    view["arn"] = arn + ":log-stream:" + name;
    view["storedBytes"] = 0;
    return view;
}

}  // namespace

ApiError no_log_group() {
    return {.code = "ResourceNotFoundException", .message = "The specified log group does not exist."};
}
ApiError no_log_stream() {
    return {.code = "ResourceNotFoundException", .message = "The specified log stream does not exist."};
}
ApiError bad_log_parameter(std::string message) {
    return {.code = "InvalidParameterException", .message = std::move(message)};
}

std::string log_group_arn(const Identity& identity, const std::string& group) {
    return make_arn_of("logs", identity, "log-group:" + group);
}

std::string requested_group(const std::string& name, const std::string& identifier) {
    if (!name.empty() || identifier.empty()) return name;
    constexpr std::string_view kMark = ":log-group:";
    const std::size_t at = identifier.find(kMark);
    if (at == std::string::npos) return identifier;
    std::string out = identifier.substr(at + kMark.size());
    return out.substr(0, out.find(':'));
}

ApiResult create_log_group(LogsApi& api, const Json& request) {
    auto wanted = parse_request<NamedGroup>(request);
    if (!wanted) return wanted.error();
    if (!good_group_name(wanted->group)) return bad_name("logGroupName", wanted->group);
    if (api.store.group(wanted->group) != nullptr) return taken("log group");
    if (!api.store.add_group(wanted->group, api.now)) return too_many();
    return Reply{};
}

ApiResult delete_log_group(LogsApi& api, const Json& request) {
    auto wanted = parse_request<NamedGroup>(request);
    if (!wanted) return wanted.error();
    if (api.store.group(wanted->group) == nullptr) return no_log_group();
    api.store.remove_group(wanted->group);
    return Reply{};
}

ApiResult create_log_stream(LogsApi& api, const Json& request) {
    auto wanted = parse_request<NamedGroup>(request);
    if (!wanted) return wanted.error();
    if (!good_stream_name(wanted->stream)) return bad_name("logStreamName", wanted->stream);
    LogGroup* group = api.store.group(wanted->group);
    if (group == nullptr) return no_log_group();
    if (group->streams.contains(wanted->stream)) return taken("log stream");
    if (!api.store.add_stream(*group, wanted->stream, api.now)) return too_many();
    return Reply{};
}

ApiResult describe_log_groups(LogsApi& api, const Json& request) {
    auto wanted = parse_request<DescribeGroups>(request);
    if (!wanted) return wanted.error();
    std::vector<std::string> names;
    for (const auto& [name, group] : api.store.groups()) {
        if (name.starts_with(wanted->prefix) && name.find(wanted->pattern) != std::string::npos) names.push_back(name);
    }
    auto page = paginate(std::move(names), {.next_token = wanted->next_token, .max_results = wanted->limit}, kPage);
    if (!page) return page.error();
    Reply reply;
    reply.body["logGroups"] = OrderedJson::array();
    for (const std::string& name : page->items) {
        const LogGroup& group = *api.store.group(name);
        std::size_t bytes = 0;
        for (const auto& [stream_name, stream] : group.streams) bytes += stream.bytes;
        OrderedJson view;
        view["logGroupName"] = name;
        view["creationTime"] = group.created;
        view["metricFilterCount"] = 0;
        view["arn"] = log_group_arn(api.identity, name) + ":*";
        view["storedBytes"] = bytes;
        reply.body["logGroups"].push_back(std::move(view));
    }
    if (!page->next_token.empty()) reply.body["nextToken"] = page->next_token;
    return reply;
}

ApiResult describe_log_streams(LogsApi& api, const Json& request) {
    auto wanted = parse_request<DescribeStreams>(request);
    if (!wanted) return wanted.error();
    const std::string group_name = requested_group(wanted->group, wanted->identifier);
    const LogGroup* group = api.store.group(group_name);
    if (group == nullptr) return no_log_group();
    const bool by_time = wanted->order_by == "LastEventTime";
    if (by_time && !wanted->prefix.empty()) {
        return bad_log_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    std::vector<std::string> names;
    for (const auto& [name, stream] : group->streams) {
        if (name.starts_with(wanted->prefix)) names.push_back(name);
    }
    if (by_time) {
        const auto last = [&](const std::string& name) {
            const LogStream& stream = group->streams.at(name);
            return stream.events.empty() ? std::int64_t{0} : stream.events.back().timestamp;
        };
        std::stable_sort(names.begin(), names.end(),
                         [&](const std::string& a, const std::string& b) { return last(a) < last(b); });
    }
    if (wanted->descending) std::reverse(names.begin(), names.end());
    // a token is an offset here: the order may be by time
    const auto from = static_cast<std::size_t>(std::max(0LL, parse_integer(wanted->next_token).value_or(0)));
    const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(wanted->limit.value_or(kPage), 1, kPage));
    Reply reply;
    reply.body["logStreams"] = OrderedJson::array();
    const std::string arn = log_group_arn(api.identity, group_name);
    for (std::size_t i = from; i < names.size() && i < from + count; ++i) {
        reply.body["logStreams"].push_back(stream_view(arn, names[i], group->streams.at(names[i])));
    }
    if (from + count < names.size()) reply.body["nextToken"] = std::to_string(from + count);
    return reply;
}

}  // namespace nodeagent::local
