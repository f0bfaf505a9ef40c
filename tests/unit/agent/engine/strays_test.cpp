// Containers whose task the agent does not know: README "Containers that no task knows".

#include "engine_fixture.hpp"

#include <gmock/gmock.h>

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class StraysTest : public EngineFixture {
  protected:
    /// A task runs, the agent ends, and what it knew of the task is gone.
    void lose_a_running_task() {
        start();
        accept({task(kArn, {container("app")})});
        settle();
        stop();
        run(store.erase(Shelf::Tasks, kArn));
        sink.containers.clear();
        sink.tasks.clear();
    }
    /// A task was told to stop and reported stopped, but its container cannot be stopped, and clean-up was given up.
    void give_up_a_task() {
        start();
        accept({task(kArn, {container("app")})});
        settle();
        backend.on("stop").fail({.kind = ErrorKind::Internal, .what = "cannot kill container: permission denied"});
        accept({task(kArn, {container("app")}, "STOPPED")});
        live_through(6h);
        ASSERT_THAT(engine->tasks(), IsEmpty());
        ASSERT_TRUE(reported(kArn, TaskStatus::Stopped));
        ASSERT_EQ(backend.find("app")->view.phase, runtime::ContainerPhase::Running);
        sink.containers.clear();
        sink.tasks.clear();
    }
    [[nodiscard]] std::map<std::string, std::string> metadata() { return run(store.load())->metadata; }
    /// A running container that looks as if the agent had made it, but for these labels.
    std::string add_stray(std::map<std::string, std::string> labels) {
        fakes::FakeBackend::Container stray;
        stray.view.id = "stray";
        stray.view.name = "ecs-fam-7-stray";
        stray.view.phase = runtime::ContainerPhase::Running;
        stray.view.created_at = stray.view.started_at = clock.now().wall;
        stray.view.labels = {{"com.amazonaws.ecs.cluster", "prod"},
                             {"com.amazonaws.ecs.task-arn", kArn},
                             {"com.amazonaws.ecs.container-name", "app"},
                             {"com.amazonaws.ecs.task-definition-family", "fam"},
                             {"com.amazonaws.ecs.task-definition-version", "7"}};
        for (auto& [key, value] : labels) stray.view.labels[key] = value;
        backend.containers.emplace("stray", stray);
        return "stray";
    }
};

TEST_F(StraysTest, ATaskWhoseStateIsLostIsTakenUpAgainFromItsContainers) {
    lose_a_running_task();
    const std::string endpoint = [&] {
        for (const std::string& entry : backend.find("app")->view.env) {
            if (entry.starts_with("ECS_CONTAINER_METADATA_URI_V4=")) return entry.substr(entry.rfind('/') + 1);
        }
        return std::string();
    }();
    start();
    settle();
    ASSERT_TRUE(snapshots.current()->tasks.contains(kArn));
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_TRUE(snapshots.current()->by_endpoint_id.contains(endpoint)) << "its metadata URIs still answer";
    EXPECT_NE(stored_task(kArn), "");
    ASSERT_THAT(engine->tasks(), SizeIs(1));
    EXPECT_EQ(engine->tasks()[0].desired, TaskStatus::Running);

    backend.exit("app", 7);
    settle();
    const auto* end = sink.container(kArn, "app", ContainerStatus::Stopped);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->exit_code, 7);
    live_through(11min);
    EXPECT_THAT(backend.containers, IsEmpty());
    EXPECT_EQ(stored_task(kArn), "");
}

