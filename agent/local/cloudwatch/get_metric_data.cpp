// GetMetricData. A page ends where the data points asked for at most do; its token says which query goes on, and from
// which minute.

#include <algorithm>
#include <cctype>
#include <set>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/local/cloudwatch/operations.hpp"
#include "agent/local/cloudwatch/parameters.hpp"
#include "agent/local/cloudwatch/time_range.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kQueriesAtMost = 500;
constexpr std::int64_t kPointsPerPage = 100'800;

struct MetricMember {
    std::string space;
    std::string name;
    std::vector<DimensionMember> dimensions;
    static constexpr auto json_fields() {
        using T = MetricMember;
        return std::tuple{optional_field("Namespace", &T::space), optional_field("MetricName", &T::name),
                          optional_field("Dimensions", &T::dimensions)};
    }
};

struct MetricStatMember {
    MetricMember metric;
    Json period;
    std::string stat;
    std::string unit;
    static constexpr auto json_fields() {
        using T = MetricStatMember;
        return std::tuple{optional_field("Metric", &T::metric), optional_field("Period", &T::period),
                          optional_field("Stat", &T::stat), optional_field("Unit", &T::unit)};
    }
};

struct MetricDataQuery {
    std::string id;
    std::optional<MetricStatMember> metric_stat;
    std::string expression;
    std::string label;
    Json return_data;
    static constexpr auto json_fields() {
        using T = MetricDataQuery;
        return std::tuple{optional_field("Id", &T::id), optional_field("MetricStat", &T::metric_stat),
                          optional_field("Expression", &T::expression), optional_field("Label", &T::label),
                          optional_field("ReturnData", &T::return_data)};
    }
};

struct GetMetricDataRequest {
    std::vector<MetricDataQuery> queries;
    Json start;
    Json end;
    std::string next_token;
    std::string scan_by;
    Json max_datapoints;
    static constexpr auto json_fields() {
        using T = GetMetricDataRequest;
        return std::tuple{optional_field("MetricDataQueries", &T::queries),
                          optional_field("StartTime", &T::start),
                          optional_field("EndTime", &T::end),
                          optional_field("NextToken", &T::next_token),
                          optional_field("ScanBy", &T::scan_by),
                          optional_field("MaxDatapoints", &T::max_datapoints)};
    }
};

/// A query that can be answered.
struct MetricQuestion {
    std::string id;
    std::string label;
    Metric metric;
    std::string unit;
    std::chrono::minutes period{};
    Statistic statistic{};
    bool return_data = true;
};

