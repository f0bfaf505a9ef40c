#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using S = ContainerStatus;

TEST(Step, TakesATaskToRunningAndReportsItOnce) {
    Bench b(task_of({container("app"), sidecar("log")}));
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    ASSERT_THAT(b.task_reports(), SizeIs(1));
    EXPECT_EQ(b.task_reports()[0].status, TaskStatus::Running);
    EXPECT_EQ(b.task_reports()[0].reason, "");
    ASSERT_THAT(b.container_reports(), SizeIs(2));
    EXPECT_EQ(b.container_reports()[0].runtime_id, "id-app");
}

TEST(Step, AStopForATaskThatNeverBeganReportsItsContainersWithoutExitCode) {
    model::Task payload = payload_of({container("main")});
    payload.desired_status = "STOPPED";
    Bench b(*accepted(payload));
    b.start();
    ASSERT_THAT(b.container_reports(), SizeIs(1));
    EXPECT_EQ(b.container_reports()[0].status, S::Stopped);
    EXPECT_EQ(b.container_reports()[0].exit_code, std::nullopt);
    EXPECT_TRUE(b.task_reports().at(0).execution_stopped_at);
    EXPECT_THAT(all_of<StopContainer>(b.history), IsEmpty());
}

TEST(Step, StopsTheOthersWhenAnEssentialContainerExits) {
    Bench b = running_task({container("app"), sidecar("log")});
    b.hear(ContainerObserved{"app", exited("app", 5)});
    EXPECT_EQ(b.task.desired, TaskStatus::Stopped);
    EXPECT_EQ(b.task.known, TaskStatus::Running) << "until the rest has stopped";
    EXPECT_EQ(b.task.execution_stopped_at, kNow.wall);
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("log"));
    b.run(ContainerStopDone{"log", exited("log", 0), {}});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.task_reports().back().status, TaskStatus::Stopped);
    EXPECT_EQ(b.task_reports().back().reason, "");
}

TEST(Step, ATaskGoesOnWithoutANonEssentialContainer) {
    Bench b = running_task({container("boss"), sidecar("helper")});
    b.run(ContainerObserved{"helper", exited("helper", 9)});
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    EXPECT_EQ(b.container_reports().back().exit_code, 9);
    EXPECT_THAT(b.task_reports(), SizeIs(1));
}

TEST(Step, AContainerThatEndedBeforeWordOfItsStartIsReportedRunningFirst) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{});
    b.hear(ManifestResolved{"app", {}, {}})
        .hear(ImagePulled{.container = "app", .image_id = "i", .pulled = false, .error = {}});
    b.hear(ContainerCreated{"app", "id-app", {}, {}});
    b.history.clear();
    Observation ended = exited("app", 3);
    ended.started_at = kNow.wall;
    b.hear(ContainerObserved{"app", ended});
    ASSERT_THAT(b.container_reports(), SizeIs(2));
    EXPECT_EQ(b.container_reports()[0].status, S::Running);
    EXPECT_EQ(b.container_reports()[0].exit_code, std::nullopt);
    EXPECT_EQ(b.container_reports()[1].status, S::Stopped);
    EXPECT_EQ(b.container_reports()[1].exit_code, 3);
    ASSERT_THAT(b.task_reports(), SizeIs(2));
    EXPECT_EQ(b.task_reports()[0].status, TaskStatus::Running);
    EXPECT_EQ(b.task_reports()[1].status, TaskStatus::Stopped);
}

TEST(Step, AContainerThatNeverStartedIsNotReportedRunning) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{});
    b.hear(ManifestResolved{"app", {}, {}})
        .hear(ImagePulled{.container = "app", .image_id = "i", .pulled = false, .error = {}});
    b.hear(ContainerCreated{"app", "id-app", {}, {}});
    b.hear(ContainerStarted{"app", exited("app", 127), NamedError{"CannotStartContainerError", "no such file"}});
    ASSERT_THAT(b.container_reports(), SizeIs(1));
    EXPECT_EQ(b.container_reports()[0].status, S::Stopped);
}

TEST(Step, ADesiredStatusOnlyRises) {
    Bench b = running_task({container("app")});
    b.run(DesiredChanged{TaskStatus::Stopped}).run(DesiredChanged{TaskStatus::Running});
    EXPECT_EQ(b.task.desired, TaskStatus::Stopped);
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b["app"].exit_code, 137);
}

TEST(Step, NothingIsPlannedBeforeTheRunnerStarts) {
    Bench b = running_task({container("a"), sidecar("b")});
    b.task.resumed = false;  // as decoded from the store
    b.hear(ContainerObserved{"a", exited("a", 0), true});
    EXPECT_THAT(b.last, IsEmpty()) << "b may have ended too";
    b.hear(ContainerObserved{"b", exited("b", 0), true}).hear(Resumed{});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_THAT(all_of<StopContainer>(b.history), IsEmpty());
}

