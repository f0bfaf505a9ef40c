#include "agent/telemetry/lifecycle_steps.hpp"

#include <gmock/gmock.h>

#include "agent/core/task_state.hpp"
#include "tests/unit/agent/telemetry/prometheus/a_scene.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using core::ContainerStatus;
using core::TaskStatus;

class LifecycleStepsTest : public testing::Test {
  protected:
    LifecycleStepsTest() {
        task_.arn = kTaskArn;
        task_.containers.resize(1);
        task_.containers[0].name = "app";
    }
    core::ContainerState& app() { return task_.containers[0]; }
    /// So much later the task is as `change` makes it.
    template <class Change>
    void after(std::chrono::milliseconds time, Change change) {
        const core::TaskState before = task_;
        change();
        now_ += time;
        scene_.steps.changed(before, task_, now_);
    }
    std::string of_container(const std::string& step) const {
        return value_of(scene_.text(), R"(ecs_agent_container_step_seconds_sum{step=")" + step + "\"}");
    }
    std::string of_task(const std::string& step) const {
        return value_of(scene_.text(), R"(ecs_agent_task_step_seconds_sum{step=")" + step + "\"}");
    }

    AScene scene_;
    core::TaskState task_;
    SteadyTime now_{1h};
};

TEST_F(LifecycleStepsTest, MeasuresEveryStepOfATasksLife) {
    scene_.steps.accepted(task_, now_);
    after(0ms, [&] { app().known = ContainerStatus::ManifestPulled; });
    after(2000ms, [&] { app().known = ContainerStatus::Pulled; });
    after(250ms, [&] { app().known = ContainerStatus::Created; });
    after(500ms, [&] {
        app().known = ContainerStatus::Running;
        task_.known = TaskStatus::Running;
    });
    after(125ms, [&] { task_.sent = TaskStatus::Running; });
    after(60'000ms, [&] {
        task_.desired = TaskStatus::Stopped;
        app().desired = ContainerStatus::Stopped;
    });
    after(1500ms, [&] {
        app().known = ContainerStatus::Stopped;
        task_.known = TaskStatus::Stopped;
    });
    after(750ms, [&] { task_.sent = TaskStatus::Stopped; });

    EXPECT_EQ(of_container("pulled"), "2") << "from the payload";
    EXPECT_EQ(of_container("created"), "0.25");
    EXPECT_EQ(of_container("running"), "0.5");
    EXPECT_EQ(of_container("stopped"), "1.5") << "not with the time it ran";
    EXPECT_EQ(of_task("running"), "2.75");
    EXPECT_EQ(of_task("running_acknowledged"), "0.125");
    EXPECT_EQ(of_task("stopped"), "1.5");
    EXPECT_EQ(of_task("stopped_acknowledged"), "0.75");
    const std::string text = scene_.text();
    EXPECT_EQ(value_of(text, R"(ecs_agent_container_step_seconds_bucket{step="pulled",le="1"})"), "0");
    EXPECT_EQ(value_of(text, R"(ecs_agent_container_step_seconds_bucket{step="pulled",le="2.5"})"), "1");
}

TEST_F(LifecycleStepsTest, MeasuresNothingThatBeganBeforeTheAgentDid) {
    app().known = ContainerStatus::Pulled;
    after(1s, [&] { app().known = ContainerStatus::Created; });
    EXPECT_EQ(of_container("created"), "absent");
    after(500ms, [&] {
        app().known = ContainerStatus::Running;
        task_.known = TaskStatus::Running;
    });
    EXPECT_EQ(of_container("running"), "0.5");
    EXPECT_EQ(of_task("running"), "absent");
}

TEST_F(LifecycleStepsTest, AContainerThatEndsByItselfWasNotStopped) {
    scene_.steps.accepted(task_, now_);
    after(1s, [&] { app().known = ContainerStatus::Running; });
    after(1h, [&] {
        app().known = ContainerStatus::Stopped;
        app().desired = ContainerStatus::Stopped;
    });
    EXPECT_EQ(of_container("stopped"), "absent");
}

TEST_F(LifecycleStepsTest, ATaskThatComesAgainIsMeasuredAnew) {
    scene_.steps.accepted(task_, now_);
    scene_.steps.gone(task_.arn);
    after(1s, [&] { app().known = ContainerStatus::Pulled; });
    EXPECT_EQ(of_container("pulled"), "absent");
}

}  // namespace
}  // namespace nodeagent::telemetry
