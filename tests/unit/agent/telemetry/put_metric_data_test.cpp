#include "agent/telemetry/put_metric_data.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/metric_form.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using fakes::MetricForm;
using fakes::ReceivedMetric;
using ::testing::ElementsAre;
using ::testing::Pair;

const WallTime kMinute(1'767'225'660s);  // 2026-01-01T00:01:00Z

MetricMinute minute_of(std::size_t tasks, const std::string& family = "web") {
    MetricMinute minute{.start = kMinute, .series = {}};
    for (std::size_t i = 0; i < tasks; ++i) {
        const double value = static_cast<double>(i) + 0.5;
        minute.series.push_back(
            {.of = {.service = {}, .family = family, .task_id = std::to_string(i), .container = {}},
             .data = {{.metric = Metric::CpuUtilized, .set = {.count = 1, .sum = value, .min = 0, .max = 2 * value}}}});
    }
    return minute;
}

TEST(PutMetricData, IsAFormOfTheQueryProtocol) {
    const MetricMinute minute{
        .start = kMinute,
        .series = {
            {.of = {}, .data = {{Metric::TaskCount, {.count = 1, .sum = 12345678901, .min = 2, .max = 12345678901}}}},
            {.of = {.service = "a&b", .family = {}, .task_id = {}, .container = {}},
             .data = {{Metric::NetworkRxBytes, {.count = 2, .sum = 1e22, .min = 1.0 / 3, .max = 1e22}}}},
            {.of = {.service = {}, .family = "web", .task_id = "0123", .container = "app"},
             .data = {{Metric::ContainerMemoryUtilized, {.count = 1, .sum = 64, .min = 64, .max = 64}}}}}};
    const auto requests = put_metric_data(minute, "shop");
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].metrics, 3U);
    EXPECT_EQ(requests[0].minute, kMinute);
    const MetricForm form(requests[0].form);
    EXPECT_EQ(form.fields.at("Action"), "PutMetricData");
    EXPECT_EQ(form.fields.at("Version"), "2010-08-01");
    EXPECT_EQ(form.fields.at("Namespace"), "ECS/ContainerInsights");
    ASSERT_EQ(form.metrics.size(), 3U);

    const ReceivedMetric& tasks = form.metrics[0];
    EXPECT_EQ(tasks.name, "TaskCount");
    EXPECT_EQ(tasks.unit, "Count");
    EXPECT_EQ(tasks.timestamp, "2026-01-01T00:01:00Z");
    EXPECT_THAT(tasks.dimensions, ElementsAre(Pair("ClusterName", "shop")));
    EXPECT_EQ(tasks.count, 1);
    EXPECT_EQ(tasks.sum, 12345678901);
    EXPECT_EQ(tasks.min, 2);
    EXPECT_EQ(tasks.max, 12345678901);

    const ReceivedMetric& network = form.metrics[1];
    EXPECT_THAT(network.dimensions, ElementsAre(Pair("ClusterName", "shop"), Pair("ServiceName", "a&b")));
    EXPECT_EQ(network.unit, "Bytes/Second");
    EXPECT_EQ(network.sum, 1e22);
    EXPECT_EQ(network.min, 0.333333333);

    EXPECT_THAT(form.metrics[2].dimensions, ElementsAre(Pair("ClusterName", "shop"), Pair("ContainerName", "app"),
                                                        Pair("TaskDefinitionFamily", "web"), Pair("TaskId", "0123")));
    EXPECT_EQ(form.metrics[2].unit, "Megabytes");
}

TEST(PutMetricData, EveryMetricHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Metric::UnHealthyContainerHealthStatus); ++i)
        EXPECT_TRUE(names.insert(name_of(static_cast<Metric>(i))).second) << i;
}

TEST(PutMetricData, AThousandMetricsAreARequest) {
    EXPECT_EQ(put_metric_data(minute_of(1000), "shop").size(), 1U);
    const auto requests = put_metric_data(minute_of(2001), "shop");
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].metrics, 1000U);
    EXPECT_EQ(requests[1].metrics, 1000U);
    EXPECT_EQ(requests[2].metrics, 1U);
    std::size_t next = 0;
    for (const MetricRequest& request : requests) {
        const MetricForm form(request.form);
        EXPECT_EQ(form.metrics.size(), request.metrics) << "numbered from 1 in each";
        EXPECT_EQ(form.fields.at("Action"), "PutMetricData");
        for (const ReceivedMetric& metric : form.metrics)
            EXPECT_EQ(metric.dimensions.at("TaskId"), std::to_string(next++));
    }
    EXPECT_EQ(next, 2001U) << "none is lost, none is there twice";
}

TEST(PutMetricData, NoFormIsLongerThanAMegabyte) {
    // names as long as ECS allows
    const auto requests = put_metric_data(minute_of(2500, std::string(255, 'f')), std::string(255, 'c'));
    std::size_t metrics = 0;
    for (const MetricRequest& request : requests) {
        const MetricForm form(request.form);
        EXPECT_LE(form.bytes, 1'000'000U);
        EXPECT_EQ(form.metrics.size(), request.metrics);
        metrics += request.metrics;
    }
    EXPECT_EQ(metrics, 2500U);
    EXPECT_GT(MetricForm(requests[0].form).bytes, 990'000U) << "and it is used";
}

TEST(PutMetricData, OfLittleRoomEveryMetricIsARequest) {
    const auto requests = put_metric_data(minute_of(3), "shop", {.metrics = 1000, .bytes = 10});
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(MetricForm(requests[2].form).metrics.at(0).dimensions.at("TaskId"), "2");
}

TEST(PutMetricData, ThereIsNoEmptyRequest) {
    EXPECT_TRUE(put_metric_data({.start = kMinute, .series = {}}, "shop").empty());
}

}  // namespace
}  // namespace nodeagent::telemetry
