#include "agent/telemetry/put_metric_data.hpp"

#include <gmock/gmock.h>

#include <cmath>

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
    EXPECT_EQ(network.min, 1.0 / 3);

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

TEST(PutMetricData, NoNumberLeavesTheRangeThatIsToldWithIt) {
    for (const double value : {12345678901.5, 1.0 / 3, 2.0 / 3, 1e-7 / 3, 12345678901.0 / 3, 0.1 + 0.2}) {
        const MetricMinute minute{
            .start = kMinute,
            .series = {{.of = {},
                        .data = {{Metric::NetworkRxBytes, {.count = 1, .sum = value, .min = value, .max = value}},
                                 {Metric::NetworkTxBytes,
                                  {.count = 1, .sum = value, .min = std::floor(value), .max = std::ceil(value)}}}}}};
        const MetricForm form(put_metric_data(minute, "shop").at(0).form);
        EXPECT_EQ(form.metrics.at(0).sum, value);
        EXPECT_EQ(form.metrics.at(0).min, value);
        EXPECT_EQ(form.metrics.at(0).max, value);
        EXPECT_LE(form.metrics.at(1).min, form.metrics.at(1).sum);
        EXPECT_GE(form.metrics.at(1).max, form.metrics.at(1).sum);
    }
}

TEST(PutMetricData, TheHalvesOfARequestHoldTheSameMetrics) {
    for (const std::size_t metrics : {2U, 21U, 1000U}) {
        const MetricRequest whole = put_metric_data(minute_of(metrics, "a&MetricData.member.7."), "shop").at(0);
        const auto halves = halves_of(whole);
        ASSERT_EQ(halves.size(), 2U);
        std::vector<std::string> tasks;
        for (const MetricRequest& half : halves) {
            const MetricForm form(half.form);
            EXPECT_EQ(form.fields.at("Action"), "PutMetricData");
            EXPECT_EQ(form.metrics.size(), half.metrics);
            EXPECT_LE(half.metrics, (metrics + 1) / 2);
            EXPECT_EQ(half.minute, kMinute);
            for (const ReceivedMetric& metric : form.metrics) {
                EXPECT_EQ(metric.dimensions.at("TaskDefinitionFamily"), "a&MetricData.member.7.");
                EXPECT_EQ(metric.sum, std::stod(metric.dimensions.at("TaskId")) + 0.5);
                tasks.push_back(metric.dimensions.at("TaskId"));
            }
        }
        ASSERT_EQ(tasks.size(), metrics);
        for (std::size_t i = 0; i < metrics; ++i) EXPECT_EQ(tasks[i], std::to_string(i));
    }
    EXPECT_TRUE(halves_of(put_metric_data(minute_of(1), "shop").at(0)).empty()) << "of one there are no two";
}

TEST(PutMetricData, ThereIsNoEmptyRequest) {
    EXPECT_TRUE(put_metric_data({.start = kMinute, .series = {}}, "shop").empty());
}

}  // namespace
}  // namespace nodeagent::telemetry
