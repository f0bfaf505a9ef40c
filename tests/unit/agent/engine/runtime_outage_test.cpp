// The runtime goes away, comes late, or forgets to say something; the agent restarts. Observed state always wins.

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RuntimeOutageTest : public EngineFixture {};

TEST_F(RuntimeOutageTest, TasksWaitForADaemonThatComesLater) {
    backend.go_away();
    start();
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    live_through(5min);
    EXPECT_TRUE(sink.tasks.empty());
    EXPECT_THAT(snapshots.current()->tasks.at(kArn)->waiting_for, HasSubstr("container runtime"));
    backend.come_back();
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(RuntimeOutageTest, ACreateThatMeetsAnAbsentDaemonIsAskedAgain) {
    start();
    backend.on("create").block();
    accept({task(kArn, {container("app")})});
    settle();
    backend.go_away();
    backend.release("create");
    live_through(1min);
    EXPECT_TRUE(sink.tasks.empty());
    backend.come_back();
    live_through(30s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(RuntimeOutageTest, AVolumeThatMeetsAnAbsentDaemonIsAskedForAgain) {
    start();
    backend.on("create_volume").fail({.kind = ErrorKind::Unavailable, .what = "Is the docker daemon running?"}, 2);
    model::Task with_volume = task(kArn, {container("app")});
    model::Volume volume;
    volume.name = "data";
    volume.type = "docker";
    volume.docker = model::DockerVolume{};
    volume.docker->scope = "task";
    with_volume.volumes.push_back(std::move(volume));
    accept({with_volume});
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(RuntimeOutageTest, APullThatTheDaemonsRestartCutsOffIsMadeAgain) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1");
    start();
    backend.on("pull").block();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    for (int restarts = 0; restarts < 5; ++restarts) {
        backend.go_away();
        backend.release("pull");
        live_through(20min);
        backend.on("pull").block();
        backend.come_back();
        live_through(30s);
    }
    backend.release("pull");
    live_through(30s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_FALSE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(RuntimeOutageTest, ADaemonThatIsAwayLongerThanAManifestMayTakeFailsNoTask) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1", "sha256:abc");
    start();
    backend.on("resolve_digest").block();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    backend.go_away();
    backend.release("resolve_digest");
    live_through(10min);
    EXPECT_TRUE(sink.tasks.empty());
    backend.come_back();
    live_through(30s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    ASSERT_NE(sink.container(kArn, "app", ContainerStatus::ManifestPulled), nullptr);
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::ManifestPulled)->image_digest, "sha256:abc");
}

TEST_F(RuntimeOutageTest, WhatTheDaemonsRestartCutOffCountsAgainstNoTimeLimit) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    config.manifest_pull_timeout = 1min;
    backend.offer_image("web:1", "sha256:abc");
    start();
    backend.on("resolve_digest").block();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    for (int restarts = 0; restarts < 3; ++restarts) {
        live_through(50s);
        backend.go_away();
        backend.release("resolve_digest");
        live_through(5s);
        backend.on("resolve_digest").block();
        backend.come_back();
        live_through(5s);
    }
    backend.release("resolve_digest");
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    ASSERT_NE(sink.container(kArn, "app", ContainerStatus::ManifestPulled), nullptr);
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::ManifestPulled)->image_digest, "sha256:abc");
}

TEST_F(RuntimeOutageTest, AnEndOfTheDaemonThatItExplainsItselfIsNoFailureOfTheRegistry) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1");
    start();
    backend.on("pull").fail({.kind = ErrorKind::Internal, .what = "context canceled"}, 5).block();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    for (int restarts = 0; restarts < 5; ++restarts) {
        backend.break_stream();
        backend.release("pull");
        settle();
        backend.on("pull").block();
        live_through(10s);
    }
    backend.release("pull");
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(RuntimeOutageTest, ADaemonThatDiesOfEveryPullFailsTheTaskInTheEnd) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    start();
    backend.offer_image("web:1");
    backend.on("pull").fail({.kind = ErrorKind::Unavailable, .what = "the connection to the Docker daemon broke"});
    backend.on("ping").fail({.kind = ErrorKind::Unavailable, .what = "connection refused"});
    accept({task(kArn, {container("app", "web:1")})});
    live_through(10min);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(reason(kArn, "app"), HasSubstr("CannotPullContainerError"));
}

TEST_F(RuntimeOutageTest, AnImageThatCannotBeLookedAtForAMomentNeedsNoPull) {
    start();
    backend.on("inspect_image").fail({.kind = ErrorKind::Unavailable, .what = "Is the docker daemon running?"}, 3);
    accept({task(kArn, {container("app")})});
    live_through(30s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_EQ(backend.calls("pull"), 0);
}

TEST_F(RuntimeOutageTest, AContainerThatCannotBeLookedAtAfterItsStartIsLookedAtAgain) {
    start();
    backend.on("inspect").fail({.kind = ErrorKind::Unavailable, .what = "Is the docker daemon running?"}, 2);
    accept({task(kArn, {container("app")})});
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_FALSE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(RuntimeOutageTest, CleaningUpWaitsForADaemonThatGoesAwayMeanwhile) {
    config.task_cleanup_wait = 1min;
    start();
    accept({task(kArn, {container("app")})});
    live_through(5s);
    backend.on("remove").fail({.kind = ErrorKind::Unavailable, .what = "Is the docker daemon running?"}, 2);
    backend.exit("app", 0);
    live_through(2min);
    EXPECT_TRUE(backend.containers.empty()) << "a container was left behind for ever";
    EXPECT_TRUE(engine->tasks().empty());
}

TEST_F(RuntimeOutageTest, TheRecordOfAnEndedTaskGoesOnceTheDiskHasRoomAgain) {
    config.task_cleanup_wait = 1min;
    start();
    accept({task(kArn, {container("app")})});
    backend.exit("app", 0);
    live_through(50s);
    ASSERT_NE(stored_task(kArn), "");
    store.failures = 2;
    live_through(1min);
    EXPECT_EQ(stored_task(kArn), "");
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_TRUE(store_failures.empty());
}

TEST_F(RuntimeOutageTest, AnExitDuringABreakOfTheEventStreamIsFound) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.break_stream();
    backend.exit("app", 9);
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::Stopped)->exit_code, 9);
}

