#include <algorithm>

#include "agent/base/time_format.hpp"
#include "agent/local/cloudwatch/operations.hpp"
#include "agent/local/cloudwatch/parameters.hpp"
#include "agent/local/cloudwatch/time_range.hpp"

namespace nodeagent::local {
namespace {

constexpr std::int64_t kDatapointsAtMost = 1440;

struct GetMetricStatisticsRequest {
    std::string space;
    std::string name;
    std::vector<DimensionMember> dimensions;
    Json start;
    Json end;
    Json period;
    std::vector<std::string> statistics;
    std::vector<std::string> extended_statistics;
    std::string unit;
    static constexpr auto json_fields() {
        using T = GetMetricStatisticsRequest;
        return std::tuple{optional_field("Namespace", &T::space),
                          optional_field("MetricName", &T::name),
                          optional_field("Dimensions", &T::dimensions),
                          optional_field("StartTime", &T::start),
                          optional_field("EndTime", &T::end),
                          optional_field("Period", &T::period),
                          optional_field("Statistics", &T::statistics),
                          optional_field("ExtendedStatistics", &T::extended_statistics),
                          optional_field("Unit", &T::unit)};
    }
};

ApiOutcome<std::vector<NamedStatistic>> statistics_asked(const GetMetricStatisticsRequest& request) {
    if (!request.extended_statistics.empty()) {
        return bad_value("ecs-local keeps no percentiles: ask for Statistics, not ExtendedStatistics.");
    }
    if (request.statistics.empty()) return missing_value("Statistics");
    for (std::size_t i = 0; i < request.statistics.size(); ++i) {
        if (!statistic_named(request.statistics[i])) {
            return bad_value("The value for parameter " + member_path("Statistics", i) + " is not a valid statistic.");
        }
    }
    std::vector<NamedStatistic> asked;
    for (const NamedStatistic& row : kStatistics) {
        if (std::find(request.statistics.begin(), request.statistics.end(), row.name) != request.statistics.end()) {
            asked.push_back(row);
        }
    }
    return asked;
}

}  // namespace

ApiResult get_metric_statistics(CloudWatch& cloudwatch, const Json& document) {
    auto request = parse_request<GetMetricStatisticsRequest>(document);
    if (!request) return std::move(request).error();
    const auto metric = metric_named(request->space, request->name, request->dimensions, "");
    if (!metric) return metric.error();
    const auto range = time_range(request->start, request->end);
    if (!range) return range.error();
    const auto period = period_of(request->period, "Period");
    if (!period) return period.error();
    const auto statistics = statistics_asked(*request);
    if (!statistics) return statistics.error();
    const std::int64_t datapoints = (range->end - range->start) / *period;
    if (datapoints > kDatapointsAtMost) {
        return bad_combination("You have requested up to " + std::to_string(datapoints) +
                               " datapoints, which exceeds the limit of " + std::to_string(kDatapointsAtMost) +
                               ". You may reduce the datapoints requested by increasing Period, or decreasing the time "
                               "range.");
    }
    Reply reply;
    reply.body["Label"] = metric->name;
    reply.body["Datapoints"] = OrderedJson::array();
    for (const UnitPoints& found :
         cloudwatch.metrics.find(*metric, request->unit, range->start, range->last_minute())) {
        for (const MetricPoint& point : in_periods(found.points, range->start, *period)) {
            OrderedJson datapoint;
            datapoint["Timestamp"] = epoch_seconds(point.minute);
            for (const NamedStatistic& row : *statistics) {
                datapoint[std::string(row.name)] = value_of(point.values, row.statistic);
            }
            datapoint["Unit"] = found.unit;
            reply.body["Datapoints"].push_back(std::move(datapoint));
        }
    }
    return reply;
}

}  // namespace nodeagent::local
