#pragma once
// What CloudWatch keeps of the values of a minute: how many there were, their sum, the lowest and the highest.

namespace nodeagent::local {

struct StatisticSet {
    double count = 0;  ///< above 0 unless the set is empty
    double sum = 0;
    double minimum = 0;
    double maximum = 0;
    friend bool operator==(const StatisticSet&, const StatisticSet&) = default;

    /// The same value `count` times.
    [[nodiscard]] static StatisticSet of(double value, double count = 1);
    [[nodiscard]] double average() const { return count > 0 ? sum / count : 0; }
    /// Every value as so many percent of `whole`, and back.
    [[nodiscard]] StatisticSet percent_of(double whole) const;
    [[nodiscard]] StatisticSet share_of(double whole) const;
    /// The whole set as one sample: its average, between its extremes.
    [[nodiscard]] StatisticSet as_one_sample() const;
    /// More values of the same thing.
    void merge(const StatisticSet& more);
    /// One sample of another thing, when both are looked at together. Their extremes need not have met at one moment:
    /// the sums of them are bounds.
    void add_up(const StatisticSet& other);
};

}  // namespace nodeagent::local
