#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class TaskEngineTest : public EngineFixture {};

TEST_F(TaskEngineTest, LaunchesATaskAndReportsItRunning) {
    start();
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    const auto* change = sink.container(kArn, "app", ContainerStatus::Running);
    ASSERT_NE(change, nullptr);
    EXPECT_EQ(change->runtime_id, backend.find("app")->view.id);
}

TEST_F(TaskEngineTest, LaunchCostsOneInspectAndFewSaves) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    live_through(5s);
    EXPECT_EQ(backend.calls("inspect"), 1);
    EXPECT_LE(store.commits, 6);
}

TEST_F(TaskEngineTest, ReportsNothingThatIsNotDurable) {
    start();
    backend.on("start").block();
    accept({task(kArn, {container("app")})});
    store.failures = -1;
    backend.release("start");
    settle();
    live_through(1s);
    EXPECT_EQ(backend.find("app")->view.phase, runtime::ContainerPhase::Running);
    EXPECT_FALSE(reported(kArn, TaskStatus::Running));
    store.failures = 0;
    live_through(10s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(TaskEngineTest, SaysOnceThatStateCannotBeSaved) {
    start();
    backend.on("create").block();
    accept({task(arn_of(1), {container("a")}), task(arn_of(2), {container("b")})});
    settle();
    store.failures = -1;
    backend.release("create");
    settle();
    live_through(1min);
    ASSERT_EQ(store_failures.size(), 1U);
    EXPECT_THAT(store_failures[0], HasSubstr("disk is full"));
}

TEST_F(TaskEngineTest, ATaskThatCannotBeSavedIsNeitherAcknowledgedNorStarted) {
    start();
    settle();
    store.failures = 1;
    EXPECT_FALSE(accept({task(kArn, {container("app")})}).handled);
    settle();
    EXPECT_EQ(backend.calls("create"), 0);
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(TaskEngineTest, ReportsTheNamedErrorWhenThePullIsDenied) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.on("pull").fail({.kind = ErrorKind::Denied, .what = "no basic auth credentials"});
    start();
    accept({task(kArn, {container("app", "private:1")})});
    live_through(2min);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(backend.calls("create"), 0);
}

TEST_F(TaskEngineTest, TriesAPullFiveTimesAndGoesOnWithTheCachedImage) {
    config.image_pull_behavior = config::ImagePullBehavior::Default;
    backend.on("pull").fail({.kind = ErrorKind::Unavailable, .what = "registry is down"});
    backend.on("resolve_digest").fail({.kind = ErrorKind::Unavailable, .what = "registry is down"});
    start();
    accept({task(kArn, {container("app")})});
    live_through(2min);
    EXPECT_EQ(backend.calls("resolve_digest"), 9);
    EXPECT_EQ(backend.calls("pull"), 5);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    const auto* change = sink.container(kArn, "app", ContainerStatus::Running);
    ASSERT_NE(change, nullptr);
    EXPECT_THAT(change->reason, StartsWith("CannotPullImageManifestError: "));
}

TEST_F(TaskEngineTest, PullsByTheResolvedDigestAndReportsIt) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1", "sha256:abc");
    start();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    EXPECT_EQ(backend.calls("pull", "web@sha256:abc"), 1);
    EXPECT_EQ(backend.calls("tag", "web:1"), 1);
    const auto* change = sink.container(kArn, "app", ContainerStatus::ManifestPulled);
    ASSERT_NE(change, nullptr);
    EXPECT_EQ(change->image_digest, "sha256:abc");
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(TaskEngineTest, PullsAnImageOnceForAllTasksThatWantItAtTheSameTime) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1");
    backend.on("pull").block();
    start();
    accept({task(arn_of(1), {container("a", "web:1")}), task(arn_of(2), {container("b", "web:1")})});
    settle();
    backend.release("pull");
    settle();
    EXPECT_EQ(backend.calls("pull"), 1);
    EXPECT_TRUE(reported(arn_of(1), TaskStatus::Running));
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(TaskEngineTest, OncePullsAnImageASingleTimeAlsoAcrossARestart) {
    config.image_pull_behavior = config::ImagePullBehavior::Once;
    backend.offer_image("web:1");
    start();
    accept({task(arn_of(1), {container("a", "web:1")})});
    live_through(5s);
    EXPECT_EQ(backend.calls("pull"), 1);
    restart();
    accept({task(arn_of(2), {container("b", "web:1")})});
    settle();
    EXPECT_EQ(backend.calls("pull"), 1);
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(TaskEngineTest, MissingRegistryCredentialsFailByTheirName) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    registry_auth.failure = core::NamedError{.name = "CannotPullECRContainerError", .message = "no credentials"};
    start();
    accept({task(kArn, {container("app", "ecr:1")})});
    live_through(1min);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(backend.calls("pull"), 0);
}

TEST_F(TaskEngineTest, ACreateErrorReachesEcsInTheRuntimesWords) {
    backend.on("create").fail({.kind = ErrorKind::Malformed, .what = "invalid mount config"});
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_EQ(reason(kArn, "app"), "CannotCreateContainerError: invalid mount config");
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(TaskEngineTest, AStartThatTimesOutNamesItsLimitAndStopsTheContainer) {
    backend.on("start").fail({.kind = ErrorKind::Timeout, .what = "timed out"}, 1);
    start();
    accept({task(kArn, {container("app")})});
    live_through(10s);
    EXPECT_EQ(reason(kArn, "app"), "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s");
    EXPECT_EQ(backend.calls("stop"), 1);
}

TEST_F(TaskEngineTest, AnEssentialContainersExitStopsTheOthersAndTheTask) {
    start();
    accept({task(kArn, {container("app"), container("log", "busybox:latest", false)})});
    settle();
    backend.exit("app", 3);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::Stopped)->exit_code, 3);
    EXPECT_EQ(sink.container(kArn, "log", ContainerStatus::Stopped)->exit_code, 137);
}

TEST_F(TaskEngineTest, AContainerThatEndsAtOnceIsReportedWithItsExitCode) {
    backend.exits_when_started("app", 42);
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.container(kArn, "app", ContainerStatus::Stopped)->exit_code, 42);
}

