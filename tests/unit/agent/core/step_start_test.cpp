// Creating and starting containers, and what becomes of them when that fails.
#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(StepStart, AFailedCreateStopsTheContainerWithTheError) {
    Bench b(task_of({container("app")}));
    b.create = [](const std::string& c) {
        return ContainerCreated{c, "", {}, error(kCannotCreateContainer, "no such image")};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.container_reports().back().reason, "CannotCreateContainerError: no such image");
    EXPECT_EQ(b.container_reports().back().exit_code, std::nullopt);
    EXPECT_THAT(all_of<StopContainer>(b.history), IsEmpty());
}

TEST(StepStart, AFailedStartStopsTheContainerWithoutACallToTheRuntime) {
    Bench b(task_of({container("clash")}));
    b.launch = [](const std::string& c) {
        return ContainerStarted{c, seen(Observation::Phase::Created, c),
                                error(kCannotStartContainer, "address already in use")};
    };
    b.start();
    ASSERT_THAT(b.container_reports(), SizeIs(1));
    EXPECT_EQ(b.container_reports()[0].reason, "CannotStartContainerError: address already in use");
    EXPECT_EQ(b.container_reports()[0].runtime_id, "id-clash");
    EXPECT_EQ(b.container_reports()[0].exit_code, std::nullopt);
    EXPECT_THAT(all_of<StopContainer>(b.history), IsEmpty());
}

TEST(StepStart, AStartThatMayHaveHappenedIsStoppedForReal) {
    Bench b(task_of({container("slow")}));
    b.launch = [](const std::string& c) {
        return ContainerStarted{c, {}, docker_timeout("started", std::chrono::minutes(3))};
    };
    b.start();
    EXPECT_THAT(names_in<StopContainer>(b.history), ElementsAre("slow"));
    EXPECT_EQ(b.container_reports().back().reason,
              "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s");
}

TEST(StepStart, AContainerThatRunsInSpiteOfAStartErrorIsStopped) {
    Bench b(task_of({container("app")}));
    b.launch = [](const std::string& c) { return ContainerStarted{c, running(c), error(kCannotStartContainer, "hm")}; };
    b.start();
    EXPECT_THAT(names_in<StopContainer>(b.history), ElementsAre("app"));
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
}

}  // namespace
}  // namespace nodeagent::core::testing
