// Cgroups and volumes of a task, and the registry's words: what the engine does beside containers.

#include <gmock/gmock.h>

#include "agent/engine/image_ledger.hpp"
#include "agent/engine/image_reference.hpp"
#include "cgroups/task_cgroup.hpp"
#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Cgroups final : public cgroups::TaskCgroups {
  public:
    Result<void> prepare() override { return {}; }
    Result<void> create(const std::string& task_id, const cgroups::TaskLimits& limits) override {
        if (failure) return *failure;
        made[task_id] = limits;
        return {};
    }
    Result<void> remove(const std::string& task_id) override {
        made.erase(task_id);
        return {};
    }
    [[nodiscard]] Result<std::vector<std::string>> unoccupied() const override {
        std::vector<std::string> ids;
        for (const auto& [id, limits] : made) ids.push_back(id);
        return ids;
    }
    [[nodiscard]] std::string parent_for(const std::string& task_id) const override { return "/ecs/" + task_id; }

    std::map<std::string, cgroups::TaskLimits> made;
    std::optional<Error> failure;
};

class TaskResourcesTest : public EngineFixture {
  protected:
    /// Runs the loop until `done`; cgroups are made on a worker thread.
    template <class Done>
    void wait_for(Done done) {
        for (int turns = 0; turns < 10'000 && !done(); ++turns) {
            io.restart();
            io.run_one_for(1ms);
        }
        ASSERT_TRUE(done());
        settle();
    }
    Cgroups cgroups;
};

TEST_F(TaskResourcesTest, ContainersAreMadeUnderTheLimitsOfTheirTask) {
    task_cgroups = &cgroups;
    model::Task limited = task(kArn, {container("app")});
    limited.cpu = 0.5;
    limited.memory = 64;
    start();
    accept({limited});
    wait_for([&] { return reported(kArn, TaskStatus::Running); });
    const std::string id = core::task_id(kArn);
    ASSERT_TRUE(cgroups.made.contains(id));
    EXPECT_EQ(cgroups.made[id].cpu, 0.5);
    EXPECT_EQ(cgroups.made[id].memory_bytes, 64U << 20U);
    EXPECT_EQ(backend.find("app")->spec.host_config["CgroupParent"], "/ecs/" + id);
    backend.exit("app", 0);
    settle();
    live_through(11min);
    wait_for([&] { return engine->tasks().empty(); });
    EXPECT_TRUE(cgroups.made.empty());
}

TEST_F(TaskResourcesTest, ATaskWithoutItsCgroupIsStoppedWithThatReason) {
    task_cgroups = &cgroups;
    cgroups.failure = Error{.kind = ErrorKind::Denied, .what = "read-only file system"};
    start();
    accept({task(kArn, {container("app")})});
    wait_for([&] { return reported(kArn, TaskStatus::Stopped); });
    EXPECT_EQ(sink.task(kArn, TaskStatus::Stopped)->reason,
              "CgroupError: Agent could not create task's platform resources");
    EXPECT_EQ(backend.calls("create"), 0);
}

TEST_F(TaskResourcesTest, ACgroupThatNoTaskHasIsRemovedAtTheStart) {
    task_cgroups = &cgroups;
    cgroups.made["0123456789abcdef0123456789abcdee"] = {};
    start();
    wait_for([&] { return cgroups.made.empty(); });
}

model::Volume docker_volume(std::string scope, bool autoprovision) {
    model::Volume volume;
    volume.name = "data";
    volume.type = "docker";
    volume.docker = model::DockerVolume{
        .scope = std::move(scope), .autoprovision = autoprovision, .driver = "local", .driver_opts = {}, .labels = {}};
    return volume;
}

model::Task task_with(const model::Volume& volume) {
    model::Container app = container("app");
    app.mount_points = {{.source_volume = volume.name, .container_path = "/data", .read_only = false}};
    model::Task made = task(kArn, {app});
    made.volumes = {volume};
    return made;
}

TEST_F(TaskResourcesTest, AVolumeOfTheTaskLivesAsLongAsTheTask) {
    start();
    accept({task_with(docker_volume("task", false))});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    ASSERT_EQ(backend.volumes.size(), 1U);
    EXPECT_THAT(backend.volumes.begin()->first, testing::StartsWith("ecs-fam-7-data-"));
    backend.exit("app", 0);
    settle();
    live_through(11min);
    EXPECT_TRUE(backend.volumes.empty());
}

TEST_F(TaskResourcesTest, WhatCannotBeRemovedAtOnceIsTriedAgain) {
    backend.on("remove_volume").fail({.kind = ErrorKind::Internal, .what = "device or resource busy"}, 2);
    start();
    accept({task_with(docker_volume("task", false))});
    settle();
    backend.exit("app", 0);
    settle();
    live_through(10min + 2s);
    EXPECT_EQ(backend.volumes.size(), 1U);
    EXPECT_EQ(engine->tasks().size(), 1U) << "not forgotten while something of it is left";
    live_through(1min);
    EXPECT_TRUE(backend.volumes.empty());
    EXPECT_TRUE(engine->tasks().empty());
}

