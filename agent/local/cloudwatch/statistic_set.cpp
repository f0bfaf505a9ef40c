#include "agent/local/cloudwatch/statistic_set.hpp"

#include <algorithm>

namespace nodeagent::local {

StatisticSet StatisticSet::of(double value, double count) {
    return {.count = count, .sum = value * count, .minimum = value, .maximum = value};
}

StatisticSet StatisticSet::percent_of(double whole) const {
    const auto percent = [&](double value) { return value * 100 / whole; };
    return {.count = count, .sum = percent(sum), .minimum = percent(minimum), .maximum = percent(maximum)};
}

StatisticSet StatisticSet::share_of(double whole) const {
    const auto share = [&](double percent) { return percent * whole / 100; };
    return {.count = count, .sum = share(sum), .minimum = share(minimum), .maximum = share(maximum)};
}

StatisticSet StatisticSet::as_one_sample() const {
    if (count <= 0) return {};
    return {.count = 1, .sum = average(), .minimum = minimum, .maximum = maximum};
}

void StatisticSet::merge(const StatisticSet& more) {
    if (more.count <= 0) return;
    minimum = count > 0 ? std::min(minimum, more.minimum) : more.minimum;
    maximum = count > 0 ? std::max(maximum, more.maximum) : more.maximum;
    count += more.count;
    sum += more.sum;
}

void StatisticSet::add_up(const StatisticSet& other) {
    count = std::max(count, other.count);
    sum += other.sum;
    minimum += other.minimum;
    maximum += other.maximum;
}

}  // namespace nodeagent::local
