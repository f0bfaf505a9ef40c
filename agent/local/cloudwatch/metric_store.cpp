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

MetricPoint& MetricStore::point(const Metric& metric, const std::string& unit, Minute minute) {
    const auto [at, fresh] = metrics_.try_emplace(metric);
    if (fresh) name_bytes_ += bytes_of(metric);
    Series& series = at->second;
    const auto [of_unit, first_of_unit] = series.units.try_emplace(unit);
    if (first_of_unit) name_bytes_ += unit.size();
    std::vector<MetricPoint>& points = of_unit->second;
    auto place = std::lower_bound(points.begin(), points.end(), minute, earlier);
    if (place == points.end() || place->minute != minute) {
        place = points.insert(place, MetricPoint{.minute = minute, .values = {}});
        ++points_;
    }
    series.latest = std::max(series.latest, minute);
    return *place;
}

void MetricStore::add(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values) {
    point(metric, unit, minute).values.merge(values);
    forget_quiet_metrics();
    forget_oldest_points();
}

void MetricStore::replace(const Metric& metric, const std::string& unit, Minute minute, const StatisticSet& values) {
    point(metric, unit, minute).values = values;
    forget_quiet_metrics();
    forget_oldest_points();
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
    for (const auto& [unit, points] : at->second.units) {
        name_bytes_ -= unit.size();
        points_ -= points.size();
    }
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

void MetricStore::forget_quiet_metrics() {
    if (metrics_.size() <= limits_.metrics && name_bytes_ <= limits_.name_bytes) return;
    std::vector<std::map<Metric, Series>::iterator> by_age;
    by_age.reserve(metrics_.size());
    for (auto at = metrics_.begin(); at != metrics_.end(); ++at) by_age.push_back(at);
    std::stable_sort(by_age.begin(), by_age.end(),
                     [](const auto& a, const auto& b) { return a->second.latest < b->second.latest; });
    const std::size_t metrics_left = limits_.metrics - limits_.metrics / 10;
    const std::size_t bytes_left = limits_.name_bytes - limits_.name_bytes / 10;
    for (const auto& at : by_age) {
        if (metrics_.size() <= metrics_left && name_bytes_ <= bytes_left) break;
        erase(at);
    }
}

}  // namespace nodeagent::local
