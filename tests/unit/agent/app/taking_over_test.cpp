#include "agent/taking_over.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/saved_task.hpp"
#include "agent/saved_identity.hpp"
#include "tests/fakes/bolt_writer.hpp"
#include "tests/fakes/fake_backend.hpp"
#include "tests/fakes/flaky_store.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/reference_records.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kReferenceInstance = "arn:aws:ecs:us-west-2:1:container-instance/prod/1";
const std::string kRunningTask = "arn:aws:ecs:us-west-2:1:task/prod/0011";

core::Identity made_up() {
    core::Identity identity;
    identity.uuid = [] { return std::string("uuid"); };
    identity.container_name = [](const model::Task&, const std::string& container) { return "ecs-" + container; };
    identity.volume_name = identity.container_name;
    return identity;
}

/// The agent on machine i-1 in cluster prod, where the reference ran one task until now.
class TakingOverTest : public testing::Test {
  protected:
    TakingOverTest() {
        config.cluster = "prod";
        config.data_dir = directory.path();
        const auto container = fakes::reference_container(kRunningTask, "main", "RUNNING");
        fakes::add_task(root, fakes::reference_task(kRunningTask, "RUNNING", {container}),
                        {fakes::reference_docker_container("c0ffee", "ecs-it-1-main-ab", container)});
    }
    void write() { fakes::BoltWriter().write_to(database, root); }
    void keep(std::string_view key, std::string value) {
        asio::co_spawn(io, store.put(engine::Shelf::Metadata, std::string(key), std::move(value)),
                       [](const std::exception_ptr&, const Result<void>&) {});
        io.restart();
        io.run();
    }
    /// A start of the agent up to its state.
    OrEnding<engine::StoredState> open(bool docker = true) {
        std::optional<OrEnding<engine::StoredState>> opened;
        TakingOver taking_over({.config = config,
                                .store = store,
                                .pool = pool,
                                .backend = backend,
                                .docker = docker,
                                .identity = made_up()});
        SavedIdentity identity({.store = store,
                                .clock = clock,
                                .config = config,
                                .ec2_instance_id = [this] { return ask_machine(); },
                                .taking_over = &taking_over});
        asio::co_spawn(io, identity.open(), [&](const std::exception_ptr&, OrEnding<engine::StoredState> result) {
            opened.emplace(std::move(result));
        });
        io.restart();
        io.run();
        return *std::move(opened);
    }
    engine::StoredState stored() {
        engine::StoredState found;
        asio::co_spawn(io, store.load(), [&](const std::exception_ptr&, Result<engine::StoredState> result) {
            found = *std::move(result);
        });
        io.restart();
        io.run();
        return found;
    }
    std::string refusal(int code = kExitTerminal, bool docker = true) {
        const auto opened = open(docker);
        if (opened) return "it started";
        EXPECT_EQ(opened.error().exit_code, code);
        EXPECT_THAT(stored().metadata, IsEmpty()) << "nothing is taken over by halves";
        EXPECT_TRUE(std::filesystem::exists(database));
        return opened.error().why;
    }
    void add_reference_container(bool running) {
        runtime::ContainerView& view = backend.containers["reference"].view;
        view.id = "reference";
        view.name = "ecs-agent";
        view.image = "amazon/amazon-ecs-agent:latest";
        view.phase = running ? runtime::ContainerPhase::Running : runtime::ContainerPhase::Stopped;
    }
    asio::awaitable<Result<std::string>> ask_machine() { co_return machine; }

    fakes::TempDirectory directory;
    const std::string database = directory + "/agent.db";
    takeover::BoltBucket root = fakes::reference_database("prod", kReferenceInstance, "i-1");
    BlockingPool pool{1};
    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FlakyStore store;
    fakes::FakeBackend backend{clock};
    config::Config config;
    Result<std::string> machine = std::string("i-1");
};

TEST_F(TakingOverTest, WhatTheReferenceKnewIsDurableBeforeItsFileIsPutAway) {
    write();
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().why;
    EXPECT_EQ(opened->metadata_value(engine::kContainerInstanceArnKey), kReferenceInstance);
    ASSERT_TRUE(opened->tasks.contains(kRunningTask));
    EXPECT_EQ(stored().tasks, opened->tasks);
    EXPECT_EQ(stored().metadata_value(engine::kContainerInstanceArnKey), kReferenceInstance);
    EXPECT_FALSE(stored().metadata.contains(std::string(engine::kTakeoverPendingKey)));
    EXPECT_FALSE(std::filesystem::exists(database));
    EXPECT_TRUE(std::filesystem::exists(database + ".migrated"));
    EXPECT_EQ(core::decode_saved_task(opened->tasks.at(kRunningTask))->containers[0].runtime_id, "c0ffee");
}

