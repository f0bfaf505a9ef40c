#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/fake_containerd_world.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using std::chrono::seconds;

constexpr seconds kLimit{60};
const Error kGone{.kind = ErrorKind::Unavailable, .what = "connection refused"};

class ContainerdShard : public ::testing::Test {
  protected:
    std::string started(const std::string& word) {
        std::string id = world.put(word);
        const auto done = world.run(backend.start(id, kLimit));
        EXPECT_TRUE(done) << (done ? "" : done.error().what);
        return id;
    }
    ContainerView inspect(const std::string& id) {
        const auto view = world.run(backend.inspect(id));
        EXPECT_TRUE(view) << (view ? "" : view.error().what);
        return view ? *view : ContainerView{};
    }
    void await_taken_down(const std::string& id) {
        world.run_until_polled([&] { return !daemon.tasks().contains(id); });
    }
    /// The start had one already, of what might have been left.
    void await_deletion_of_task(const std::string& id) { world.await_calls("delete_task", id, 2); }
    fakes::FakeContainerdWorld world;
    fakes::FakeContainerd& daemon = *world.daemon;
    Backend& backend = world.backend();
};

TEST_F(ContainerdShard, AStopWhoseDaemonGoesAwaySaysSoAndCanBeAskedForAgain) {
    const std::string id = started("web");
    daemon.ignore_signals(id);
    const auto stop = fakes::begin(world, backend.stop(id, kLimit));
    world.await_calls("kill", id, 1);
    daemon.go_away();
    world.run_until([&] { return stop->result.has_value(); });
    EXPECT_EQ(stop->result->error().kind, ErrorKind::Unavailable);
    daemon.come_back();
    EXPECT_TRUE(world.run(backend.stop(id, seconds(0))));
    EXPECT_EQ(inspect(id).exit_code, 137);
}

TEST_F(ContainerdShard, AStartWhoseDaemonGoesAwayLeavesAContainerThatCanBeStarted) {
    for (const char* verb : {"create_task", "start"}) {
        const std::string id = world.put(verb);
        daemon.on(verb, id).fail(kGone, 1);
        const auto done = world.run(backend.start(id, kLimit));
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().kind, ErrorKind::Unavailable);
        EXPECT_EQ(inspect(id).phase, ContainerPhase::Created) << verb;
        EXPECT_TRUE(world.run(backend.start(id, kLimit)));
        EXPECT_EQ(inspect(id).phase, ContainerPhase::Running) << verb;
    }
}

TEST_F(ContainerdShard, AnEndBeforeAnybodyWaitedForItIsNotedAndItsTaskTakenDown) {
    const std::string id = started("web");
    daemon.go_away();
    daemon.exit(id, 3);
    daemon.come_back();
    Watching events(world);
    EXPECT_EQ(inspect(id).exit_code, 3);
    await_taken_down(id);
    EXPECT_EQ(inspect(id).exit_code, 3);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Stopped);
}

TEST_F(ContainerdShard, AnEndIsToldBeforeItsTaskIsTakenDown) {
    const std::string id = started("web");
    daemon.on("delete_task", id).block();
    daemon.exit(id, 4);
    await_deletion_of_task(id);
    EXPECT_EQ(inspect(id).exit_code, 4);
    daemon.release("delete_task", id);
    await_taken_down(id);
}

TEST_F(ContainerdShard, WhoLookedWhileAnEndWasNotedDoesNotWaitForTheTaskToBeTakenDown) {
    const std::string id = started("web");
    daemon.on("get_task", id).block(1);
    daemon.on("delete_task", id).block();
    const auto look = fakes::begin(world, backend.inspect(id));  // has read the record of one that runs
    world.await_calls("get_task", id, daemon.calls("get_task", id) + 1);
    daemon.exit(id, 4);
    await_deletion_of_task(id);
    daemon.release("get_task", id);
    world.run_until([&] { return look->result.has_value(); });
    EXPECT_EQ((*look->result)->exit_code, 4);
    daemon.release("delete_task", id);
    await_taken_down(id);
}

TEST_F(ContainerdShard, AnEndedContainerWhoseShimWaitsForItsLogIsNotOneThatWasNeverStarted) {
    const std::string id = started("web");
    const int deletions = daemon.calls("delete_task", id);
    daemon.on("delete_task", id).block();
    daemon.exit(id, 4);
    world.await_calls("delete_task", id, deletions + 1);
    daemon.silence(id);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Stopped);
    EXPECT_EQ(inspect(id).exit_code, 4);
    daemon.release("delete_task", id);
    await_taken_down(id);
}

