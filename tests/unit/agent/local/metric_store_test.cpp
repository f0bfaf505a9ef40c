#include "agent/local/cloudwatch/metric_store.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Minute kNow{30'000'000min};

Metric metric(const std::string& name, Dimensions dimensions = {}) {
    return {.space = "N", .name = name, .dimensions = std::move(dimensions)};
}

std::vector<MetricPoint> all(const MetricStore& store, const Metric& of) {
    std::vector<MetricPoint> points;
    for (const UnitPoints& found : store.find(of, "", Minute{}, kNow + 24h)) {
        points.insert(points.end(), found.points.begin(), found.points.end());
    }
    return points;
}

TEST(MetricStore, MergesTheValuesOfAMinute) {
    MetricStore store;
    store.add(metric("m"), "Count", kNow, StatisticSet::of(2));
    store.add(metric("m"), "Count", kNow, {.count = 3, .sum = 12, .minimum = 1, .maximum = 9});
    store.add(metric("m"), "Count", kNow - 1min, StatisticSet::of(5, 2));
    EXPECT_THAT(all(store, metric("m")),
                ElementsAre(MetricPoint{kNow - 1min, {.count = 2, .sum = 10, .minimum = 5, .maximum = 5}},
                            MetricPoint{kNow, {.count = 4, .sum = 14, .minimum = 1, .maximum = 9}}));
    store.replace(metric("m"), "Count", kNow, StatisticSet::of(7));
    EXPECT_EQ(all(store, metric("m")).back().values, StatisticSet::of(7));
    EXPECT_EQ(store.points(), 2U);
}

TEST(MetricStore, TellsMetricsApartByDimensionsAndUnits) {
    MetricStore store;
    store.add(metric("m", {{"a", "1"}}), "Count", kNow, StatisticSet::of(1));
    store.add(metric("m", {{"a", "1"}}), "Bytes", kNow, StatisticSet::of(2));
    store.add(metric("m", {{"a", "1"}, {"b", "2"}}), "Count", kNow, StatisticSet::of(3));
    EXPECT_THAT(store.metrics(), SizeIs(2));
    EXPECT_THAT(all(store, metric("m", {{"a", "1"}})), SizeIs(2));
    EXPECT_THAT(all(store, metric("m")), IsEmpty());
    const auto bytes = store.find(metric("m", {{"a", "1"}}), "Bytes", Minute{}, kNow + 1min);
    ASSERT_THAT(bytes, SizeIs(1));
    EXPECT_EQ(bytes[0].unit, "Bytes");
    EXPECT_EQ(bytes[0].points.at(0).values.sum, 2);
}

TEST(MetricStore, FindsFromTheStartUntilBeforeTheEnd) {
    MetricStore store;
    for (int i = 0; i < 5; ++i) store.add(metric("m"), "None", kNow + i * 1min, StatisticSet::of(i));
    const auto found = store.find(metric("m"), "", kNow + 1min, kNow + 3min);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].points, ElementsAre(MetricPoint{kNow + 1min, StatisticSet::of(1)},
                                             MetricPoint{kNow + 2min, StatisticSet::of(2)}));
}

TEST(MetricStore, ForgetsWhatIsOlderThanADay) {
    MetricStore store;
    store.add(metric("old"), "None", kNow - 25h, StatisticSet::of(1));
    store.add(metric("both"), "None", kNow - 25h, StatisticSet::of(1));
    store.add(metric("both"), "None", kNow - 23h, StatisticSet::of(1));
    store.forget_old(kNow);
    EXPECT_THAT(store.metrics(), SizeIs(1));
    EXPECT_THAT(all(store, metric("both")), SizeIs(1));
    EXPECT_EQ(store.points(), 1U);
}

TEST(MetricStore, DropsTheOldestMinutesOfAllWhenThereAreTooManyPoints) {
    MetricStore store({.points = 1000});
    for (int minute = 0; minute < 300; ++minute) {
        for (const char* name : {"a", "b", "c", "d", "e"}) {
            store.add(metric(name), "None", kNow + minute * 1min, StatisticSet::of(minute));
            ASSERT_LE(store.points(), 1000U);
        }
    }
    EXPECT_GE(store.points(), 890U);
    for (const char* name : {"a", "e"}) {
        EXPECT_EQ(all(store, metric(name)).back().minute, kNow + 299min);
        EXPECT_GE(all(store, metric(name)).front().minute, kNow + 99min);
    }
}

TEST(MetricStore, MakesRoomByMetricsThatHaveGoneQuiet) {
    MetricStore store({.metrics = 100});
    for (int i = 0; i < 1000; ++i) {
        const Minute minute = kNow + i * 1min;
        EXPECT_TRUE(store.add(metric("m" + std::to_string(i)), "None", minute, StatisticSet::of(1)));
        EXPECT_TRUE(store.add(metric("busy"), "None", minute, StatisticSet::of(1)));
        ASSERT_LE(store.metrics().size(), 100U);
    }
    EXPECT_THAT(all(store, metric("busy")), SizeIs(1000));
    EXPECT_TRUE(store.metrics().contains(metric("m999")));
    EXPECT_FALSE(store.metrics().contains(metric("m0")));
}

TEST(MetricStore, KeepsBusyMetricsRatherThanNewOnes) {
    MetricStore store({.metrics = 100});
    for (int minute = 0; minute < 30; ++minute) {
        for (int i = 0; i < 120; ++i) {
            const bool kept =
                store.add(metric("m" + std::to_string(i)), "None", kNow + minute * 1min, StatisticSet::of(1));
            EXPECT_EQ(kept, i < 100);
        }
    }
    EXPECT_THAT(all(store, metric("m0")), SizeIs(30));
    EXPECT_TRUE(store.add(metric("new"), "None", kNow + 1h, StatisticSet::of(1))) << "all the others are quiet";
}

TEST(MetricStore, KeepsNoMoreNamesThanTheLimitSays) {
    MetricStore store({.name_bytes = 10'000});
    for (int i = 0; i < 100; ++i) {
        const Metric long_name = metric("m" + std::to_string(i), {{"d", std::string(1000, 'x')}});
        EXPECT_EQ(store.add(long_name, "None", kNow, StatisticSet::of(1)), i < 9);
    }
    EXPECT_THAT(store.metrics(), SizeIs(9));
}

}  // namespace
}  // namespace nodeagent::local
