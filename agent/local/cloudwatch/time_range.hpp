#pragma once
// StartTime, EndTime and Period of a question, and what a metric's minutes come to in them.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/local/cloudwatch/metric_store.hpp"
#include "agent/local/cloudwatch/parameters.hpp"

namespace nodeagent::local {

/// Periods begin at `start`; `end` is not part of the last one.
struct TimeRange {
    Minute start;  ///< the service rounds down to the minute
    WallTime end;
    [[nodiscard]] Minute last_minute() const { return std::chrono::ceil<std::chrono::minutes>(end); }
};

/// What is wrong is a value that cannot be read, a missing one, or an end that is not after the start.
[[nodiscard]] ApiOutcome<TimeRange> time_range(const Json& start, const Json& end);

/// A multiple of a minute, a day at most: nothing finer is kept. `parameter` is its name for errors.
[[nodiscard]] ApiOutcome<std::chrono::minutes> period_of(const Json& value, const std::string& parameter);

/// The points of each period as one, at the period's begin; periods without points are left out.
[[nodiscard]] std::vector<MetricPoint> in_periods(const std::vector<MetricPoint>& points, Minute start,
                                                  std::chrono::minutes period);

enum class Statistic : unsigned char { SampleCount, Average, Sum, Minimum, Maximum };

struct NamedStatistic {
    std::string_view name;
    Statistic statistic;
};
inline constexpr std::array kStatistics{
    NamedStatistic{"SampleCount", Statistic::SampleCount}, NamedStatistic{"Average", Statistic::Average},
    NamedStatistic{"Sum", Statistic::Sum}, NamedStatistic{"Minimum", Statistic::Minimum},
    NamedStatistic{"Maximum", Statistic::Maximum}};

[[nodiscard]] std::optional<Statistic> statistic_named(std::string_view name);
[[nodiscard]] double value_of(const StatisticSet& values, Statistic statistic);

}  // namespace nodeagent::local
