// The figures are those Amazon ECS documents for cluster and service utilization.
#include "agent/local/cluster_usage.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Minute kUsageNow{30'000'000min};

class ClusterUsageTest : public testing::Test {
  protected:
    void add_instance(const std::string& id, std::int64_t cpu, std::int64_t memory,
                      const std::string& status = "ACTIVE") {
        ContainerInstance instance;
        instance.arn = "arn:aws:ecs:r:1:container-instance/c/" + id;
        instance.cluster = "c";
        instance.status = status;
        instance.resources.resize(2);
        instance.resources[0].name = "CPU";
        instance.resources[0].integer_value = cpu;
        instance.resources[1].name = "MEMORY";
        instance.resources[1].integer_value = memory;
        state.save(instance);
    }
    std::string add_task(const std::string& id, const std::string& instance, std::int64_t cpu, std::int64_t memory,
                         const std::string& group = "family:web") {
        Task task;
        task.arn = "arn:aws:ecs:r:1:task/c/" + id;
        task.cluster = "c";
        task.instance_arn = "arn:aws:ecs:r:1:container-instance/c/" + instance;
        task.definition_arn = "arn:aws:ecs:r:1:task-definition/web:3";
        task.group = group;
        task.demand.cpu = cpu;
        task.demand.memory = memory;
        task.containers.resize(1);
        return state.save(task).arn;
    }
    static TaskUse use(const std::string& arn, StatisticSet cpu_percent, StatisticSet memory) {
        return {.task_arn = arn, .containers = {{.name = "web", .cpu = cpu_percent, .memory = memory}}};
    }
    void record(const std::string& instance, const std::vector<TaskUse>& tasks, Minute minute = kUsageNow) {
        usage.record("arn:aws:ecs:r:1:container-instance/c/" + instance, tasks, minute);
    }
    /// The minute's values; an empty set if there are none.
    StatisticSet values(const std::string& name, Dimensions dimensions, const std::string& space = "AWS/ECS",
                        Minute minute = kUsageNow) const {
        const auto found = metrics.find({.space = space, .name = name, .dimensions = std::move(dimensions)}, "", minute,
                                        minute + 1min);
        return found.empty() ? StatisticSet{} : found.at(0).points.at(0).values;
    }

    std::unique_ptr<Store> store = std::move(*Store::open(":memory:"));
    State state{*store, Identity{}};
    MetricStore metrics;
    ClusterUsage usage{state, metrics};
};