TEST_F(TaskEngineTest, OutOfMemoryBecomesTheReason) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.exit("app", 137, true);
    settle();
    EXPECT_EQ(reason(kArn, "app"), "OutOfMemoryError: Container killed due to memory usage");
}

TEST_F(TaskEngineTest, StopsWithTheGraceOfTheContainer) {
    model::Container slow = container("app");
    slow.stop_timeout = 7;
    start();
    accept({task(kArn, {slow})});
    settle();
    EXPECT_TRUE(accept({task(kArn, {slow}, "STOPPED")}).handled);
    settle();
    EXPECT_EQ(backend.graces["app"], 7s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(TaskEngineTest, AStopIsTriedFiveTimesBeforeItsErrorIsReported) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.on("stop").fail({.kind = ErrorKind::Internal, .what = "cannot kill container"});
    EXPECT_TRUE(run(engine->stop_task(kArn)));
    live_through(20s);
    EXPECT_EQ(backend.calls("stop"), 5);
    EXPECT_EQ(reason(kArn, "app"), "CannotStopContainerError: cannot kill container");
}

TEST_F(TaskEngineTest, StartsAContainerAfterTheOneItDependsOn) {
    model::Container web = container("web");
    web.depends_on = {{.container_name = "db", .condition = "START"}};
    backend.on("start").block();
    start();
    accept({task(kArn, {web, container("db")})});
    settle();
    EXPECT_EQ(backend.calls("start"), 1);
    EXPECT_THAT(backend.log().back().second, HasSubstr("-db-"));
    backend.release("start");
    settle();
    EXPECT_EQ(backend.calls("start"), 2);
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(TaskEngineTest, ADuplicatePayloadStartsNothingTwice) {
    start();
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    settle();
    EXPECT_EQ(backend.calls("create"), 1);
    EXPECT_EQ(engine->tasks().size(), 1U);
}

TEST_F(TaskEngineTest, DesiredStatusOnlyRises) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    accept({task(kArn, {container("app")}, "STOPPED")});
    EXPECT_TRUE(accept({task(kArn, {container("app")}, "RUNNING")}).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(TaskEngineTest, AnAcceptedStopIsDurableBeforeItIsAcknowledged) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.on("stop").block();
    EXPECT_TRUE(run(engine->stop_task(kArn)));
    EXPECT_THAT(stored_task(kArn), HasSubstr("STOPPED"));
    backend.release("stop");
}

TEST_F(TaskEngineTest, OneBadTaskSuppressesTheAcknowledgementButNotTheGoodOnes) {
    model::Container bad = container("bad");
    bad.port_mappings = {{.container_port = 80, .host_port = 0, .protocol = "sctp", .container_port_range = {}}};
    start();
    EXPECT_FALSE(accept({task(arn_of(1), {bad}), task(arn_of(2), {container("good")})}).handled);
    settle();
    ASSERT_TRUE(reported(arn_of(1), TaskStatus::Stopped));
    EXPECT_THAT(sink.task(arn_of(1), TaskStatus::Stopped)->reason,
                StartsWith("UnrecogniedTaskError: Error loading task - "));
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(TaskEngineTest, ANullTaskSuppressesTheAcknowledgement) {
    start();
    model::PayloadMessage message = payload({task(kArn, {container("app")})});
    message.tasks.push_back(nullptr);
    EXPECT_FALSE(run(engine->accept(std::move(message))).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(TaskEngineTest, AStopOfAnUnknownTaskIsReportedStopped) {
    start();
    EXPECT_TRUE(accept({task(kArn, {container("app")}, "STOPPED")}).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(backend.calls("create"), 0);
}

TEST_F(TaskEngineTest, CredentialsAreAcknowledgedServedAndNeverSaved) {
    model::Task with_role = task(kArn, {container("app")});
    with_role.role_credentials = model::RoleCredentials{.credentials_id = "c-1",
                                                        .role_arn = "arn:aws:iam::1:role/app",
                                                        .access_key_id = "AKIDEXAMPLE",
                                                        .secret_access_key = Secret("verysecret"),
                                                        .session_token = Secret("verytoken"),
                                                        .expiration = "2026-01-01T06:00:00Z",
                                                        .credential_scope = {}};
    start();
    const PayloadOutcome outcome = accept({with_role});
    ASSERT_EQ(outcome.credentials.size(), 1U);
    EXPECT_EQ(outcome.credentials[0].credentials_id, "c-1");
    EXPECT_EQ(outcome.credentials[0].expiration, "2026-01-01T06:00:00Z");
    ASSERT_NE(credentials.get("c-1"), nullptr);
    live_through(5s);
    for (const StoreChange& change : store.history) {
        EXPECT_THAT(change.text.value_or(""), Not(HasSubstr("very")));
        EXPECT_THAT(change.text.value_or(""), Not(HasSubstr("AKIDEXAMPLE")));
    }
}

TEST_F(TaskEngineTest, RefreshedCredentialsOfAnUnknownTaskAreKeptButNotAcknowledged) {
    start();
    model::RoleCredentials role;
    role.credentials_id = "c-9";
    EXPECT_FALSE(run(engine->refresh_credentials(kArn, false, role)));
    EXPECT_NE(credentials.get("c-9"), nullptr);
}

TEST_F(TaskEngineTest, ATaskWaitsForHostResourcesUntilAnotherEnds) {
    model::Task first = task(arn_of(1), {container("a")});
    first.cpu = 3;
    model::Task second = task(arn_of(2), {container("b")});
    second.cpu = 3;
    start();
    accept({first, second});
    settle();
    EXPECT_TRUE(reported(arn_of(1), TaskStatus::Running));
    EXPECT_FALSE(reported(arn_of(2), TaskStatus::Running));
    EXPECT_NE(snapshots.current()->tasks.at(arn_of(2))->waiting_for, "");
    backend.exit("a", 0);
    settle();
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
    EXPECT_EQ(snapshots.current()->tasks.at(arn_of(2))->waiting_for, "");
}

TEST_F(TaskEngineTest, AHundredTasksAtOnceAllRunAndAllEnd) {
    std::vector<model::Task> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(task(arn_of(i), {container("app" + std::to_string(i))}));
    start();
    EXPECT_TRUE(accept(std::move(tasks)).handled);
    settle();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(reported(arn_of(i), TaskStatus::Running)) << i;
    for (int i = 0; i < 100; ++i) backend.exit("app" + std::to_string(i), i);
    settle();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(reported(arn_of(i), TaskStatus::Stopped)) << i;
}

TEST_F(TaskEngineTest, TheSnapshotFindsContainersByDockerAndEndpointId) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    const auto snapshot = snapshots.current();
    const auto found = snapshot->by_docker_id.find(backend.find("app")->view.id);
    ASSERT_NE(found, snapshot->by_docker_id.end());
    EXPECT_EQ(found->second.container().name, "app");
    EXPECT_TRUE(snapshot->by_endpoint_id.contains(found->second.container().endpoint_id));
}

TEST_F(TaskEngineTest, StatusChangesAreKeptForIntrospection) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    std::vector<std::string> seen;
    for (const StatusChange& change : events.recent()) {
        if (change.container == "app") seen.push_back(change.what);
    }
    EXPECT_THAT(seen, testing::Contains("CREATED -> RUNNING"));
}

TEST_F(TaskEngineTest, AnAcknowledgedEndedTaskIsRemovedAfterTheWait) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.exit("app", 0);
    settle();
    live_through(11min);
    EXPECT_TRUE(backend.containers.empty());
    EXPECT_EQ(stored_task(kArn), "");
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_TRUE(snapshots.current()->tasks.empty());
}

TEST_F(TaskEngineTest, AnEndedTaskStaysUntilEcsHasHeardOfIt) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    answering = false;
    backend.exit("app", 0);
    live_through(1h);
    EXPECT_EQ(engine->tasks().size(), 1U);
    EXPECT_EQ(backend.containers.size(), 1U);
}

TEST_F(TaskEngineTest, AnUnusedImageIsRemovedOnceItIsOldEnough) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    backend.offer_image("web:1");
    start();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    live_through(2h);
    EXPECT_EQ(backend.calls("remove_image"), 0);
    backend.exit("app", 0);
    live_through(2h);
    EXPECT_GE(backend.calls("remove_image", "web:1"), 1);
}

}  // namespace
}  // namespace nodeagent::engine