TEST_F(RuntimeOutageTest, AContainerTakenAwayBehindTheAgentsBackIsNoticed) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.break_stream();
    backend.containers.clear();
    live_through(2min);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(reason(kArn, "app"), HasSubstr("ContainerVanishedError"));
}

TEST_F(RuntimeOutageTest, ARestartedAgentAdoptsWhatRunsAndReportsNothingTwice) {
    start();
    accept({task(kArn, {container("app")})});
    live_through(5s);
    const std::size_t reports = sink.tasks.size();
    restart();
    live_through(5s);
    EXPECT_EQ(sink.tasks.size(), reports);
    EXPECT_EQ(backend.calls("create"), 1);
    EXPECT_EQ(backend.calls("start"), 1);
    EXPECT_EQ(snapshots.current()->tasks.at(kArn)->known, TaskStatus::Running);
    backend.exit("app", 0);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(RuntimeOutageTest, ARestartedAgentReportsWhatEndedMeanwhile) {
    start();
    accept({task(kArn, {container("app")})});
    live_through(5s);
    stop();
    backend.exit("app", 4);
    start();
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::Stopped)->exit_code, 4);
}

TEST_F(RuntimeOutageTest, AJobThatRanToItsEndIsNotRunAgainBecauseItCouldNotBeLookedAtOnce) {
    start();
    backend.on("start").block();
    accept({task(kArn, {container("app")})});
    settle();
    store.failures = -1;  // killed: what stop() would have saved is lost
    stop();
    store.failures = 0;
    backend.release("start");
    const std::string id = backend.find("app")->view.id;
    run(backend.start(id, 1s));
    backend.exit("app", 0);
    const int starts = backend.calls("start");
    backend.on("inspect").fail({.kind = ErrorKind::Timeout, .what = "busy"}, 1);
    start();
    live_through(10s);
    EXPECT_EQ(backend.calls("start"), starts);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::Stopped)->exit_code, 0);
}

TEST_F(RuntimeOutageTest, AContainerCreatedBeforeItsIdWasSavedIsFoundByItsName) {
    start();
    backend.on("start").block();
    accept({task(kArn, {container("app")})});
    settle();
    const std::string saved = stored_task(kArn);
    EXPECT_THAT(saved, Not(HasSubstr(backend.find("app")->view.id)));
    // killed: what stop() would have saved is lost
    store.failures = -1;
    stop();
    store.failures = 0;
    backend.release("start");
    start();
    live_through(5s);
    EXPECT_EQ(backend.containers.size(), 1U);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(RuntimeOutageTest, AStoppedStateThatEcsHasNotAcknowledgedIsReportedAgainAfterARestart) {
    start();
    accept({task(kArn, {container("app")})});
    live_through(5s);
    answering = false;
    backend.exit("app", 0);
    settle();
    sink.tasks.clear();
    restart();
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(RuntimeOutageTest, ADamagedSavedTaskIsSetAsideAndTheOthersGoOn) {
    start();
    accept({task(arn_of(1), {container("a")}), task(arn_of(2), {container("b")})});
    live_through(5s);
    stop();
    run(store.put(Shelf::Tasks, arn_of(1), "{\"half\":"));
    start();
    settle();
    ASSERT_EQ(store.damaged.size(), 1U);
    EXPECT_THAT(store.damaged[0], HasSubstr(arn_of(1)));
    EXPECT_EQ(engine->tasks().size(), 2U) << "its containers are there, so it is made again from them";
}

TEST_F(RuntimeOutageTest, ARestoredTaskWaitsForTheRuntimeBeforeAnythingIsDecided) {
    start();
    accept({task(kArn, {container("app")})});
    live_through(5s);
    stop();
    backend.go_away();
    start();
    live_through(1min);
    EXPECT_TRUE(accept({task(kArn, {container("app")}, "STOPPED")}).handled);
    EXPECT_THAT(stored_task(kArn), HasSubstr("STOPPED"));
    EXPECT_EQ(backend.calls("stop"), 0);
    EXPECT_FALSE(reported(kArn, TaskStatus::Stopped));
    backend.come_back();
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(RuntimeOutageTest, ARuntimeIsSaidToBeAwayWhenItIsAndNotWhileTheFirstStreamIsOpened) {
    backend.on("watch").block();
    start();
    settle();
    EXPECT_TRUE(engine->runtime_answers()) << "who found it had its answer a moment ago";
    backend.release("watch");
    settle();
    EXPECT_TRUE(engine->runtime_answers());
    backend.go_away();
    live_through(1s);
    EXPECT_FALSE(engine->runtime_answers());
    backend.come_back();
    live_through(10s);
    EXPECT_TRUE(engine->runtime_answers());
}

TEST_F(RuntimeOutageTest, CapabilitiesAreThoseOfTheFirstAnswer) {
    backend.go_away();
    start();
    EXPECT_FALSE(try_run(engine->runtime_ready()).has_value());
    EXPECT_FALSE(engine->runtime_answers());
    backend.come_back();
    live_through(10s);
    EXPECT_EQ(run(engine->runtime_ready()).version, "20.10.24");
    EXPECT_TRUE(engine->runtime_answers());
}

}  // namespace
}  // namespace nodeagent::engine