TEST_F(ContainerdShard, ARunningContainerWhoseShimIsSlowRunsAndCanBeStopped) {
    const std::string id = started("web");
    daemon.silence(id);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
    const auto again = world.run(backend.start(id, kLimit));
    ASSERT_FALSE(again) << "nobody knows whether there is something to start";
    EXPECT_EQ(again.error().kind, ErrorKind::Timeout);
    EXPECT_TRUE(daemon.tasks().contains(id));
    const auto stop = fakes::begin(world, backend.stop(id, kLimit));
    world.await_calls("kill", id, 1);
    daemon.unsilence(id);
    world.run_until([&] { return stop->result.has_value(); });
    EXPECT_TRUE(*stop->result);
    EXPECT_EQ(inspect(id).exit_code, 143);
}

TEST_F(ContainerdShard, AContainerWhoseTaskIsGoneWasEndedByNobodyKnowsWhat) {
    const std::string id = started("web");
    daemon.go_away();
    daemon.exit(id, 0);
    daemon.come_back();
    ASSERT_TRUE(daemon.delete_task(id));
    const ContainerView view = inspect(id);
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_EQ(view.exit_code, 255);
    EXPECT_TRUE(view.finished_at);
}

TEST_F(ContainerdShard, TwoStopsAtOnceBothReturnWhenItHasEnded) {
    const std::string id = started("web");
    daemon.ignore_signals(id);
    const auto first = fakes::begin(world, backend.stop(id, kLimit));
    const auto second = fakes::begin(world, backend.stop(id, kLimit));
    world.await_calls("kill", id, 2);
    daemon.exit(id, 5);
    world.run_until([&] { return first->result && second->result; });
    EXPECT_TRUE(*first->result);
    EXPECT_TRUE(*second->result);
    EXPECT_EQ(inspect(id).exit_code, 5);
}

TEST_F(ContainerdShard, AStopWithoutGraceIsNotHeldUpByOneThatHasIt) {
    const std::string id = started("web");
    daemon.ignore_signals(id);
    const auto patient = fakes::begin(world, backend.stop(id, kLimit));
    world.await_calls("kill", id, 1);
    EXPECT_TRUE(world.run(backend.stop(id, seconds(0))));
    world.run_until([&] { return patient->result.has_value(); });
    EXPECT_TRUE(*patient->result);
    EXPECT_EQ(inspect(id).exit_code, 137);
}

TEST_F(ContainerdShard, AStopWaitsForAStartThatIsOnItsWay) {
    const std::string id = world.put("web");
    daemon.on("create_task", id).block();
    const auto start = fakes::begin(world, backend.start(id, kLimit));
    world.await_calls("create_task", id, 1);
    const auto stop = fakes::begin(world, backend.stop(id, kLimit));
    daemon.release("create_task", id);
    world.run_until([&] { return start->result && stop->result; });
    EXPECT_TRUE(*start->result);
    EXPECT_TRUE(*stop->result);
    EXPECT_EQ(inspect(id).exit_code, 143);
}

TEST_F(ContainerdShard, ARemovalWhileItsTaskIsTakenDownLeavesNothing) {
    const std::string id = started("web");
    daemon.on("delete_task", id).block();
    daemon.exit(id, 0);
    await_deletion_of_task(id);
    const auto removal = fakes::begin(world, backend.remove(id));
    daemon.release("delete_task", id);
    world.run_until([&] { return removal->result.has_value(); });
    EXPECT_TRUE(*removal->result);
    EXPECT_TRUE(daemon.tasks().empty());
    EXPECT_TRUE(daemon.containers().empty());
    EXPECT_TRUE(daemon.snapshots().empty());
    EXPECT_FALSE(std::filesystem::exists(world.options().data_dir + "/containers/" + id));
    EXPECT_FALSE(std::filesystem::exists(world.options().run_dir + "/" + id));
}

TEST_F(ContainerdShard, AnEndThatIsToldDuringTheNextRunEndsNothingOfThatRun) {
    const std::string id = started("web");
    daemon.hold_back_ends(true);
    daemon.exit(id, 1);
    EXPECT_TRUE(world.run(backend.start(id, kLimit)));
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
    const int waits = daemon.calls("wait", id);
    daemon.hold_back_ends(false);
    // told, it is found to run, and its next end is waited for
    world.await_calls("wait", id, waits + 1);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
    EXPECT_FALSE(inspect(id).exit_code);
    daemon.exit(id, 2);
    await_taken_down(id);
    EXPECT_EQ(inspect(id).exit_code, 2);
}

TEST_F(ContainerdShard, ACreationWhoseAnswerWasLostIsFoundByTheNext) {
    ContainerSpec spec = world.spec(world.name("web"), BackendWorld::Program::RunsUntilStopped);
    spec.config["Labels"][world.label()] = "1";
    daemon.on("create_container").lose_answer();
    const std::string id = world.put("web");
    const auto found = world.run(backend.create(spec, kLimit));
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(*found, id);
    EXPECT_EQ(daemon.containers().size(), 1U);
    EXPECT_EQ(daemon.calls("create_container"), 1);
}

