#pragma once
// The metrics CloudWatch answers for: a statistic set for every metric and minute. In memory, not kept over a restart,
// and bounded: the oldest minutes go first, then metrics that have gone quiet; a new metric that still has no room is
// not kept, as one that pushed out a busy one would be pushed out by it in turn.

#include <chrono>
#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/local/cloudwatch/statistic_set.hpp"

namespace nodeagent::local {

using Minute = std::chrono::sys_time<std::chrono::minutes>;
using Dimensions = std::map<std::string, std::string>;

struct Metric {
    std::string space;  ///< its namespace, such as AWS/ECS
    std::string name;
    Dimensions dimensions;
    friend auto operator<=>(const Metric&, const Metric&) = default;
};

struct MetricPoint {
    Minute minute;
    StatisticSet values;
    friend bool operator==(const MetricPoint&, const MetricPoint&) = default;
};

/// The points of a metric that were given in one unit, in the order of time.
struct UnitPoints {
    std::string unit;
    std::vector<MetricPoint> points;
};

struct MetricLimits {
    std::chrono::minutes age = std::chrono::hours(24);
    std::size_t metrics = 20'000;
    std::size_t points = 500'000;                           ///< minutes of all metrics together, 40 bytes each
    std::size_t name_bytes = 16U << 20U;                    ///< namespaces, names and dimensions
    std::chrono::minutes quiet = std::chrono::minutes(15);  ///< without values for so long, a metric makes room
};

class MetricStore {
  public:
    struct Series {
        std::map<std::string, std::vector<MetricPoint>, std::less<>> units;
        Minute latest;  ///< of its points
    };

    explicit MetricStore(MetricLimits limits = {}) : limits_(limits) {}

    /// More values for the metric's minute. False if there is no room for a new metric.
    bool add(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values);
    /// The values of the metric's minute, in place of those it had; likewise.
    bool replace(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values);

    /// The points from `from` until before `to`; of every unit the metric was given in if `unit` is "".
    [[nodiscard]] std::vector<UnitPoints> find(const Metric& metric, std::string_view unit, Minute from,
                                               Minute to) const;
    [[nodiscard]] const std::map<Metric, Series>& metrics() const { return metrics_; }
    [[nodiscard]] std::size_t points() const { return points_; }
    [[nodiscard]] const MetricLimits& limits() const { return limits_; }

    /// Forgets what is older than the limits say.
    void forget_old(Minute now) { forget_before(now - limits_.age); }

  private:
    bool set(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values, bool merge);
    MetricPoint& point(Series& series, const std::string& unit, Minute minute);
    bool make_room(const Metric& metric, Minute minute);
    void forget_before(Minute horizon);
    void forget_oldest_points();
    /// Out of the map, and out of the counts.
    std::map<Metric, Series>::iterator erase(std::map<Metric, Series>::iterator at);

    MetricLimits limits_;
    std::map<Metric, Series> metrics_;
    std::size_t points_ = 0;
    std::size_t name_bytes_ = 0;
    Minute looked_for_quiet_{};  ///< nothing is won by looking twice in a minute
};

}  // namespace nodeagent::local
