#include "agent/core/stop_time.hpp"

#include "tests/unit/agent/core/task_builder.hpp"

namespace nodeagent::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

model::Container stopping_in(model::Container c, std::int64_t seconds) {
    c.stop_timeout = seconds;
    return c;
}

TEST(StopTime, OfUnrelatedContainersIsTheLongestBecauseTheyStopTogether) {
    const TaskState task = task_of({stopping_in(container("a"), 5), stopping_in(container("b"), 40)});
    EXPECT_EQ(longest_stop(task, {}), 40s);
}

TEST(StopTime, AddsUpAlongDependenciesBecauseTheyStopOneAfterTheOther) {
    const TaskState task = task_of({stopping_in(with_dependency(container("web"), "proxy", "START"), 10),
                                    stopping_in(with_dependency(container("proxy"), "log", "START"), 20),
                                    stopping_in(container("log"), 7)});
    EXPECT_EQ(longest_stop(task, {}), 37s);
}

TEST(StopTime, AddsUpAlongVolumesFromToo) {
    model::Container web = stopping_in(container("web"), 10);
    web.volumes_from.push_back({.source_container = "data"});
    const TaskState task = task_of({web, stopping_in(container("data"), 20)});
    EXPECT_EQ(longest_stop(task, {}), 30s);
}

TEST(StopTime, OfAContainerWithoutOneIsTheSetting) {
    Settings settings;
    settings.stop_timeout = 90s;
    EXPECT_EQ(longest_stop(task_of({container("a")}), settings), 90s);
}

TEST(StopTime, CountsNoContainerThatHasStopped) {
    TaskState task = task_of({stopping_in(container("a"), 5), stopping_in(container("b"), 40)});
    task.containers[1].known = ContainerStatus::Stopped;
    EXPECT_EQ(longest_stop(task, {}), 5s);
    task.containers[0].known = ContainerStatus::Stopped;
    EXPECT_EQ(longest_stop(task, {}), 0s);
}

}  // namespace
}  // namespace nodeagent::core