TEST_F(ClusterUsageTest, MeasuresAClusterAgainstWhatItsInstancesRegistered) {
    add_instance("big", 16'384, 30'158);
    add_instance("small", 2'048, 3'768);
    std::vector<TaskUse> on_big;
    for (int i = 0; i < 9; ++i) {
        const std::string arn = add_task(std::to_string(i), "big", 512, 1024);
        on_big.push_back(use(arn, StatisticSet::of(100.0 * 1024 / 16'384, 20), StatisticSet::of(2048, 20)));
    }
    const std::string arn = add_task("9", "small", 512, 1024);
    record("big", on_big);
    record("small", {use(arn, StatisticSet::of(50, 20), StatisticSet::of(2048, 20))});
    const StatisticSet cpu = values("CPUUtilization", {{"ClusterName", "c"}});
    EXPECT_EQ(cpu.count, 1);
    EXPECT_THAT(cpu.average(), DoubleNear(100.0 * 10'240 / 18'432, 1e-9));  // 55 %
    EXPECT_THAT(values("MemoryUtilization", {{"ClusterName", "c"}}).average(),
                DoubleNear(100.0 * 20'480 / 33'926, 1e-9));  // 60 %
    EXPECT_THAT(metrics.metrics(), SizeIs(2)) << "no service, so nothing but the cluster's two";
}

TEST_F(ClusterUsageTest, MeasuresAServiceAgainstWhatItsTasksReserve) {
    add_instance("i", 2'048, 3'768);
    const std::string arn = add_task("t", "i", 512, 1024, "service:shop");
    record("i", {use(arn, StatisticSet::of(100, 20), StatisticSet::of(512, 20))});
    const Dimensions shop{{"ClusterName", "c"}, {"ServiceName", "shop"}};
    EXPECT_EQ(values("CPUUtilization", shop), StatisticSet::of(400));
    EXPECT_EQ(values("MemoryUtilization", shop), StatisticSet::of(50));
    EXPECT_EQ(values("CPUUtilization", {{"ClusterName", "c"}}), StatisticSet::of(100));
}

TEST_F(ClusterUsageTest, GivesAServiceASampleForEachOfItsTasks) {
    add_instance("i", 1'000, 1'000);
    const std::string idle = add_task("1", "i", 100, 100, "service:shop");
    const std::string busy = add_task("2", "i", 100, 100, "service:shop");
    const std::string other = add_task("3", "i", 100, 100, "service:bank");
    record("i", {use(idle, {.count = 20, .sum = 20, .minimum = 0.5, .maximum = 2}, StatisticSet::of(10, 20)),
                 use(busy, {.count = 10, .sum = 50, .minimum = 4, .maximum = 9}, StatisticSet::of(30, 20)),
                 use(other, StatisticSet::of(8, 20), StatisticSet::of(90, 20))});
    const Dimensions shop{{"ClusterName", "c"}, {"ServiceName", "shop"}};
    EXPECT_EQ(values("CPUUtilization", shop), (StatisticSet{.count = 2, .sum = 60, .minimum = 5, .maximum = 90}));
    EXPECT_EQ(values("MemoryUtilization", shop).average(), 20);
    EXPECT_EQ(values("MemoryUtilization", {{"ClusterName", "c"}, {"ServiceName", "bank"}}).average(), 90);
    EXPECT_EQ(values("CPUUtilization", {{"ClusterName", "c"}}).average(), 14);
}

TEST_F(ClusterUsageTest, MergesTheRoundsOfAMinuteAndAddsUpContainers) {
    add_instance("i", 1'000, 1'000);
    const std::string arn = add_task("1", "i", 100, 100, "service:shop");
    TaskUse two = use(arn, {.count = 20, .sum = 40, .minimum = 1, .maximum = 3}, StatisticSet::of(10, 20));
    two.containers.push_back({.name = "side", .cpu = StatisticSet::of(1, 20), .memory = StatisticSet::of(5, 20)});
    record("i", {two});
    record("i", {use(arn, {.count = 60, .sum = 240, .minimum = 2, .maximum = 7}, StatisticSet::of(30, 20))});
    const Dimensions shop{{"ClusterName", "c"}, {"ServiceName", "shop"}};
    // web: 280 of 80 samples is 3.5 %; side 1 %; together 45 units of 100
    EXPECT_EQ(values("CPUUtilization", shop), (StatisticSet{.count = 1, .sum = 45, .minimum = 20, .maximum = 80}));
    EXPECT_EQ(values("MemoryUtilization", shop).average(), 25);
    record("i", {two}, kUsageNow + 1min);
    EXPECT_EQ(values("CPUUtilization", shop, "AWS/ECS", kUsageNow + 1min).average(), 30);
    EXPECT_EQ(values("CPUUtilization", shop).average(), 45);
}

TEST_F(ClusterUsageTest, TakesTwoUnitsForAContainerThatReservesNoCpu) {
    add_instance("i", 1'000, 1'000);
    const std::string arn = add_task("1", "i", 0, 100, "service:shop");
    record("i", {use(arn, StatisticSet::of(0.1, 20), StatisticSet::of(10, 20))});
    EXPECT_EQ(values("CPUUtilization", {{"ClusterName", "c"}, {"ServiceName", "shop"}}).average(), 50);
}

TEST_F(ClusterUsageTest, LeavesOutTasksOfOtherInstancesAndInstancesThatAreGone) {
    add_instance("i", 1'000, 1'000);
    add_instance("gone", 5'000, 5'000, "INACTIVE");
    const std::string arn = add_task("1", "i", 100, 100);
    record("gone", {use(arn, StatisticSet::of(10), StatisticSet::of(10))});
    record("nowhere", {use(arn, StatisticSet::of(10), StatisticSet::of(10))});
    record("i", {use("arn:aws:ecs:r:1:task/c/unknown", StatisticSet::of(10), StatisticSet::of(10))});
    EXPECT_THAT(metrics.metrics(), IsEmpty());
    record("i", {use(arn, StatisticSet::of(10), StatisticSet::of(10))});
    EXPECT_EQ(values("CPUUtilization", {{"ClusterName", "c"}}), StatisticSet::of(10));
}

TEST_F(ClusterUsageTest, GivesContainerInsightsToClustersThatAskForThem) {
    add_instance("i", 1'000, 1'000);
    const std::string arn = add_task("1", "i", 100, 100);
    const auto round = [&] {
        record("i", {use(arn, {.count = 2, .sum = 10, .minimum = 4, .maximum = 6}, StatisticSet::of(10))});
    };
    round();
    const Dimensions family{{"ClusterName", "c"}, {"TaskDefinitionFamily", "web"}};
    EXPECT_EQ(values("CpuUtilized", family, "ECS/ContainerInsights"), StatisticSet{});
    Cluster cluster;
    cluster.name = "c";
    cluster.settings = Json::parse(R"([{"name":"containerInsights","value":"enabled"}])");
    state.save(cluster);
    round();
    EXPECT_EQ(values("CpuUtilized", family, "ECS/ContainerInsights"),
              (StatisticSet{.count = 1, .sum = 50, .minimum = 40, .maximum = 60}));
    EXPECT_EQ(values("MemoryUtilized", {{"ClusterName", "c"}}, "ECS/ContainerInsights"), StatisticSet::of(10));
    Dimensions container = family;
    container["TaskId"] = "1";
    container["ContainerName"] = "web";
    EXPECT_EQ(values("MemoryUtilized", container, "ECS/ContainerInsights"), StatisticSet{});
    cluster.settings[0]["value"] = "enhanced";
    state.save(cluster);
    round();
    EXPECT_EQ(values("MemoryUtilized", container, "ECS/ContainerInsights"), StatisticSet::of(10));
}

}  // namespace
}  // namespace nodeagent::local