TEST_F(StraysTest, APayloadForATaskTakenUpAgainStartsNothingAndCanStopIt) {
    lose_a_running_task();
    start();
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    live_through(2min);
    EXPECT_EQ(backend.calls("create"), 1);
    accept({task(kArn, {container("app")}, "STOPPED")});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(StraysTest, APayloadThatComesBeforeTheFirstLookStartsNoSecondSet) {
    lose_a_running_task();
    backend.on("list").block();
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_EQ(backend.calls("create"), 1);
    backend.release("list");
    live_through(2min);
    EXPECT_EQ(backend.calls("create"), 1);
    EXPECT_THAT(backend.containers, SizeIs(1));
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(StraysTest, TheGpusOfATaskTakenUpAgainAreNotGivenToAnother) {
    totals.gpu_support = true;
    totals.gpus = {"GPU-1"};
    config.gpu_support = true;
    model::Task wants = task(kArn, {container("app")});
    wants.associations = {{.containers = {"app"}, .content = {}, .name = "GPU-1", .type = "gpu"}};
    start();
    accept({wants});
    settle();
    stop();
    run(store.erase(Shelf::Tasks, kArn));
    start();
    settle();
    wants.arn = arn_of(2);
    accept({wants});
    live_through(10s);
    EXPECT_FALSE(reported(arn_of(2), TaskStatus::Running));
    EXPECT_THAT(snapshots.current()->tasks.at(arn_of(2))->waiting_for, testing::HasSubstr("GPU GPU-1"));
}

TEST_F(StraysTest, ARecordThatCannotBeReadIsSetAsideAndItsTaskMadeAgain) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    stop();
    run(store.put(Shelf::Tasks, kArn, "{"));
    start();
    settle();
    EXPECT_THAT(store.damaged, SizeIs(1));
    EXPECT_TRUE(snapshots.current()->tasks.contains(kArn));
    EXPECT_EQ(backend.calls("create"), 1);
    restart();
    settle();
    EXPECT_THAT(store.damaged, SizeIs(1)) << "told once";
    EXPECT_TRUE(snapshots.current()->tasks.contains(kArn));
}

TEST_F(StraysTest, TheSecondContainerOfOnePlaceIsStoppedAndRemoved) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    const std::string stray = add_stray({});
    live_through(61s);
    EXPECT_FALSE(backend.containers.contains(stray));
    EXPECT_THAT(backend.containers, SizeIs(1));
    EXPECT_FALSE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(StraysTest, AnotherClustersContainersAreLeftAlone) {
    const std::string stray = add_stray({{"com.amazonaws.ecs.cluster", "test"}});
    start();
    live_through(3min);
    EXPECT_TRUE(backend.containers.contains(stray));
    EXPECT_EQ(backend.calls("stop"), 0);
    EXPECT_THAT(engine->tasks(), IsEmpty());
}

TEST_F(StraysTest, WhatAnotherMachineLeftIsRemovedAndNotReported) {
    lose_a_running_task();
    advance(1min);
    leftovers_before = clock.now().wall;
    start();
    settle();
    EXPECT_THAT(backend.containers, IsEmpty());
    EXPECT_THAT(engine->tasks(), IsEmpty());
    EXPECT_THAT(sink.tasks, IsEmpty());
}

TEST_F(StraysTest, WhatCannotBeRemovedOfAnotherMachinesTaskDoesNotKeepTheRest) {
    start();
    accept({task(kArn, {container("stuck"), container("app")})});
    settle();
    stop();
    run(store.erase(Shelf::Tasks, kArn));
    sink.tasks.clear();
    advance(1min);
    leftovers_before = clock.now().wall;
    const std::string stuck = backend.find("stuck")->view.id;
    backend.on("remove", backend.find("stuck")->view.name)
        .fail({.kind = ErrorKind::Internal, .what = "device or resource busy"}, 2);
    start();
    settle();
    ASSERT_THAT(backend.containers, SizeIs(1));
    EXPECT_TRUE(backend.containers.contains(stuck));
    live_through(3min);
    EXPECT_THAT(backend.containers, IsEmpty());
    EXPECT_THAT(sink.tasks, IsEmpty());
}

TEST_F(StraysTest, ATaskWhoseCleanUpWasGivenUpIsNotTakenUpAgainForWhatIsLeftOfIt) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    backend.on("remove").fail({.kind = ErrorKind::Internal, .what = "device or resource busy"});
    backend.exit("app", 0);
    live_through(6h);
    ASSERT_THAT(engine->tasks(), IsEmpty());
    EXPECT_EQ(stored_task(kArn), "");
    EXPECT_EQ(std::count_if(sink.tasks.begin(), sink.tasks.end(),
                            [](const auto& change) { return change.status == TaskStatus::Stopped; }),
              1)
        << "ECS heard its end once";
    const int tries = backend.calls("remove");
    live_through(5min);
    EXPECT_GE(backend.calls("remove"), tries + 4) << "it is tried again every minute";
    fakes::FakeBackend::Script& remove = backend.on("remove");
    remove = {};
    live_through(2min);
    EXPECT_THAT(backend.containers, IsEmpty());
    EXPECT_THAT(engine->tasks(), IsEmpty());
}

TEST_F(StraysTest, ATaskWhoseContainerCannotBeStoppedStaysStoppedForEcsAcrossARestart) {
    give_up_a_task();
    restart();
    live_through(3min);
    EXPECT_THAT(engine->tasks(), IsEmpty());
    EXPECT_THAT(sink.tasks, IsEmpty());
    EXPECT_THAT(sink.containers, IsEmpty());

    backend.on("stop") = {};
    live_through(2min);
    EXPECT_THAT(backend.containers, IsEmpty());
    EXPECT_THAT(sink.tasks, IsEmpty());
    EXPECT_THAT(metadata(), IsEmpty()) << "nothing of it is remembered for ever";
}

TEST_F(StraysTest, WhatAPersonRemovesOfAGivenUpTaskIsForgotten) {
    give_up_a_task();
    EXPECT_THAT(metadata(), SizeIs(1));
    backend.containers.clear();
    live_through(2min);
    EXPECT_THAT(metadata(), IsEmpty());
}

TEST_F(StraysTest, APayloadMakesAGivenUpTaskATaskLikeAnyOther) {
    give_up_a_task();
    store.failures = 1;
    EXPECT_FALSE(accept({task(kArn, {container("app")})}).handled);
    EXPECT_THAT(metadata(), SizeIs(1)) << "it was not taken";
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    EXPECT_THAT(metadata(), IsEmpty());
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(StraysTest, ATaskIsNotTakenUpByHalves) {
    lose_a_running_task();
    backend.on("inspect").fail({.kind = ErrorKind::Timeout, .what = "inspect took too long"}, 1);
    start();
    settle();
    EXPECT_THAT(engine->tasks(), IsEmpty());
    live_through(61s);
    EXPECT_THAT(engine->tasks(), SizeIs(1));
}

}  // namespace
}  // namespace nodeagent::engine