TEST_F(TaskResourcesTest, ATaskWhoseRemainsCannotBeRemovedIsGivenUpAfterSomeHours) {
    backend.on("remove_volume").fail({.kind = ErrorKind::Internal, .what = "device or resource busy"});
    start();
    accept({task_with(docker_volume("task", false))});
    settle();
    backend.exit("app", 0);
    settle();
    live_through(1h);
    EXPECT_EQ(engine->tasks().size(), 1U);
    live_through(3h);
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_EQ(stored_task(kArn), "");
}

TEST_F(TaskResourcesTest, ASharedVolumeIsMadeOnceAndStays) {
    start();
    accept({task_with(docker_volume("shared", true))});
    settle();
    EXPECT_TRUE(backend.volumes.contains("data"));
    backend.exit("app", 0);
    settle();
    live_through(11min);
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_TRUE(backend.volumes.contains("data"));
}

TEST_F(TaskResourcesTest, ASharedVolumeThatDoesNotExistRefusesTheTask) {
    start();
    accept({task_with(docker_volume("shared", false))});
    settle();
    ASSERT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(sink.task(kArn, TaskStatus::Stopped)->reason,
                HasSubstr("volume 'data' does not exist and autoprovision is set to false"));
    EXPECT_EQ(backend.calls("create"), 0);
}

TEST_F(TaskResourcesTest, AVolumeThatCannotBeMadeStopsTheTaskInTheRuntimesWords) {
    backend.on("create_volume").fail({.kind = ErrorKind::Internal, .what = "no such driver"});
    start();
    accept({task_with(docker_volume("task", false))});
    settle();
    ASSERT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(sink.task(kArn, TaskStatus::Stopped)->reason, HasSubstr("o such driver"));
}

TEST(ImageReference, IsPulledByDigestWhenOneIsKnown) {
    EXPECT_EQ(pull_reference("localhost:5000/a", ""), "localhost:5000/a:latest");
    EXPECT_EQ(pull_reference("localhost:5000/a:1", "sha256:d"), "localhost:5000/a@sha256:d");
    EXPECT_EQ(pull_reference("a@sha256:x", "sha256:d"), "a@sha256:x");
}

TEST(ImageReference, TwoSpellingsOfARepositoryCompare) {
    EXPECT_EQ(normalized_repository("busybox:1"), normalized_repository("docker.io/library/busybox@sha256:x"));
    EXPECT_EQ(normalized_repository("me/app"), "docker.io/me/app");
    EXPECT_EQ(normalized_repository("ecr.aws/app:1"), "ecr.aws/app");
}

TEST(ImageLedger, ANameThatMovesToANewImageLeavesTheOldOne) {
    ImageLedger ledger;
    runtime::ImageView old_image{.id = "sha256:1", .repo_digests = {}, .repo_tags = {}, .env = {}, .size = 1};
    runtime::ImageView new_image{.id = "sha256:2", .repo_digests = {}, .repo_tags = {}, .env = {}, .size = 1};
    ledger.use("t1", "app", "web:1", old_image, true, WallTime{});
    ledger.use("t2", "app", "web:1", new_image, true, WallTime{});
    EXPECT_TRUE(ledger.records().at("sha256:1").names.empty());
    EXPECT_TRUE(ledger.pulled_before("web:1"));
}

TEST(ImageLedger, ComesBackFromItsTextsWithoutTheUnreadableOnes) {
    ImageLedger ledger;
    runtime::ImageView image{
        .id = "sha256:1", .repo_digests = {}, .repo_tags = {}, .env = {"AWS_REGION=x", "A=b"}, .size = 5};
    ledger.use("t1", "app", "web:1", image, true, WallTime(1'000s));
    std::map<std::string, std::string> texts{{"sha256:9", "{]"}};
    for (const StoreChange& change : ledger.take_changes()) texts[change.key] = *change.text;
    ImageLedger next;
    const auto unreadable = next.restore(texts);
    ASSERT_EQ(unreadable.size(), 1U);
    EXPECT_EQ(unreadable[0].first, "sha256:9");
    EXPECT_TRUE(next.pulled_before("web:1"));
    EXPECT_THAT(next.region_env("sha256:1"), testing::ElementsAre("AWS_REGION="));
}

TEST(EventLog, KeepsTheLastChangesInOrder) {
    EventLog log(3);
    for (int i = 0; i < 5; ++i) log.add({.when = {}, .task_arn = "t", .container = {}, .what = std::to_string(i)});
    std::vector<std::string> kept;
    for (const StatusChange& change : log.recent()) kept.push_back(change.what);
    EXPECT_THAT(kept, testing::ElementsAre("2", "3", "4"));
}

}  // namespace
}  // namespace nodeagent::engine
