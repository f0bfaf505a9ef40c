#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using S = ContainerStatus;

NamedError error(std::string_view name, std::string message) { return {std::string(name), std::move(message)}; }

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

TEST(Step, WaitsForTheHostBeforeAnythingElse) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{});
    EXPECT_THAT(b.last, SizeIs(1));
    EXPECT_THAT(all_of<AcquireHostResources>(b.last), SizeIs(1));
    b.hear(HostResourcesGranted{});
    EXPECT_THAT(names_in<ResolveManifest>(b.last), ElementsAre("app"));
    EXPECT_TRUE(b.task.resources_consumed);
}

TEST(Step, AWishToStopEndsTheWaitForTheHostAtOnce) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_THAT(all_of<ReleaseHostResources>(b.last), SizeIs(1));
    b.hear(HostResourcesGranted{});  // was on its way
    EXPECT_FALSE(b.task.resources_consumed);
}

TEST(Step, ATaskTheHostCanNeverHoldStopsWithTheReason) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesRefused{"too much"});
    EXPECT_EQ(b.task_reports().at(0).reason, "too much");
    EXPECT_EQ(b.task_reports().at(0).status, TaskStatus::Stopped);
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

TEST(Step, GivesAContainerItsOwnStopTimeout) {
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

TEST(Step, ReportsPendingOnlyWithAResolvedDigest) {
    Bench with(task_of({container("app")}));
    with.digest = "sha256:d";
    with.start();
    EXPECT_EQ(with.task_reports().front().status, TaskStatus::ManifestPulled);
    EXPECT_EQ(with.container_reports().front().image_digest, "sha256:d");
    EXPECT_EQ(with.container_reports().front().status, S::ManifestPulled);

    model::Container pinned = container("app");
    pinned.image = "img@sha256:d";
    Bench without(task_of({pinned}));
    without.digest = "sha256:d";
    without.start();
    EXPECT_EQ(without.task_reports().front().status, TaskStatus::Running);
}

TEST(Step, AFailedPullGoesOnWithTheCachedImageAndItsErrorSticks) {
    Bench b(task_of({container("app")}));
    b.pull = [](const std::string& c) {
        return ImagePulled{c, "sha256:old", true, error(kCannotPullContainer, "timeout")};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.container_reports().back().reason, "CannotPullContainerError: timeout");
}

TEST(Step, AFailedPullStopsTheTaskWhenOnlyAFreshImageWillDo) {
    for (const auto behavior : {PullBehavior::Always, PullBehavior::Once}) {
        Bench b(task_of({container("app")}));
        b.settings.pull_behavior = behavior;
        b.pull = [](const std::string& c) { return ImagePulled{c, "", true, error(kCannotPullContainer, "denied")}; };
        b.start();
        EXPECT_EQ(b.task.known, TaskStatus::Stopped);
        EXPECT_THAT(b.container_reports(), SizeIs(1));
        EXPECT_EQ(b.container_reports()[0].reason, "CannotPullContainerError: denied");
        EXPECT_THAT(names_in<CreateContainer>(b.history), IsEmpty());
    }
}

TEST(Step, AFailedManifestIsRememberedButDoesNotStopTheDefaultBehaviour) {
    Bench b(task_of({container("app")}));
    b.manifest = [](const std::string& c) {
        return ManifestResolved{c, "", error(kCannotPullImageManifest, "no route")};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.container_reports().back().reason, "CannotPullImageManifestError: no route");
}

TEST(Step, AnUpfrontPullWithoutAnyImageStopsTheTaskOfAnEssentialContainer) {
    Bench b(task_of({container("app")}));
    b.settings.pull_dependents_upfront = true;
    b.pull = [](const std::string& c) { return ImagePulled{c, "", true, error(kCannotPullContainer, "gone")}; };
    b.start();
    EXPECT_EQ(b.task_reports().back().reason, "CannotPullContainerError: gone");
}

TEST(Step, StampsTheFirstPullStartAndTheLastPullEnd) {
    Bench b(task_of({container("a"), container("b")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{});
    b.hear(ManifestResolved{"a", "", {}}).hear(ManifestResolved{"b", "", {}});
    b.hear(PullBegan{"a"});
    b.now = later(std::chrono::seconds(1));
    b.hear(PullBegan{"b"}).hear(ImagePulled{"a", "i", true, {}});
    b.now = later(std::chrono::seconds(2));
    b.hear(ImagePulled{"b", "i", true, {}});
    EXPECT_EQ(b.task.pull_started_at, kNow.wall);
    EXPECT_EQ(b.task.pull_stopped_at, b.now.wall);
}

TEST(Step, AFailedCreateStopsTheContainerWithTheError) {
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

TEST(Step, AFailedStartStopsTheContainerWithoutACallToTheRuntime) {
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

TEST(Step, AStartThatMayHaveHappenedIsStoppedForReal) {
    Bench b(task_of({container("slow")}));
    b.launch = [](const std::string& c) {
        return ContainerStarted{c, {}, docker_timeout("started", std::chrono::minutes(3))};
    };
    b.start();
    EXPECT_THAT(names_in<StopContainer>(b.history), ElementsAre("slow"));
    EXPECT_EQ(b.container_reports().back().reason,
              "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s");
}

TEST(Step, AContainerThatRunsInSpiteOfAStartErrorIsStopped) {
    Bench b(task_of({container("app")}));
    b.launch = [](const std::string& c) { return ContainerStarted{c, running(c), error(kCannotStartContainer, "hm")}; };
    b.start();
    EXPECT_THAT(names_in<StopContainer>(b.history), ElementsAre("app"));
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
}

TEST(Step, AStopWhileThePullIsInFlightDoesNotWaitForIt) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    ASSERT_THAT(names_in<PullImage>(b.last), ElementsAre("app"));
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    b.hear(ImagePulled{"app", "i", true, {}});
    EXPECT_THAT(names_in<CreateContainer>(b.history), IsEmpty());
}

TEST(Step, AStopWhileTheStartIsInFlightWaitsForItsResult) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ImagePulled{"app", "i", false, {}}).hear(ContainerCreated{"app", "id-app", {}, {}});
    ASSERT_THAT(names_in<StartContainer>(b.last), ElementsAre("app"));
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b["app"].known, S::Created);
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("app"));
}