bool is_query_id(std::string_view id) {
    return !id.empty() && id.size() <= 255 && id.front() >= 'a' && id.front() <= 'z' &&
           std::all_of(id.begin(), id.end(),
                       [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

ApiOutcome<MetricQuestion> question_of(const MetricDataQuery& query, const std::string& at) {
    if (!is_query_id(query.id)) {
        return validation_error("The value for parameter " + at +
                                ".Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.");
    }
    if (!query.expression.empty()) {
        return validation_error("The parameter " + at +
                                ".Expression is not supported by ecs-local: it answers MetricStat queries only.");
    }
    if (!query.metric_stat) {
        return validation_error("Either parameter " + at + ".MetricStat or " + at + ".Expression is required.");
    }
    const MetricStatMember& stat = *query.metric_stat;
    auto metric = metric_named(stat.metric.space, stat.metric.name, stat.metric.dimensions, at + ".MetricStat.Metric.");
    if (!metric) return validation_error(metric.error().message);
    const auto period = period_of(stat.period, at + ".MetricStat.Period");
    if (!period) return validation_error(period.error().message);
    const auto statistic = statistic_named(stat.stat);
    if (!statistic) {
        return validation_error("The value for parameter " + at +
                                ".MetricStat.Stat is not a valid statistic; ecs-local knows SampleCount, Average, Sum, "
                                "Minimum and Maximum.");
    }
    const auto return_data = query.return_data.is_null() ? std::optional(true) : flag_of(query.return_data);
    if (!return_data) return validation_error("The parameter " + at + ".ReturnData must be true or false.");
    return MetricQuestion{.id = query.id,
                          .label = query.label.empty() ? metric->name : query.label,
                          .metric = std::move(*metric),
                          .unit = stat.unit,
                          .period = *period,
                          .statistic = *statistic,
                          .return_data = *return_data};
}

/// Where a page begins.
struct PagePlace {
    std::size_t query = 0;
    std::optional<Minute> minute;  ///< the period of that query that comes first; none: its first
};

std::string page_token(const PagePlace& place) {
    return base64_encode(std::to_string(place.query) + ":" + std::to_string(place.minute->time_since_epoch().count()));
}

std::optional<PagePlace> place_of(const std::string& token, std::size_t queries) {
    const auto text = base64_decode(token);
    if (!text) return std::nullopt;
    const auto parts = split(*text, ':');
    if (parts.size() != 2) return std::nullopt;
    const auto query = parse_integer(parts[0]);
    const auto minute = parse_integer(parts[1]);
    if (!query || !minute || *query < 0 || static_cast<std::size_t>(*query) >= queries) return std::nullopt;
    return PagePlace{.query = static_cast<std::size_t>(*query), .minute = Minute(std::chrono::minutes(*minute))};
}

std::vector<MetricPoint> answer_of(const CloudWatch& cloudwatch, const MetricQuestion& question, const TimeRange& range,
                                   bool newest_first) {
    std::vector<MetricPoint> points;
    for (const UnitPoints& found :
         cloudwatch.metrics.find(question.metric, question.unit, range.start, range.last_minute())) {
        const auto periods = in_periods(found.points, range.start, question.period);
        points.insert(points.end(), periods.begin(), periods.end());
    }
    std::stable_sort(points.begin(), points.end(), [&](const MetricPoint& a, const MetricPoint& b) {
        return newest_first ? b.minute < a.minute : a.minute < b.minute;
    });
    return points;
}

}  // namespace

ApiResult get_metric_data(CloudWatch& cloudwatch, const Json& document) {
    auto request = parse_request<GetMetricDataRequest>(document);
    if (!request) return std::move(request).error();
    if (request->queries.empty()) return missing_value("MetricDataQueries");
    if (request->queries.size() > kQueriesAtMost) {
        return validation_error("The collection MetricDataQueries must not have a size greater than " +
                                std::to_string(kQueriesAtMost) + ".");
    }
    const auto range = time_range(request->start, request->end);
    if (!range) return validation_error(range.error().message);
    if (!request->scan_by.empty() && request->scan_by != "TimestampDescending" &&
        request->scan_by != "TimestampAscending") {
        return validation_error("The parameter ScanBy must be TimestampDescending or TimestampAscending.");
    }
    const bool newest_first = request->scan_by != "TimestampAscending";
    const auto most =
        request->max_datapoints.is_null() ? std::optional(kPointsPerPage) : integer_of(request->max_datapoints);
    if (!most || *most < 1 || *most > kPointsPerPage) {
        return validation_error("The parameter MaxDatapoints must be from 1 to " + std::to_string(kPointsPerPage) +
                                ".");
    }
    std::vector<MetricQuestion> questions;
    std::set<std::string> ids;
    for (std::size_t i = 0; i < request->queries.size(); ++i) {
        auto question = question_of(request->queries[i], member_path("MetricDataQueries", i));
        if (!question) return std::move(question).error();
        if (!ids.insert(question->id).second) {
            return validation_error("The values for parameter Id in MetricDataQueries are not unique.");
        }
        questions.push_back(std::move(*question));
    }
    PagePlace place;
    if (!request->next_token.empty()) {
        const auto given = place_of(request->next_token, questions.size());
        if (!given)
            return ApiError{.code = "InvalidNextToken", .message = "The value for parameter NextToken is invalid."};
        place = *given;
    }

    auto left = static_cast<std::size_t>(*most);
    OrderedJson results = OrderedJson::array();
    std::string next_token;
    for (; place.query < questions.size() && next_token.empty(); ++place.query, place.minute.reset()) {
        const MetricQuestion& question = questions[place.query];
        if (!question.return_data) continue;
        OrderedJson timestamps = OrderedJson::array();
        OrderedJson values = OrderedJson::array();
        for (const MetricPoint& point : answer_of(cloudwatch, question, *range, newest_first)) {
            if (place.minute && (newest_first ? point.minute > *place.minute : point.minute < *place.minute)) continue;
            if (left == 0) {
                next_token = page_token({.query = place.query, .minute = point.minute});
                break;
            }
            timestamps.push_back(epoch_seconds(point.minute));
            values.push_back(value_of(point.values, question.statistic));
            --left;
        }
        OrderedJson result;
        result["Id"] = question.id;
        result["Label"] = question.label;
        result["Timestamps"] = std::move(timestamps);
        result["Values"] = std::move(values);
        result["StatusCode"] = next_token.empty() ? "Complete" : "PartialData";
        results.push_back(std::move(result));
    }
    Reply reply;
    reply.body["MetricDataResults"] = std::move(results);
    if (!next_token.empty()) reply.body["NextToken"] = next_token;
    reply.body["Messages"] = OrderedJson::array();
    return reply;
}

}  // namespace nodeagent::local
