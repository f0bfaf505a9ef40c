#include "agent/telemetry/collector.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

#include "agent/base/resident.hpp"
#include "agent/base/scope.hpp"
#include "tests/fakes/container_files.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using model::ContainerStatus;
using model::ContainerView;
using model::TaskView;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kArn = "arn:aws:ecs:us-west-2:123456789012:task/c/0123";

ContainerView running(const std::string& name, const std::string& id, int pid) {
    ContainerView view;
    view.name = name;
    view.docker_id = id;
    view.docker_name = "ecs-" + name;
    view.known = ContainerStatus::Running;
    view.pid = pid;
    view.started_at = WallTime(1'767'225'000s);  // ten minutes before the clock begins
    return view;
}

TaskView task_of(std::vector<ContainerView> containers, const std::string& network_mode = "bridge") {
    TaskView task;
    task.arn = kArn;
    task.family = "web";
    task.version = "3";
    task.network_mode = network_mode;
    task.containers = std::move(containers);
    return task;
}

class CollectorTest : public testing::Test {
  protected:
    void SetUp() override { make({}); }

    void make(std::function<void(CollectorOptions&)> change) {
        CollectorOptions options{.hierarchy = files_.hierarchy(), .proc = files_.proc(), .cpus = 2};
        if (change) change(options);
        collector_.emplace(std::move(options), board_, clock_);
    }
    void publish(std::vector<TaskView> tasks) {
        auto snapshot = std::make_shared<model::Snapshot>();
        for (TaskView& one : tasks) {
            auto task = std::make_shared<const TaskView>(std::move(one));
            for (std::size_t i = 0; i < task->containers.size(); ++i)
                snapshot->by_docker_id[task->containers[i].docker_id] = {.task = task, .index = i};
            snapshot->tasks[task->arn] = task;
        }
        board_.publish(std::move(snapshot));
    }
    void second_later() {
        clock_.advance(1s);
        collector_->pass();
    }
    json document(const std::string& id) {
        const auto sample = collector_->sample(kArn, id);
        return sample && sample->object ? json::parse(*sample->object) : json();
    }

    fakes::ContainerFiles files_;
    fakes::ManualClock clock_;
    model::SnapshotBoard board_;
    std::optional<Collector> collector_;
};

TEST_F(CollectorTest, WithoutContainersThereIsNothingToTell) {
    collector_->pass();
    EXPECT_EQ(collector_->take(false), std::nullopt);
    EXPECT_FALSE(collector_->sample(kArn, "aaa"));
}

TEST_F(CollectorTest, ARunningContainerIsSampledAndTold) {
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    ASSERT_TRUE(collector_->sample(kArn, "aaa")) << "it runs, but there is no sample yet";
    EXPECT_EQ(collector_->sample(kArn, "aaa")->object, nullptr);
    collector_->pass();
    EXPECT_EQ(collector_->take(false)->size(), 0U) << "one sample is not enough";
    files_.uses("aaa", 1'000'000, 5 << 20);  // a second of CPU on two CPUs
    files_.received(7, 4000);
    second_later();

    const auto told = collector_->take(false);
    ASSERT_TRUE(told);
    ASSERT_EQ(told->size(), 1U);
    EXPECT_EQ(told->front().task_arn, kArn);
    EXPECT_EQ(told->front().task_definition_family, "web");
    EXPECT_EQ(told->front().task_definition_version, "3");
    const model::ContainerMetric& metric = told->front().container_metrics.at(0);
    EXPECT_EQ(metric.container_name, "main");
    EXPECT_DOUBLE_EQ(metric.cpu_stats_set->sum, 50);
    EXPECT_DOUBLE_EQ(metric.memory_stats_set->max, 5);
    EXPECT_EQ(metric.network_stats_set->rx_bytes->max, 4000);
    EXPECT_FALSE(metric.restart_stats_set);
    EXPECT_EQ(collector_->take(false)->size(), 0U) << "nothing new since";

    const json shown = document("aaa");
    EXPECT_EQ(shown["cpu_stats"]["cpu_usage"]["total_usage"], 1'000'000'000);
    EXPECT_EQ(shown["precpu_stats"]["cpu_usage"]["total_usage"], 0);
    EXPECT_EQ(shown["cpu_stats"]["system_cpu_usage"], 1'000'000'000);
    EXPECT_EQ(shown["name"], "/ecs-main");
    EXPECT_EQ(shown["preread"], "2026-01-01T00:00:00Z");
    EXPECT_FLOAT_EQ(collector_->sample(kArn, "aaa")->rates->received, 4000);
}

TEST_F(CollectorTest, ContainersOfOneTaskAreToldTogether) {
    files_.start("aaa", 7);
    files_.start("bbb", 8);
    publish({task_of({running("one", "aaa", 7), running("two", "bbb", 8)})});
    collector_->pass();
    second_later();
    const auto told = collector_->take(false);
    ASSERT_EQ(told->size(), 1U);
    EXPECT_EQ(told->front().container_metrics.size(), 2U);
}

TEST_F(CollectorTest, AStoppedContainerIsGoneAtOnce) {
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    collector_->pass();
    ContainerView stopped = running("main", "aaa", 0);
    stopped.known = ContainerStatus::Stopped;
    publish({task_of({stopped})});
    EXPECT_FALSE(collector_->sample(kArn, "aaa")) << "before the next pass";
    second_later();
    EXPECT_EQ(collector_->take(false), std::nullopt);
    EXPECT_EQ(collector_->counters().tracked, 0U);
}

TEST_F(CollectorTest, OnTheHostsNetworkAContainerHasNone) {
    files_.start("aaa", 7);
    files_.received(7, 9);
    files_.join_host_network(7);
    publish({task_of({running("main", "aaa", 7)}, "host")});
    collector_->pass();
    second_later();
    EXPECT_FALSE(collector_->take(false)->at(0).container_metrics.at(0).network_stats_set);
    EXPECT_FALSE(document("aaa").contains("networks"));
    EXPECT_FALSE(collector_->sample(kArn, "aaa")->rates);
}

TEST_F(CollectorTest, CountersGrowOverRestarts) {
    files_.start("aaa", 7);
    ContainerView container = running("main", "aaa", 7);
    container.restart_count = 0;
    publish({task_of({container})});
    files_.uses("aaa", 5000, 0);
    files_.received(7, 100);
    collector_->pass();
    second_later();

    int pid = 7;
    for (int restart = 1; restart <= 2; ++restart) {
        files_.end("aaa", pid);
        container.pid = 0;  // as the engine shows it between the two processes
        publish({task_of({container})});
        second_later();
        files_.start("aaa", ++pid);
        files_.uses("aaa", 300, 0);
        files_.received(pid, 1);
        container.pid = pid;
        container.restart_count = restart;
        publish({task_of({container})});
        second_later();
    }
    EXPECT_EQ(document("aaa")["cpu_stats"]["cpu_usage"]["total_usage"], 5'600'000);
    EXPECT_EQ(document("aaa")["networks"]["eth0"]["rx_bytes"], 102);
    EXPECT_EQ(collector_->take(false)->at(0).container_metrics.at(0).restart_stats_set->restart_count, 2);
}

TEST_F(CollectorTest, WithoutARestartPolicyANewProcessBeginsAtZero) {
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    files_.uses("aaa", 5000, 0);
    collector_->pass();
    files_.end("aaa", 7);
    files_.start("aaa", 9);
    files_.uses("aaa", 300, 0);
    publish({task_of({running("main", "aaa", 9)})});
    second_later();
    EXPECT_EQ(document("aaa")["cpu_stats"]["cpu_usage"]["total_usage"], 300'000);
}

TEST_F(CollectorTest, WhatRunsBeforeTheFirstPassIsNoIdleInstance) {
    files_.start("aaa", 7);
    collector_->pass();
    publish({task_of({running("main", "aaa", 7)})});
    const auto told = collector_->take(false);
    ASSERT_TRUE(told) << "idle would be published";
    EXPECT_TRUE(told->empty());
}

TEST_F(CollectorTest, AStoppedContainerIsNotToldAndItsFilesAreClosed) {
    const std::size_t before = open_descriptors();
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    collector_->pass();
    second_later();
    EXPECT_GT(open_descriptors(), before);
    publish({});
    EXPECT_EQ(collector_->take(false), std::nullopt) << "before the next pass";
    collector_->pass();
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(CollectorTest, PollingSamplesANewContainerAtOnceAndThenByTheInterval) {
    make([](CollectorOptions& options) { options.interval = 20s; });
    files_.start("aaa", 7);
    asio::io_context io;
    Scope scope(io.get_executor());
    scope.spawn(collector_->run());
    fakes::run_until_idle(io);
    publish({task_of({running("main", "aaa", 7)})});
    clock_.advance(1s, io);
    EXPECT_EQ(collector_->counters().samples, 1U);
    for (int second = 0; second < 19; ++second) clock_.advance(1s, io);
    EXPECT_EQ(collector_->counters().samples, 1U);
    clock_.advance(1s, io);
    EXPECT_EQ(collector_->counters().samples, 2U);
    EXPECT_EQ(collector_->counters().missed, 0U);
    scope.cancel();
    fakes::run_until_idle(io);
}

TEST_F(CollectorTest, ReadersOnOtherThreadsSeeWholeSamples) {
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    collector_->pass();
    std::atomic<bool> done{false};
    std::size_t documents = 0;
    std::size_t told = 0;
    std::thread endpoints([&] {
        while (!done) documents += document("aaa").is_object() ? 1 : 0;
    });
    std::thread session([&] {
        while (!done) {
            told += collector_->take(false).has_value() ? 1 : 0;
            collector_->each([](const Reading& reading) { EXPECT_EQ(reading.container.name, "main"); });
        }
    });
    for (std::uint64_t i = 0; i < 300; ++i) {
        files_.uses("aaa", i * 1000, i);
        collector_->pass();
    }
    done = true;
    endpoints.join();
    session.join();
    EXPECT_GT(documents, 0U);
    EXPECT_GT(told, 0U);
}

TEST_F(CollectorTest, AProcessIdGivenAnewIsNotTakenForTheContainer) {
    files_.start("other", 7);
    publish({task_of({running("main", "aaa", 7)})});
    collector_->pass();
    EXPECT_EQ(collector_->counters().missed, 1U);
    EXPECT_EQ(collector_->sample(kArn, "aaa")->object, nullptr);
}

TEST_F(CollectorTest, AContainerThatCannotBeReadIsReadAgainWhenItCan) {
    publish({task_of({running("main", "aaa", 7)})});
    collector_->pass();
    files_.start("aaa", 7);
    second_later();
    EXPECT_NE(collector_->sample(kArn, "aaa")->object, nullptr);
    EXPECT_EQ(collector_->counters().missed, 1U);
    EXPECT_EQ(collector_->counters().samples, 1U);
}

TEST_F(CollectorTest, WithMetricsDisabledNothingIsKnown) {
    make([](CollectorOptions& options) { options.disabled = true; });
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    asio::io_context io;
    Scope scope(io.get_executor());
    scope.spawn(collector_->run());
    fakes::run_until_idle(io);
    EXPECT_EQ(collector_->take(false), std::nullopt);
    EXPECT_FALSE(collector_->sample(kArn, "aaa"));
    EXPECT_EQ(clock_.sleepers(), 0U) << "nothing runs";
}

TEST_F(CollectorTest, APassThatComesTooLateIsNotMadeUpFor) {
    files_.start("aaa", 7);
    publish({task_of({running("main", "aaa", 7)})});
    asio::io_context io;
    Scope scope(io.get_executor());
    scope.spawn(collector_->run());
    fakes::run_until_idle(io);
    clock_.advance(1s, io);
    EXPECT_EQ(collector_->counters().samples, 2U);
    clock_.advance(5s, io);  // one pass, four missed
    EXPECT_EQ(collector_->counters().samples, 3U);
    EXPECT_EQ(collector_->counters().missed, 4U);
    clock_.advance(1s, io);
    EXPECT_EQ(collector_->counters().samples, 4U);
    EXPECT_EQ(collector_->counters().missed, 4U);
    scope.cancel();
    fakes::run_until_idle(io);
}

TEST(Sampling, IsByTheSecondOrByThePollingInterval) {
    EXPECT_EQ(sampling(false, 10s).interval, 1s);
    EXPECT_EQ(sampling(false, 10s).window, 80U);
    EXPECT_EQ(sampling(true, 5s).window, 16U);
    EXPECT_EQ(sampling(true, 10s).window, 8U);
    EXPECT_EQ(sampling(true, 20s).window, 4U);
    EXPECT_EQ(sampling(true, 7s).interval, 7s);
    EXPECT_EQ(sampling(true, 7s).window, 11U);
}

}  // namespace
}  // namespace nodeagent::telemetry
