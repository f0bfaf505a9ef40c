#include "agent/telemetry/insights.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/container_readings.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using fakes::ContainerReadings;
using ::testing::IsNull;
using ::testing::NotNull;

const WallTime kNoon(1'767'268'800s);  // 2026-01-01T12:00:00Z
constexpr std::uint64_t kSecond = 1'000'000'000;

model::ContainerView container(std::string name, std::int64_t cpu = 0, std::int64_t memory = 0) {
    return ContainerReadings::container(std::move(name), cpu, memory);
}

class InsightsTest : public testing::Test {
  protected:
    void detailed() { insights_.emplace(true, cgroups::Version::V2, 1s); }

    /// A second passes in which `work` is done, then every container is read and looked at.
    void second(const std::function<void()>& work = {}) {
        now_ += 1s;
        steady_ += 1s;
        if (work) work();
        host_.read({.steady = steady_, .wall = now_});
        look();
    }
    void look() {
        const auto readings = [this](const std::function<void(const Reading&)>& visit) { host_.each(visit); };
        if (auto ended = insights_->look(now_, readings, *host_.snapshot())) told_ = std::move(ended);
    }
    /// From the look at its beginning to the one that ends it, with `work` in each of its seconds.
    void minute(const std::function<void()>& work = {}) {
        host_.read({.steady = steady_, .wall = now_});
        look();
        for (int i = 0; i < 60; ++i) second(work);
    }
    const StatisticSet* find(Metric metric, const Dimensions& of = {}) const {
        if (!told_) return nullptr;
        for (const MetricSeries& series : told_->series) {
            for (const Datum& datum : series.data) {
                if (series.of == of && datum.metric == metric) return &datum.set;
            }
        }
        return nullptr;
    }
    StatisticSet set(Metric metric, const Dimensions& of = {}) const {
        const StatisticSet* found = find(metric, of);
        EXPECT_THAT(found, NotNull()) << name_of(metric);
        return found != nullptr ? *found : StatisticSet{};
    }
    static Dimensions family(std::string name) {
        return {.service = {}, .family = std::move(name), .task_id = {}, .container = {}};
    }
    static Dimensions service(std::string name) {
        return {.service = std::move(name), .family = {}, .task_id = {}, .container = {}};
    }
    static Dimensions task(std::string family, std::string id, std::string container = {}) {
        return {
            .service = {}, .family = std::move(family), .task_id = std::move(id), .container = std::move(container)};
    }

    WallTime now_ = kNoon;
    SteadyTime steady_{1h};
    ContainerReadings host_;
    std::optional<Insights> insights_{std::in_place, false, cgroups::Version::V2, 1s};
    std::optional<MetricMinute> told_;
};

TEST_F(InsightsTest, ATaskIsOneSampleOfWhatItUsedOnAverage) {
    auto& web = host_.run("web", "", {container("app", 512, 256)});
    web.holds_memory(0, 64);
    int seconds = 0;
    minute([&] {
        web.uses_cpu(0, ++seconds == 30 ? kSecond : kSecond / 4);
        web.holds_memory(0, seconds < 30 ? 64 : 128);
    });
    ASSERT_TRUE(told_);
    EXPECT_EQ(told_->start, kNoon);
    const StatisticSet cpu = set(Metric::CpuUtilized);
    EXPECT_EQ(cpu.count, 1);
    EXPECT_NEAR(cpu.sum, 256 + 768.0 / 59, 1e-6);
    EXPECT_NEAR(cpu.min, 256, 1e-6);
    EXPECT_NEAR(cpu.max, 1024, 1e-6) << "a peak of one second is seen";
    const StatisticSet memory = set(Metric::MemoryUtilized, family("web"));
    EXPECT_EQ(memory.count, 1);
    EXPECT_NEAR(memory.sum, (64 * 30 + 128 * 30) / 60.0, 1e-6);
    EXPECT_EQ(memory.min, 64);
    EXPECT_EQ(memory.max, 128);
    EXPECT_EQ(set(Metric::CpuReserved), (StatisticSet{.count = 1, .sum = 512, .min = 512, .max = 512}));
    EXPECT_EQ(set(Metric::MemoryReserved), (StatisticSet{.count = 1, .sum = 256, .min = 256, .max = 256}));
}

TEST_F(InsightsTest, SumsOverTasksAreByClusterFamilyAndService) {
    auto& one = host_.run("web", "shop", {container("app", 512, 256)});
    auto& two = host_.run("web", "", {container("app", 512, 256)});
    auto& three = host_.run("db", "shop", {container("db", 256, 512)});
    minute([&] {
        one.uses_cpu(0, kSecond / 8);
        two.uses_cpu(0, kSecond / 4);
        three.uses_cpu(0, kSecond / 2);
    });
    EXPECT_NEAR(set(Metric::CpuUtilized).sum, 128 + 256 + 512, 1e-6);
    EXPECT_EQ(set(Metric::CpuUtilized).count, 3);
    EXPECT_NEAR(set(Metric::CpuUtilized, family("web")).sum, 128 + 256, 1e-6);
    EXPECT_NEAR(set(Metric::CpuUtilized, family("db")).sum, 512, 1e-6);
    const StatisticSet shop = set(Metric::CpuUtilized, service("shop"));
    EXPECT_NEAR(shop.sum, 128 + 512, 1e-6);
    EXPECT_NEAR(shop.min, 128, 1e-6);
    EXPECT_NEAR(shop.max, 512, 1e-6);
    EXPECT_EQ(set(Metric::MemoryReserved).sum, 256 + 256 + 512);
    EXPECT_THAT(find(Metric::CpuUtilized, task("web", "1")), IsNull()) << "single tasks only with detailed";
}

TEST_F(InsightsTest, TheContainersOfATaskAreAddedUp) {
    auto& web = host_.run("web", "", {container("app", 512), container("proxy", 256)});
    minute([&] {
        web.uses_cpu(0, kSecond / 2);
        web.uses_cpu(1, kSecond / 4);
        web.receives(1, 500);
    });
    EXPECT_EQ(set(Metric::CpuUtilized).count, 1);
    EXPECT_NEAR(set(Metric::CpuUtilized).sum, 768, 1e-6);
    EXPECT_NEAR(set(Metric::CpuUtilized).min, 768, 1e-6);
    EXPECT_EQ(set(Metric::CpuReserved).sum, 768);
    EXPECT_NEAR(set(Metric::NetworkRxBytes).sum, 500, 1e-6);
}

TEST_F(InsightsTest, WhatATaskReservesIsItsOwnLimitElseThatOfItsContainers) {
    auto& limited = host_.run("limited", "", {container("app", 128, 64)});
    limited.task->cpu = 0.5;
    limited.task->memory = 1024;
    auto& soft = host_.run("soft", "", {container("app", 0, 300), container("side", 0, 100)});
    soft.task->containers[0].memory_reservation = 200;
    minute();
    EXPECT_EQ(set(Metric::CpuReserved, family("limited")).sum, 512);
    EXPECT_EQ(set(Metric::MemoryReserved, family("limited")).sum, 1024);
    EXPECT_EQ(set(Metric::MemoryReserved, family("soft")).sum, 300) << "the reservation before the limit";
}

TEST_F(InsightsTest, UseIsToldOnlyWhereSomethingIsReservedSoThatTheirRatioHolds) {
    auto& greedy = host_.run("greedy", "", {container("app", 0, 64)});
    auto& modest = host_.run("modest", "", {container("app", 256, 64)});
    minute([&] {
        greedy.uses_cpu(0, 2 * kSecond);
        modest.uses_cpu(0, kSecond / 8);
    });
    EXPECT_NEAR(set(Metric::CpuUtilized).sum, 128, 1e-6);
    EXPECT_EQ(set(Metric::CpuReserved).sum, 256);
    EXPECT_THAT(find(Metric::CpuUtilized, family("greedy")), IsNull());
    EXPECT_EQ(set(Metric::MemoryUtilized).count, 2);
}

TEST_F(InsightsTest, NetworkIsARateAndStorageTheNewestCount) {
    auto& web = host_.run("web", "", {container("app")});
    auto& hosted = host_.run("hosted", "", {container("app")});
    minute([&] {
        web.receives(0, 4000);
        hosted.writes(0, 100);
    });
    EXPECT_NEAR(set(Metric::NetworkRxBytes).sum, 4000, 1e-6);
    EXPECT_EQ(set(Metric::NetworkRxBytes).count, 1) << "the other task has no network of its own";
    EXPECT_EQ(set(Metric::NetworkTxBytes).sum, 0);
    const StatisticSet written = set(Metric::StorageWriteBytes, family("hosted"));
    EXPECT_EQ(written.sum, 5900) << "what was written until the end of the minute";
    EXPECT_EQ(written.min, 0);
    EXPECT_EQ(written.max, 5900);
}

TEST_F(InsightsTest, RestartsAreThoseOfTheMinute) {
    auto& web = host_.run("web", "", {container("app"), container("side")});
    host_.run("plain", "", {container("app")});
    web.task->containers[0].restart_count = 3;
    web.task->containers[1].restart_count = 0;
    int seconds = 0;
    minute([&] {
        ++seconds;
        if (seconds == 10) web.task->containers[0].restart_count = 5;
        if (seconds == 20) web.task->containers[1].restart_count = 1;
    });
    EXPECT_EQ(set(Metric::RestartCount), (StatisticSet{.count = 1, .sum = 3, .min = 3, .max = 3}));
    EXPECT_THAT(find(Metric::RestartCount, family("plain")), IsNull()) << "no restart policy";
    minute();
    EXPECT_EQ(set(Metric::RestartCount).sum, 0);
}

TEST_F(InsightsTest, TasksAreCountedByTheirState) {
    host_.run("web", "shop", {container("app")});
    auto& starting = host_.run("web", "shop", {container("app")});
    starting.task->known = model::TaskStatus::Pulled;
    auto& stopped = host_.run("web", "old", {container("app")});
    int seconds = 0;
    minute([&] {
        if (++seconds == 30) stopped.task->known = stopped.task->desired = model::TaskStatus::Stopped;
    });
    EXPECT_EQ(set(Metric::ContainerInstanceCount), (StatisticSet{.count = 1, .sum = 1, .min = 1, .max = 1}));
    EXPECT_EQ(set(Metric::TaskCount), (StatisticSet{.count = 1, .sum = 1, .min = 1, .max = 2}));
    EXPECT_EQ(set(Metric::RunningTaskCount, service("shop")).sum, 1);
    EXPECT_EQ(set(Metric::PendingTaskCount, service("shop")).sum, 1);
    EXPECT_EQ(set(Metric::RunningTaskCount, service("old")), (StatisticSet{.count = 1, .sum = 0, .min = 0, .max = 1}));
}

TEST_F(InsightsTest, AnInstanceWithoutTasksTellsSo) {
    minute();
    EXPECT_EQ(set(Metric::ContainerInstanceCount).sum, 1);
    EXPECT_EQ(set(Metric::TaskCount).sum, 0);
    EXPECT_THAT(find(Metric::CpuUtilized), IsNull());
}

TEST_F(InsightsTest, DetailedTellsEveryTaskAndContainer) {
    detailed();
    model::ContainerView pause = container("~pause");
    pause.type = "CNI_PAUSE";
    auto& web = host_.run("web", "shop", {container("app", 512, 128), container("side"), pause});
    web.task->memory = 256;
    web.task->containers[0].health_checked = true;
    web.task->containers[0].health.status = model::HealthStatus::Unhealthy;
    web.holds_memory(0, 32);
    minute([&] {
        web.uses_cpu(0, kSecond / 4);
        web.uses_cpu(1, kSecond / 8);
    });
    EXPECT_NEAR(set(Metric::CpuUtilized, task("web", "1")).sum, 384, 1e-6);
    EXPECT_NEAR(set(Metric::TaskCpuUtilization, task("web", "1")).sum, 75, 1e-6);
    EXPECT_NEAR(set(Metric::TaskMemoryUtilization, task("web", "1")).sum, 12.5, 1e-6);
    EXPECT_NEAR(set(Metric::ContainerCpuUtilized, task("web", "1", "app")).sum, 256, 1e-6);
    EXPECT_EQ(set(Metric::ContainerCpuReserved, task("web", "1", "app")).sum, 512);
    EXPECT_NEAR(set(Metric::ContainerCpuUtilization, task("web", "1", "app")).sum, 50, 1e-6);
    EXPECT_NEAR(set(Metric::ContainerMemoryUtilization, task("web", "1", "app")).sum, 25, 1e-6);
    EXPECT_NEAR(set(Metric::ContainerCpuUtilization, task("web", "1", "side")).sum, 25, 1e-6) << "of the task's 512";
    EXPECT_EQ(set(Metric::UnHealthyContainerHealthStatus, task("web", "1", "app")).sum, 1);
    EXPECT_THAT(find(Metric::UnHealthyContainerHealthStatus, task("web", "1", "side")), IsNull()) << "no health check";
    EXPECT_THAT(find(Metric::ContainerCpuUtilized, task("web", "1", "~pause")), IsNull());
    EXPECT_NEAR(set(Metric::CpuUtilized, service("shop")).sum, 384, 1e-6);
    EXPECT_THAT(find(Metric::TaskCpuUtilization), IsNull()) << "percentages cannot be added up";
}

TEST_F(InsightsTest, AContainerThatCannotBeReadForAWhileIsNoDip) {
    auto& web = host_.run("web", "", {container("app", 1024)});
    int seconds = 0;
    minute([&] {
        web.uses_cpu(0, kSecond / 2);
        ++seconds;
        web.read = seconds < 20 || seconds > 25;
    });
    EXPECT_NEAR(set(Metric::CpuUtilized).sum, 512, 1e-6);
    EXPECT_NEAR(set(Metric::CpuUtilized).min, 512, 1e-6);
    EXPECT_NEAR(set(Metric::CpuUtilized).max, 512, 1e-6) << "what it used meanwhile is spread over that time";
}

TEST_F(InsightsTest, ACounterThatGoesBackIsNotARate) {
    auto& web = host_.run("web", "", {container("app", 1024)});
    int seconds = 0;
    minute([&] {
        if (++seconds == 30) web.usage[0].cgroup.cpu.usage_ns = 0;
        if (seconds != 30) web.uses_cpu(0, kSecond / 2);
    });
    EXPECT_NEAR(set(Metric::CpuUtilized).max, 512, 1e-6);
    EXPECT_NEAR(set(Metric::CpuUtilized).min, 512, 1e-6);
}

TEST_F(InsightsTest, AClockThatIsSetBackEndsTheMinute) {
    auto& web = host_.run("web", "", {container("app", 1024)});
    minute([&] { web.uses_cpu(0, kSecond / 2); });
    for (int i = 0; i < 40; ++i) second([&] { web.uses_cpu(0, kSecond / 2); });
    now_ -= 1h;
    second([&] { web.uses_cpu(0, kSecond / 2); });
    EXPECT_EQ(told_->start, kNoon + 1min) << "most of it was watched";
    EXPECT_NEAR(set(Metric::CpuUtilized).sum, 512, 1e-6);
    for (int i = 0; i < 20; ++i) second([&] { web.uses_cpu(0, kSecond / 2); });
    EXPECT_EQ(told_->start, kNoon + 1min) << "too little was watched of the minute the clock came back to";
    for (int i = 0; i < 60; ++i) second([&] { web.uses_cpu(0, kSecond / 2); });
    EXPECT_EQ(told_->start, kNoon - 1h + 2min);
    EXPECT_NEAR(set(Metric::CpuUtilized).max, 512, 1e-6);
}

TEST_F(InsightsTest, AClockThatIsCorrectedWithinASecondIsNoPeak) {
    auto& web = host_.run("web", "", {container("app", 1024)});
    int seconds = 0;
    minute([&] {
        if (++seconds == 30) now_ -= 900ms;
        web.uses_cpu(0, kSecond / 2);
        web.receives(0, 4000);
    });
    second();  // the minute has a second more
    EXPECT_NEAR(set(Metric::CpuUtilized).max, 512, 1e-6);
    EXPECT_NEAR(set(Metric::NetworkRxBytes).max, 4000, 1e-6);
}

TEST_F(InsightsTest, TimeWithoutALookWasNotWatched) {
    host_.run("web", "", {container("app", 1024)});
    minute();
    ASSERT_TRUE(told_);
    for (int i = 0; i < 10; ++i) second();
    now_ += 45s;  // the machine slept
    for (int i = 0; i < 5; ++i) second();
    EXPECT_EQ(told_->start, kNoon) << "17 seconds of the second minute are not enough";
    for (int i = 0; i < 60; ++i) second();
    EXPECT_EQ(told_->start, kNoon + 2min);
}

TEST_F(InsightsTest, WhatAnEndedContainerWroteStaysWithItsTask) {
    auto& web = host_.run("web", "", {container("init"), container("app")});
    int seconds = 0;
    minute([&] {
        if (++seconds <= 20) web.writes(0, 1000);
        web.writes(1, 10);
        if (seconds == 30) web.ended.insert(0);
    });
    EXPECT_EQ(set(Metric::StorageWriteBytes).sum, 20'000 + 590);
    EXPECT_EQ(set(Metric::StorageWriteBytes).max, 20'000 + 590);
    minute([&] { web.writes(1, 10); });
    EXPECT_EQ(set(Metric::StorageWriteBytes).sum, 20'000 + 1190);
    EXPECT_EQ(set(Metric::StorageWriteBytes).min, 20'000 + 600);
    auto& next = host_.run("web", "", {container("app")});
    host_.end(web);
    next.writes(0, 5);
    minute();
    minute();
    EXPECT_EQ(set(Metric::StorageWriteBytes).sum, 5) << "it has gone with the task";
}

TEST_F(InsightsTest, AMinuteOfTwoAgentsIsToldByOneAtMost) {
    for (int stopped = 0; stopped < 60; ++stopped) {
        ContainerReadings host;
        host.run("web", "", {container("app", 512)});
        const auto readings = [&](const std::function<void(const Reading&)>& visit) { host.each(visit); };
        const auto snapshot = host.snapshot();
        Insights old(false, cgroups::Version::V2, 10s);
        Insights next(false, cgroups::Version::V2, 10s);
        int told = 0;
        for (int at = -120; at <= stopped; at += 10) (void)old.look(kNoon + at * 1s, readings, *snapshot);
        told += old.close(kNoon + stopped * 1s).has_value() ? 1 : 0;
        for (int at = stopped; at < 60; at += 10) (void)next.look(kNoon + at * 1s, readings, *snapshot);
        told += next.look(kNoon + 60s, readings, *snapshot).has_value() ? 1 : 0;
        EXPECT_EQ(told, stopped == 30 ? 0 : 1) << "stopped at second " << stopped;
    }
}

}  // namespace
}  // namespace nodeagent::telemetry