TEST_F(ContainerdShard, AStartWhoseAnswerWasLostStartsOneProcess) {
    for (const char* verb : {"create_task", "start"}) {
        const std::string id = world.put(verb);
        daemon.on(verb, id).lose_answer();
        const auto lost = world.run(backend.start(id, kLimit));
        ASSERT_FALSE(lost);
        EXPECT_EQ(lost.error().kind, ErrorKind::Unavailable);
        const auto again = world.run(backend.start(id, kLimit));
        EXPECT_TRUE(again) << (again ? "" : again.error().what);
        EXPECT_EQ(inspect(id).phase, ContainerPhase::Running) << verb;
        daemon.exit(id, 3);
        await_taken_down(id);
        EXPECT_EQ(inspect(id).exit_code, 3) << verb;
    }
}

TEST_F(ContainerdShard, ADeletionOfATaskThatBrokeOffLeavesNoShimOnceTheContainerIsRemoved) {
    const std::string id = started("web");
    daemon.on("delete_task", id).lose_answer();
    daemon.exit(id, 0);
    await_taken_down(id);
    EXPECT_TRUE(world.run(backend.remove(id)));
    EXPECT_THAT(daemon.shims(), ::testing::IsEmpty());
}

TEST_F(ContainerdShard, ADeletionOfATaskThatBrokeOffIsEndedWhenTheDaemonIsConnectedAnew) {
    const std::string id = started("web");
    daemon.on("delete_task", id).lose_answer();
    daemon.exit(id, 3);
    await_taken_down(id);
    Watching events(world);
    world.run_until_polled([&] { return daemon.shims().empty(); });
    EXPECT_EQ(inspect(id).exit_code, 3);
}

TEST_F(ContainerdShard, AContainerWhoseDeletionBrokeOffStartsAgain) {
    const std::string id = started("web");
    daemon.on("delete_task", id).lose_answer();
    daemon.exit(id, 3);
    await_taken_down(id);
    const auto again = world.run(backend.start(id, kLimit));
    EXPECT_TRUE(again) << (again ? "" : again.error().what);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
}

TEST_F(ContainerdShard, FoldersOfAContainerThatIsCreatedWhileTheHostIsLookedOverStay) {
    const std::string stray = world.options().data_dir + "/containers/stray";
    std::filesystem::create_directories(stray);
    daemon.on("list_tasks").block();
    const auto stream = fakes::begin(world, backend.start(world.put("before"), kLimit));
    world.run_until([&] { return stream->result.has_value(); });
    bool connected = false;
    asio::cancellation_signal cancel;
    bool over = false;
    auto watch = backend.watch([&connected] { connected = true; }, [](const RuntimeEvent&) {});
    asio::co_spawn(
        world.io, std::move(watch),
        asio::bind_cancellation_slot(cancel.slot(), [&over](std::exception_ptr, const Error&) { over = true; }));
    world.run_until_polled([&] { return daemon.calls("list_tasks") == 1; });
    const std::string id = started("meanwhile");
    daemon.release("list_tasks");
    world.run_until([&] { return connected; });
    EXPECT_TRUE(std::filesystem::exists(world.options().data_dir + "/containers/" + id));
    EXPECT_TRUE(std::filesystem::exists(world.options().run_dir + "/" + id));
    EXPECT_FALSE(std::filesystem::exists(stray));
    cancel.emit(asio::cancellation_type::terminal);
    world.run_until([&] { return over; });
}

TEST_F(ContainerdShard, MayBeClosedWhileAContainerIsStarted) {
    const std::string id = world.put("web");
    daemon.on("create_task", id).block();
    const auto start = fakes::begin(world, backend.start(id, kLimit));
    world.await_calls("create_task", id, 1);
    world.close();
    daemon.release("create_task", id);
    world.run_until([&] { return start->result.has_value(); });
    EXPECT_TRUE(*start->result);
    EXPECT_EQ(daemon.tasks().at(id).processes.at("").status, TaskStatus::Running);
}

TEST_F(ContainerdShard, AMemoryEventOfAnEarlierRunSaysNothingOfTheNext) {
    Watching events(world);
    const std::string id = started("web");
    daemon.exit(id, 0);
    await_taken_down(id);
    daemon.emit({.topic = "/tasks/oom", .container_id = id, .exec_id = {}});
    events.wait_for(id, RuntimeEvent::Kind::Oom);
    EXPECT_TRUE(world.run(backend.start(id, kLimit)));
    daemon.exit(id, 1);
    await_taken_down(id);
    EXPECT_FALSE(inspect(id).oom_killed);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
