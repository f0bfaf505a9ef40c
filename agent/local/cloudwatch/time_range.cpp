#include "agent/local/cloudwatch/time_range.hpp"

#include <algorithm>

namespace nodeagent::local {

using std::chrono::minutes;

ApiOutcome<TimeRange> time_range(const Json& start, const Json& end) {
    if (start.is_null()) return missing_value("StartTime");
    if (end.is_null()) return missing_value("EndTime");
    const auto from = time_of(start);
    if (!from) return bad_value("The value for parameter StartTime is no timestamp.");
    const auto to = time_of(end);
    if (!to) return bad_value("The value for parameter EndTime is no timestamp.");
    if (*from == *to) return bad_value("The parameter StartTime must not equal parameter EndTime.");
    if (*from > *to) return bad_value("The parameter StartTime must be less than the parameter EndTime.");
    return TimeRange{.start = std::chrono::floor<minutes>(*from), .end = *to};
}

ApiOutcome<minutes> period_of(const Json& value, const std::string& parameter) {
    constexpr std::int64_t kDay = 86'400;
    if (value.is_null()) return missing_value(parameter);
    const auto seconds = integer_of(value);
    if (!seconds || *seconds < 60 || *seconds > kDay || *seconds % 60 != 0) {
        return bad_value("The parameter " + parameter + " must be a multiple of 60, from 60 to " +
                         std::to_string(kDay) + "; ecs-local keeps minutes.");
    }
    return minutes(*seconds / 60);
}

std::vector<MetricPoint> in_periods(const std::vector<MetricPoint>& points, Minute start, minutes period) {
    std::vector<MetricPoint> out;
    for (const MetricPoint& point : points) {
        const Minute begin = start + (point.minute - start) / period * period;
        if (out.empty() || out.back().minute != begin) out.push_back({.minute = begin, .values = {}});
        out.back().values.merge(point.values);
    }
    return out;
}

std::optional<Statistic> statistic_named(std::string_view name) {
    const auto row =
        std::find_if(kStatistics.begin(), kStatistics.end(), [&](const auto& r) { return r.name == name; });
    if (row == kStatistics.end()) return std::nullopt;
    return row->statistic;
}

double value_of(const StatisticSet& values, Statistic statistic) {
    switch (statistic) {
        case Statistic::SampleCount: return values.count;
        case Statistic::Average: return values.average();
        case Statistic::Sum: return values.sum;
        case Statistic::Minimum: return values.minimum;
        case Statistic::Maximum: return values.maximum;
    }
    return 0;
}

}  // namespace nodeagent::local
