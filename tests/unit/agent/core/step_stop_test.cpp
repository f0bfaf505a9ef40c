// Stopping containers, their ends, and what is said of them.
#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using S = ContainerStatus;

TEST(StepStop, GivesAContainerItsOwnStopTimeout) {
    model::Container slow = container("slow");
    slow.stop_timeout = 90;
    Bench b = running_task({slow, container("quick")});
    b.settings.stop_timeout = std::chrono::seconds(2);
    b.hear(DesiredChanged{TaskStatus::Stopped});
    const auto stops = all_of<StopContainer>(b.last);
    ASSERT_THAT(stops, SizeIs(2));
    EXPECT_EQ(stops[0].grace, std::chrono::seconds(90));
    EXPECT_EQ(stops[1].grace, std::chrono::seconds(2));
}

TEST(StepStop, AStopWhileThePullIsInFlightDoesNotWaitForIt) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    ASSERT_THAT(names_in<PullImage>(b.last), ElementsAre("app"));
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    b.hear(ImagePulled{"app", "i", true, {}});
    EXPECT_THAT(names_in<CreateContainer>(b.history), IsEmpty());
}

TEST(StepStop, AStopWhileTheStartIsInFlightWaitsForItsResult) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ImagePulled{"app", "i", false, {}}).hear(ContainerCreated{"app", "id-app", {}, {}});
    ASSERT_THAT(names_in<StartContainer>(b.last), ElementsAre("app"));
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b["app"].known, S::Created);
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("app"));
}

TEST(StepStop, WhatAnInterruptedStartLeftBehindIsNotTheEndOfTheNextStart) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ImagePulled{"app", "i", false, {}}).hear(ContainerCreated{"app", "id-app", {}, {}});
    Observation killed = exited("app", 137);  // of a container that the runtime never saw start
    killed.started_at.reset();
    b.hear(ContainerObserved{"app", killed});
    EXPECT_EQ(b["app"].known, S::Created);
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_EQ(b["app"].known, S::Running);
    EXPECT_EQ(b["app"].exit_code, std::nullopt);
    EXPECT_THAT(all_of<InspectContainers>(b.last), SizeIs(1)) << "looked at again";
}

TEST(StepStop, AShortLivedContainerSeenBeforeItsStartReturnsIsNotRestarted) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ImagePulled{"app", "i", false, {}}).hear(ContainerCreated{"app", "id-app", {}, {}});
    Observation end = exited("app", 0);
    end.started_at = kNow.wall;
    end.finished_at = kNow.wall + std::chrono::milliseconds(5);
    b.hear(ContainerObserved{"app", end});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    Observation late = running("app");
    late.started_at = kNow.wall;
    b.hear(ContainerStarted{"app", late, {}});
    EXPECT_THAT(all_of<StopContainer>(b.history), IsEmpty()) << "that it ran is old news";
    EXPECT_EQ(b["app"].exit_code, 0);
}

TEST(StepStop, AContainerThatComesBackAfterItsEndIsStoppedAgain) {
    Bench b = running_task({container("app")});
    Observation end = exited("app", 0);
    end.finished_at = kNow.wall;
    b.run(ContainerObserved{"app", end});
    Observation again = running("app");
    again.started_at = kNow.wall + std::chrono::seconds(1);
    b.hear(ContainerObserved{"app", again});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("app"));
    b.hear(ContainerObserved{"app", again});
    EXPECT_THAT(names_in<StopContainer>(b.last), IsEmpty()) << "one is in flight";
    EXPECT_EQ(b["app"].exit_code, 0);
    EXPECT_EQ(b["app"].known, S::Stopped);
}

TEST(StepStop, AStopThatReturnsAfterTheExitWasHeardChangesNothing) {
    Bench b = running_task({container("app")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    Observation end = exited("app", 0);
    end.finished_at = kNow.wall - std::chrono::seconds(1);
    b.hear(ContainerObserved{"app", end});
    const ContainerState before = b["app"];
    b.hear(ContainerStopDone{"app", {}, {}});
    EXPECT_EQ(b["app"].finished_at, before.finished_at);
    EXPECT_EQ(b["app"].exit_code, 0);
    EXPECT_EQ(b["app"].applied, S::None);
}

TEST(StepStop, AStopThatTheRuntimeDidNotAnswerIsTriedAgain) {
    Bench b = running_task({container("app")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    b.hear(ContainerStopDone{"app", {}, error(kCannotStopContainer, "daemon gone")});
    EXPECT_EQ(b["app"].known, S::Running);
    EXPECT_THAT(all_of<StopContainer>(b.last), IsEmpty()) << "not at once";
    ASSERT_THAT(all_of<WakeAt>(b.last), SizeIs(1));
    EXPECT_EQ(all_of<WakeAt>(b.last)[0].when, kNow.steady + std::chrono::seconds(5));
    b.now = later(std::chrono::seconds(5));
    b.hear(Woken{});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("app"));
}

TEST(StepStop, AContainerTheRuntimeCannotStopCountsAsStoppedWithTheError) {
    Bench b = running_task({container("app")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    b.hear(ContainerStopDone{"app", running("app"), error(kCannotStopContainer, "stuck")});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.container_reports().back().reason, "CannotStopContainerError: stuck");
}

TEST(StepStop, OutOfMemoryIsAnAnnotationOfTheEnd) {
    Bench b = running_task({container("app")});
    b.hear(OutOfMemoryNoted{"app"});
    EXPECT_EQ(b["app"].known, S::Running);
    b.hear(ContainerObserved{"app", exited("app", 137)});
    EXPECT_EQ(b.container_reports().back().reason, "OutOfMemoryError: Container killed due to memory usage");

    Bench child = running_task({container("app")});
    Observation alive = running("app");
    alive.oom_killed = true;  // a child process of it was killed
    child.run(ContainerObserved{"app", alive});
    EXPECT_EQ(child["app"].known, S::Running);
}

TEST(StepStop, ARequestedStopIsNoOutOfMemoryEvenAfterAKilledChild) {
    Bench b = running_task({container("app")});
    b.hear(OutOfMemoryNoted{"app"}).run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.container_reports().back().exit_code, 137);
    EXPECT_EQ(b.container_reports().back().reason, "");
}

TEST(StepStop, TheRuntimesOwnErrorIsTheReason) {
    Bench b = running_task({container("app")});
    Observation end = exited("app", 128);
    end.runtime_error = "shim died";
    b.hear(ContainerObserved{"app", end});
    EXPECT_EQ(b.container_reports().back().reason, "DockerStateError: shim died");
}

TEST(StepStop, AVanishedContainerIsStoppedWithoutExitCode) {
    Bench b = running_task({container("app")});
    b.hear(ContainerVanished{"app"});
    EXPECT_EQ(b.container_reports().back().reason, "ContainerVanishedError: No container matching saved ID found");
    EXPECT_EQ(b.container_reports().back().exit_code, std::nullopt);
}

}  // namespace
}  // namespace nodeagent::core::testing
