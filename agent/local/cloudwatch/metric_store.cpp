#include "agent/local/cloudwatch/metric_store.hpp"

#include <algorithm>

namespace nodeagent::local {
namespace {

std::size_t bytes_of(const Metric& metric) {
    std::size_t bytes = metric.space.size() + metric.name.size();
    for (const auto& [name, value] : metric.dimensions) bytes += name.size() + value.size();
    return bytes;
}

bool earlier(const MetricPoint& point, Minute minute) { return point.minute < minute; }

}  // namespace

MetricPoint& MetricStore::point(Series& series, const std::string& unit, Minute minute) {
    std::vector<MetricPoint>& points = series.units[unit];
    auto place = std::lower_bound(points.begin(), points.end(), minute, earlier);
    if (place == points.end() || place->minute != minute) {
        place = points.insert(place, MetricPoint{.minute = minute, .values = {}});
        ++points_;
    }
    series.latest = std::max(series.latest, minute);
    return *place;
}

bool MetricStore::set(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values,
                      bool merge) {
    auto series = metrics_.find(metric);
    if (series == metrics_.end()) {
        if (!make_room(metric, minute)) return false;
        series = metrics_.emplace(metric, Series{}).first;
        name_bytes_ += bytes_of(metric);
    }
    MetricPoint& kept = point(series->second, unit, minute);
    if (!merge) kept.values = {};
    kept.values.merge(values);
    forget_oldest_points();
    return true;
}

bool MetricStore::add(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values) {
    return set(metric, unit, minute, values, true);
}

bool MetricStore::replace(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values) {
    return set(metric, unit, minute, values, false);
}

std::vector<UnitPoints> MetricStore::find(const Metric& metric, std::string_view unit, Minute from, Minute to) const {
    std::vector<UnitPoints> found;
    const auto series = metrics_.find(metric);
    if (series == metrics_.end()) return found;
    for (const auto& [name, points] : series->second.units) {
        if (!unit.empty() && name != unit) continue;
        const auto first = std::lower_bound(points.begin(), points.end(), from, earlier);
        const auto last = std::lower_bound(first, points.end(), to, earlier);
        if (first != last) found.push_back({.unit = name, .points = {first, last}});
    }
    return found;
}

std::map<Metric, MetricStore::Series>::iterator MetricStore::erase(std::map<Metric, Series>::iterator at) {
    name_bytes_ -= bytes_of(at->first);
    for (const auto& [unit, points] : at->second.units) points_ -= points.size();
    return metrics_.erase(at);
}

void MetricStore::forget_before(Minute horizon) {
    for (auto at = metrics_.begin(); at != metrics_.end();) {
        if (at->second.latest < horizon) {
            at = erase(at);
            continue;
        }
        for (auto& [unit, points] : at->second.units) {
            const auto kept = std::lower_bound(points.begin(), points.end(), horizon, earlier);
            points_ -= static_cast<std::size_t>(kept - points.begin());
            points.erase(points.begin(), kept);
        }
        std::erase_if(at->second.units, [](const auto& unit) { return unit.second.empty(); });
        ++at;
    }
}

void MetricStore::forget_oldest_points() {
    if (points_ <= limits_.points) return;
    std::map<Minute, std::size_t> counts;
    for (const auto& [metric, series] : metrics_) {
        for (const auto& [unit, points] : series.units) {
            for (const MetricPoint& one : points) ++counts[one.minute];
        }
    }
    // a tenth at once, so that the next points do not each cost a look at everything
    const std::size_t enough = points_ - limits_.points + limits_.points / 10;
    std::size_t passed = 0;
    Minute horizon{};
    for (const auto& [minute, count] : counts) {
        if (passed >= enough) break;
        passed += count;
        horizon = minute + std::chrono::minutes(1);
    }
    forget_before(horizon);
}

bool MetricStore::make_room(const Metric& metric, Minute minute) {
    const auto fits = [&] {
        return metrics_.size() < limits_.metrics && name_bytes_ + bytes_of(metric) <= limits_.name_bytes;
    };
    if (fits()) return true;
    if (minute <= looked_for_quiet_) return false;
    looked_for_quiet_ = minute;
    for (auto at = metrics_.begin(); at != metrics_.end();) {
        at = at->second.latest < minute - limits_.quiet ? erase(at) : std::next(at);
    }
    return fits();
}

}  // namespace nodeagent::local