TEST_F(TakingOverTest, AStoreThatDoesNotTakeItLeavesEverythingForTheNextStart) {
    write();
    store.failures = 1;
    EXPECT_THAT(refusal(kExitRecoverable), HasSubstr("save the state taken over"));
    EXPECT_TRUE(open()->tasks.contains(kRunningTask));
}

TEST_F(TakingOverTest, AKillBeforeTheFileIsPutAwayIsMadeGoodAtTheNextStart) {
    write();
    ASSERT_TRUE(open());
    std::filesystem::rename(database + ".migrated", database);
    keep(engine::kTakeoverPendingKey, database);
    const auto again = open();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->tasks.size(), 1U);
    EXPECT_TRUE(std::filesystem::exists(database + ".migrated"));
    EXPECT_FALSE(std::filesystem::exists(database));
    EXPECT_FALSE(stored().metadata.contains(std::string(engine::kTakeoverPendingKey)));
}

TEST_F(TakingOverTest, StateOfItsOwnComesFirst) {
    write();
    keep(engine::kContainerInstanceArnKey, "arn:own");
    keep(engine::kClusterKey, "prod");
    const auto opened = open();
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->metadata_value(engine::kContainerInstanceArnKey), "arn:own");
    EXPECT_TRUE(std::filesystem::exists(database));
    const Fd writer(::open(database.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
    const auto beside = open();
    ASSERT_FALSE(beside) << "but two agents at once are not";
    EXPECT_EQ(beside.error().exit_code, kExitTerminal);
    EXPECT_THAT(beside.error().why, HasSubstr("is in use"));
}

TEST_F(TakingOverTest, AnotherClusterIsRefusedAndBothAreNamed) {
    write();
    config.cluster = "other";
    EXPECT_THAT(refusal(), AllOf(HasSubstr("belongs to cluster prod, but ECS_CLUSTER is other"), HasSubstr(database),
                                 HasSubstr("set ECS_CLUSTER=prod")));
}

TEST_F(TakingOverTest, ADiskOfAnotherMachineBringsNothingAlong) {
    write();
    machine = std::string("i-2");
    const auto opened = open();
    ASSERT_TRUE(opened);
    EXPECT_THAT(opened->tasks, IsEmpty());
    EXPECT_EQ(opened->metadata_value(engine::kContainerInstanceArnKey), "");
    EXPECT_NE(opened->metadata_value(engine::kLeftoversBeforeKey), "");
    EXPECT_TRUE(std::filesystem::exists(database + ".migrated"));
    EXPECT_EQ(open()->metadata_value(engine::kContainerInstanceArnKey), "");
}

TEST_F(TakingOverTest, WithoutAMetadataServiceTheSavedMachineCounts) {
    write();
    machine = Error{.kind = ErrorKind::Unavailable, .what = "no route to host"};
    EXPECT_EQ(open()->metadata_value(engine::kEc2InstanceIdKey), "i-1");
}

TEST_F(TakingOverTest, ARunningReferenceIsNamedWithItsRemedy) {
    write();
    add_reference_container(true);
    EXPECT_THAT(refusal(), AllOf(HasSubstr("the container ecs-agent"), HasSubstr("docker stop ecs-agent")));
    add_reference_container(false);
    EXPECT_TRUE(open());
}

TEST_F(TakingOverTest, AnUnreadableDatabaseRegistersNothing) {
    std::ofstream(database) << "something else";
    EXPECT_THAT(refusal(), AllOf(HasSubstr(database + " is no bbolt file"), HasSubstr("move it away")));
}

TEST_F(TakingOverTest, TasksOnDockerAreNotLeftBehindForContainerd) {
    write();
    EXPECT_THAT(refusal(kExitTerminal, false), HasSubstr("ECS_RUNTIME=docker"));
    root.buckets["tasks"].values.clear();
    write();
    const auto drained = open(false);
    ASSERT_TRUE(drained) << drained.error().why;
    EXPECT_EQ(drained->metadata_value(engine::kContainerInstanceArnKey), kReferenceInstance);
}

TEST_F(TakingOverTest, NothingOfTheReferenceIsAnOrdinaryStart) {
    const auto opened = open();
    ASSERT_TRUE(opened);
    EXPECT_THAT(opened->metadata, IsEmpty());
    EXPECT_EQ(backend.calls("list"), 0);
}

}  // namespace
}  // namespace nodeagent