TEST(Step, AfterARestartOnlyWhatECSDidNotAcknowledgeIsReportedAgain) {
    Bench b = running_task({container("app")});
    b.hear(
        SentAcknowledged{{.task_arn = kArn, .task_status = TaskStatus::Running, .containers = {{"app", S::Running}}}});
    b.history.clear();
    b.hear(Resumed{});
    EXPECT_THAT(b.container_reports(), IsEmpty());
    b.hear(ContainerObserved{"app", exited("app", 0)});
    b.history.clear();
    b.hear(Resumed{});
    EXPECT_THAT(b.container_reports(), SizeIs(1));
    EXPECT_THAT(b.task_reports(), SizeIs(1));
}

TEST(Step, CleansUpAfterTheWaitAndOnlyOnceECSKnows) {
    model::Task payload = payload_of({container("app")});
    payload.role_credentials = model::RoleCredentials{};
    payload.role_credentials->credentials_id = "app-role";
    payload.execution_role_credentials = model::RoleCredentials{};
    payload.execution_role_credentials->credentials_id = "exec-role";
    Bench b(*accepted(payload));
    b.start().run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(all_of<ForgetCredentials>(b.history), IsEmpty()) << "the role of a stopped task still answers";
    b.now = later(std::chrono::minutes(2));
    b.hear(Woken{});  // of the last poll while it ran
    EXPECT_EQ(all_of<WakeAt>(b.last).at(0).when, kNow.steady + std::chrono::hours(3));

    b.now = later(std::chrono::hours(3));
    b.hear(Woken{});
    EXPECT_THAT(all_of<CleanUp>(b.history), IsEmpty()) << "ECS has not acknowledged STOPPED";
    b.hear(SentAcknowledged{{.task_arn = kArn, .task_status = TaskStatus::Stopped, .containers = {}}});
    EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1));
    ASSERT_THAT(all_of<ForgetCredentials>(b.last), SizeIs(2));
    EXPECT_EQ(all_of<ForgetCredentials>(b.last)[0].credentials_id, "app-role");
    EXPECT_EQ(all_of<ForgetCredentials>(b.last)[1].credentials_id, "exec-role");
    EXPECT_FALSE(finished(b.task));
    b.hear(CleanedUp{});
    EXPECT_TRUE(finished(b.task));
}

TEST(Step, AnUnacknowledgedTaskIsStillCleanedUpAfterManyDays) {
    Bench b = running_task({container("app")});
    b.run(DesiredChanged{TaskStatus::Stopped});
    b.now = later(std::chrono::hours(24 * 30));
    b.hear(Woken{}).hear(SentAcknowledged{{.task_arn = kArn, .task_status = TaskStatus::Stopped, .containers = {}}});
    EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1));
}

TEST(Step, PollsARunningTaskAndArmsTheNextPoll) {
    Bench b = running_task({container("app")});
    const auto first = all_of<WakeAt>(b.history);
    ASSERT_FALSE(first.empty());
    EXPECT_GE(first.back().when, kNow.steady + std::chrono::minutes(1));
    EXPECT_LE(first.back().when, kNow.steady + std::chrono::seconds(66));
    b.now.steady = first.back().when;
    b.hear(Woken{});
    EXPECT_THAT(all_of<InspectContainers>(b.last), SizeIs(1));
    EXPECT_THAT(all_of<WakeAt>(b.last), SizeIs(1));
}

TEST(Step, AWakeUpThatCameTooEarlyIsAskedForAgain) {
    Bench b = running_task({container("app")});
    b.hear(Woken{});
    EXPECT_THAT(all_of<InspectContainers>(b.last), IsEmpty());
    EXPECT_THAT(all_of<WakeAt>(b.last), SizeIs(1));
}

TEST(Step, HealthChangesKeepTheTimeOfTheChange) {
    model::Container checked = container("app");
    checked.health_check_type = "docker";
    Bench b = running_task({checked});
    Observation sick = running("app");
    sick.health = HealthStatus::Unhealthy;
    sick.health_exit_code = 1;
    b.hear(ContainerObserved{"app", sick});
    b.now = later(std::chrono::minutes(1));
    b.hear(ContainerObserved{"app", sick});
    EXPECT_EQ(b["app"].health.since, kNow.wall);
    EXPECT_EQ(b["app"].health.exit_code, 1);
    EXPECT_EQ(b["app"].known, S::Running) << "being unhealthy stops nothing by itself";
}

TEST(Step, WordAboutAnotherContainerOfThatNameIsIgnored) {
    Bench b = running_task({container("app")});
    Observation stranger = exited("app", 1);
    stranger.runtime_id = "id-of-a-predecessor";
    b.hear(ContainerObserved{"app", stranger});
    EXPECT_EQ(b["app"].known, S::Running);
}

}  // namespace
}  // namespace nodeagent::core::testing