TEST(Step, AShortLivedContainerSeenBeforeItsStartReturnsIsNotRestarted) {
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

TEST(Step, AContainerThatComesBackAfterItsEndIsStoppedAgain) {
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

TEST(Step, AStopThatReturnsAfterTheExitWasHeardChangesNothing) {
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

TEST(Step, AStopThatTheRuntimeDidNotAnswerIsTriedAgain) {
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

TEST(Step, AContainerTheRuntimeCannotStopCountsAsStoppedWithTheError) {
    Bench b = running_task({container("app")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    b.hear(ContainerStopDone{"app", running("app"), error(kCannotStopContainer, "stuck")});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.container_reports().back().reason, "CannotStopContainerError: stuck");
}

TEST(Step, OutOfMemoryIsAnAnnotationOfTheEnd) {
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

TEST(Step, ARequestedStopIsNoOutOfMemoryEvenAfterAKilledChild) {
    Bench b = running_task({container("app")});
    b.hear(OutOfMemoryNoted{"app"}).run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.container_reports().back().exit_code, 137);
    EXPECT_EQ(b.container_reports().back().reason, "");
}

TEST(Step, TheRuntimesOwnErrorIsTheReason) {
    Bench b = running_task({container("app")});
    Observation end = exited("app", 128);
    end.runtime_error = "shim died";
    b.hear(ContainerObserved{"app", end});
    EXPECT_EQ(b.container_reports().back().reason, "DockerStateError: shim died");
}

TEST(Step, AVanishedContainerIsStoppedWithoutExitCode) {
    Bench b = running_task({container("app")});
    b.hear(ContainerVanished{"app"});
    EXPECT_EQ(b.container_reports().back().reason, "ContainerVanishedError: No container matching saved ID found");
    EXPECT_EQ(b.container_reports().back().exit_code, std::nullopt);
}

TEST(Step, RestartsByPolicyWithoutTellingECS) {
    Bench b = running_task({with_restarts(container("app"))});
    const std::size_t reports = b.container_reports().size();
    b.hear(ContainerObserved{"app", exited("app", 1)});
    EXPECT_THAT(names_in<StartContainer>(b.last), ElementsAre("app"));
    EXPECT_EQ(b["app"].known, S::Running);
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_EQ(b["app"].restarts.count, 1);
    EXPECT_EQ(b["app"].exit_code, std::nullopt);
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    EXPECT_THAT(b.container_reports(), SizeIs(reports));
}

TEST(Step, TheSameEndHeardTwiceRestartsOnce) {
    Bench b = running_task({with_restarts(container("app"))});
    Observation end = exited("app", 1);
    end.finished_at = kNow.wall;
    b.hear(ContainerObserved{"app", end}).hear(ContainerObserved{"app", end});
    b.hear(ContainerStarted{"app", running("app"), {}}).hear(ContainerObserved{"app", end});
    EXPECT_THAT(names_in<StartContainer>(b.history), SizeIs(2)) << "the first start and one restart";
    EXPECT_EQ(b["app"].known, S::Running);
}

TEST(Step, DoesNotRestartWhenThePolicySaysNo) {
    const auto stops_after = [](model::Container c, int code) {
        Bench b = running_task({std::move(c)});
        b.now = later(std::chrono::seconds(10));
        b.hear(ContainerObserved{"app", exited("app", code)});
        return b["app"].known == S::Stopped;
    };
    EXPECT_TRUE(stops_after(container("app"), 1));
    EXPECT_TRUE(stops_after(with_restarts(container("app"), 0, {1}), 1));
    EXPECT_TRUE(stops_after(with_restarts(container("app"), 60), 1)) << "it ran for 10 s of the 60 s";
    EXPECT_FALSE(stops_after(with_restarts(container("app"), 5), 1));
    EXPECT_FALSE(stops_after(with_restarts(container("app"), 0, {1}), 2));
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

TEST(Step, DoesNotRestartWhatEndedWhileTheAgentWasAway) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(Resumed{}).hear(ContainerObserved{"app", exited("app", 7), true});
    EXPECT_EQ(b["app"].known, S::Stopped);
    EXPECT_EQ(b.container_reports().back().exit_code, 7);
}

TEST(Step, AFailedRestartLetsTheFirstEndStand) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(ContainerObserved{"app", exited("app", 3)});
    b.hear(ContainerStarted{"app", {}, error(kCannotStartContainer, "no")});
    EXPECT_EQ(b["app"].known, S::Stopped);
    EXPECT_EQ(b.container_reports().back().exit_code, 3);
    EXPECT_EQ(b.container_reports().back().reason, "");
}

TEST(Step, AnEndDuringARestartIsLookedAtWhenTheStartReturns) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(ContainerObserved{"app", exited("app", 1)}).hear(ContainerObserved{"app", exited("app", 2)});
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_THAT(all_of<InspectContainers>(b.last), SizeIs(1));
}

TEST(Step, PortsAreChosenAndKeptBeforeTheCreateThatUsesThem) {
    model::Container web = container("web");
    web.port_mappings.push_back({.container_port = 80, .host_port = 0, .protocol = {}, .container_port_range = {}});
    Bench b(task_of({web}));
    b.hear(Resumed{})
        .hear(HostResourcesGranted{})
        .hear(ManifestResolved{"web", "", {}})
        .hear(ImagePulled{"web", "i", false, {}});
    EXPECT_THAT(names_in<AssignPorts>(b.last), ElementsAre("web"));
    EXPECT_THAT(names_in<CreateContainer>(b.last), IsEmpty());
    const PortsAssigned assigned{"web", {{80, 49153, "tcp", 0}}, {}};
    b.hear(assigned);
    EXPECT_THAT(names_in<CreateContainer>(b.last), ElementsAre("web"));
    b.hear(assigned);  // heard twice
    EXPECT_THAT(names_in<CreateContainer>(b.last), IsEmpty());
    b.hear(Resumed{});  // the agent was restarted before the create returned
    EXPECT_THAT(names_in<AssignPorts>(b.last), IsEmpty());
    EXPECT_THAT(names_in<CreateContainer>(b.last), ElementsAre("web"));
}

TEST(Step, NoFreePortIsAHostConfigError) {
    model::Container web = container("web");
    web.port_mappings.push_back({.container_port = 80, .host_port = 0, .protocol = {}, .container_port_range = {}});
    Bench b(task_of({web}));
    b.hear(Resumed{})
        .hear(HostResourcesGranted{})
        .hear(ManifestResolved{"web", "", {}})
        .hear(ImagePulled{"web", "i", false, {}});
    b.hear(
        PortsAssigned{"web", {}, error(kHostConfig, "error retrieving docker port map: a host port is unavailable")});
    EXPECT_EQ(b.container_reports().back().reason,
              "HostConfigError: error retrieving docker port map: a host port is unavailable");
}

TEST(Step, WaitsForTheCgroupBeforePulling) {
    Bench b(*accepted(payload_of({container("app")}), {.task_limits = true}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    EXPECT_THAT(names_in<PullImage>(b.history), IsEmpty());
    b.hear(ResourceSettled{
        .name = std::string(kCgroupResource), .status = ResourceStatus::Created, .error = {}, .stop_reason = {}});
    EXPECT_THAT(names_in<PullImage>(b.last), ElementsAre("app"));
}

TEST(Step, AFailedResourceStopsTheTaskWithItsReason) {
    Bench b(*accepted(payload_of({container("app")}), {.task_limits = true}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ResourceSettled{.name = std::string(kCgroupResource),
                           .error = error("CgroupError", "x"),
                           .stop_reason = std::string(kCgroupFailed)});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.task_reports().back().reason, "CgroupError: Agent could not create task's platform resources");
}

TEST(Step, AMissingSharedVolumeRefusesTheTaskBeforeItTakesPartInAnything) {
    model::Container app = container("app");
    app.mount_points.push_back({"absent", "/v", false});
    model::Task payload = payload_of({app});
    payload.volumes.push_back(
        {.name = "absent",
         .type = "docker",
         .host = {},
         .docker =
             model::DockerVolume{
                 .scope = "shared", .autoprovision = false, .driver = {}, .driver_opts = {}, .labels = {}},
         .efs = {}});
    Bench b(*accepted(payload));
    b.hear(Resumed{});
    EXPECT_THAT(all_of<AcquireHostResources>(b.last), IsEmpty());
    b.hear(ResourceSettled{.name = "absent",
                           .error = error("CannotInspectVolumeError", "x"),
                           .stop_reason = "resource cannot be initialized",
                           .rejects_task = true});
    ASSERT_THAT(b.task_reports(), SizeIs(1));
    EXPECT_EQ(b.task_reports()[0].reason, "resource cannot be initialized");
    EXPECT_FALSE(b.task_reports()[0].execution_stopped_at);
    EXPECT_THAT(b.container_reports(), IsEmpty());
}

TEST(Step, WaitsForExecutionCredentialsAfterARestart) {
    model::Container app = container("app");
    app.registry_authentication = model::RegistryAuthentication{"ecr", model::EcrAuthData{"", "r", "1", true}, {}};
    model::Task payload = payload_of({app});
    payload.execution_role_credentials = model::RoleCredentials{};
    payload.execution_role_credentials->credentials_id = "exec";
    Bench b(*accepted(payload));
    b.task.execution_credentials_known = false;  // as decoded from the store
    b.hear(Resumed{}).hear(HostResourcesGranted{});
    EXPECT_THAT(names_in<ResolveManifest>(b.history), IsEmpty());
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    b.hear(ExecutionCredentialsArrived{});
    EXPECT_THAT(names_in<ResolveManifest>(b.last), ElementsAre("app"));
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

TEST(Step, TheWaitForCleanupIsAsLongWhenTheClockIsSetBack) {
    Bench b = running_task({container("app")});
    b.run(DesiredChanged{TaskStatus::Stopped});
    b.hear(SentAcknowledged{{.task_arn = kArn, .task_status = TaskStatus::Stopped, .containers = {}}});
    b.now = later(std::chrono::hours(3));
    b.now.wall -= std::chrono::hours(1);
    b.hear(Woken{});
    EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1));
}

TEST(Step, ATaskThatEndedInTheFutureIsCleanedUpAfterOneWait) {
    Bench b = running_task({container("app")});
    b.run(DesiredChanged{TaskStatus::Stopped});
    b.hear(SentAcknowledged{{.task_arn = kArn, .task_status = TaskStatus::Stopped, .containers = {}}});
    b.task.resumed = false;  // the agent starts again, on a clock that was set back by a day
    b.now.wall -= std::chrono::hours(24);
    b.hear(Resumed{}).hear(Resumed{});
    b.now.steady += std::chrono::hours(3);
    b.now.wall += std::chrono::hours(3);
    b.hear(Woken{});
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
