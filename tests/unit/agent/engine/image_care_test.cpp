// Pulls and image clean-up: what is shown, what is tried again, what is removed and what never is.

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ImageCareTest : public EngineFixture {
  protected:
    ImageCareTest() {
        config.image_pull_behavior = config::ImagePullBehavior::Always;
        config.task_cleanup_wait = 1s;
        config.image_pull_parallel = 8;  // the test's own, whatever the machine's disk is
        backend.capabilities.data_root = "/var/lib/docker";
    }
    /// A task that used the image has come and gone.
    void use_and_leave(int number, const std::string& image) {
        backend.offer_image(image);
        accept({task(arn_of(number), {container("app", image)})});
        settle();
        backend.exit("app", 0);
        settle();
        live_through(3s);
        ASSERT_THAT(engine->tasks(), IsEmpty());
        ASSERT_TRUE(backend.images.contains(image));
    }
    std::shared_ptr<const model::TaskView> view(const std::string& arn) const {
        return snapshots.current()->tasks.at(arn);
    }
    std::string waiting(const std::string& arn) const { return view(arn)->waiting_for; }
    [[nodiscard]] bool noted(const std::string& words) const {
        for (const StatusChange& change : events.recent()) {
            if (change.what.find(words) != std::string::npos) return true;
        }
        return false;
    }
    /// 20 of 100 MiB for each image on the host, and `others`.
    void fill_disk_with_images(std::uint64_t others) {
        disk = [this, others] {
            std::uint64_t used = others;
            for (const auto& [name, image] : backend.images) used += name.find('@') == std::string::npos ? 20U : 0U;
            return core::DiskUse{.bytes_total = 100 << 20,
                                 .bytes_free = (100 - std::min<std::uint64_t>(used, 100)) << 20,
                                 .inodes_total = 0,
                                 .inodes_free = 0};
        };
    }
};

const Error kNoSpace{.kind = ErrorKind::Internal,
                     .what = "write /var/lib/docker/tmp/GetImageBlob1: no space left on device"};

TEST_F(ImageCareTest, ShowsHowFarAPullIs) {
    backend.offer_image("web:1");
    backend.pull_progress = runtime::PullProgress{
        .current_bytes = 3 << 20, .total_bytes = 12 << 20, .status = "Downloading", .layers = 4, .layers_done = 1};
    backend.on("pull").block();
    start();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    EXPECT_EQ(waiting(kArn),
              "container app waits for image web:1 to be pulled (3.0 of 12.0 MiB, 1 of 4 layers, "
              "since 2026-01-01T00:00:00Z)");
    ASSERT_TRUE(view(kArn)->containers[0].pull);
    EXPECT_EQ(view(kArn)->containers[0].pull->layers, 4U);
    backend.release("pull");
    settle();
    EXPECT_FALSE(view(kArn)->containers[0].pull);
    EXPECT_THAT(stored_task(kArn), Not(HasSubstr("layers")));
}

TEST_F(ImageCareTest, SaysTheLastErrorAndTheNextTryOfAPull) {
    backend.offer_image("web:1");
    backend.on("pull").fail({.kind = ErrorKind::Unavailable, .what = "registry is down"});
    start();
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    EXPECT_THAT(waiting(kArn), AllOf(HasSubstr("attempt 1 failed: registry is down"), HasSubstr("next try at 2026-")));
    live_through(2min);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

TEST_F(ImageCareTest, DoesNotInsistOnAnImageThatIsNotThere) {
    backend.offer_image("web:1");
    backend.on("pull").fail({.kind = ErrorKind::NotFound, .what = "manifest unknown"});
    start();
    accept({task(kArn, {container("app", "web:1")})});
    live_through(10s);
    EXPECT_EQ(backend.calls("pull"), 2);
    EXPECT_THAT(reason(kArn, "app"), HasSubstr("CannotPullContainerError: manifest unknown"));
}

TEST_F(ImageCareTest, PullsNoMoreImagesAtATimeThanTheOperatorWants) {
    config.image_pull_parallel = 1;
    backend.offer_image("web:1");
    backend.offer_image("db:1");
    backend.on("pull").block();
    start();
    accept({task(arn_of(1), {container("a", "web:1")}), task(arn_of(2), {container("b", "db:1")})});
    settle();
    EXPECT_EQ(backend.calls("pull"), 1);
    EXPECT_THAT(waiting(arn_of(2)), HasSubstr("queued behind other pulls"));
    backend.release("pull");
    settle();
    EXPECT_TRUE(reported(arn_of(1), TaskStatus::Running));
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(ImageCareTest, APullWithoutSpaceRemovesWhatNobodyUsesAndIsTriedAgain) {
    start();
    use_and_leave(1, "old:1");
    backend.offer_image("web:1");
    backend.on("pull").fail(kNoSpace, 1);
    accept({task(kArn, {container("app", "web:1")})});
    live_through(10s);
    EXPECT_FALSE(backend.images.contains("old:1"));
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_TRUE(noted("a pull found no space; disk of /var/lib/docker: 50% of"));
    EXPECT_TRUE(noted("removed 1 image and freed"));
}

TEST_F(ImageCareTest, APullWithoutSpaceFailsWithThatReasonWhenNothingCanGo) {
    start();
    backend.offer_image("web:1");
    backend.on("pull").fail(kNoSpace);
    accept({task(kArn, {container("app", "web:1")})});
    live_through(10s);
    EXPECT_EQ(reason(kArn, "app"), "CannotPullContainerError: " + kNoSpace.what);
    EXPECT_EQ(backend.calls("pull"), 1);
    EXPECT_TRUE(backend.images.contains("busybox:latest")) << "nobody here has used it, so it is not ours to remove";
}

TEST_F(ImageCareTest, AFullDiskLosesUnusedImagesOldestFirstUntilItIsBelowTheLowMark) {
    start();
    use_and_leave(1, "first:1");
    use_and_leave(2, "second:1");
    use_and_leave(3, "third:1");  // with busybox, four images: 80 of 100
    config.image_minimum_age = 1000h;
    fill_disk_with_images(6);
    live_through(61s);
    EXPECT_FALSE(backend.images.contains("first:1"));
    EXPECT_TRUE(backend.images.contains("second:1"));
    EXPECT_TRUE(backend.images.contains("third:1"));
    EXPECT_TRUE(noted("image clean-up removed 1 image and freed 20.0 MiB; disk of /var/lib/docker: 66% of"));
}

TEST_F(ImageCareTest, WatermarksThatAreOffRemoveNothing) {
    config.image_high_watermark = 0;
    start();
    use_and_leave(1, "first:1");
    fill_disk_with_images(80);
    live_through(5min);
    EXPECT_TRUE(backend.images.contains("first:1"));
}

TEST_F(ImageCareTest, AFullDiskNeverTakesAnImageThatIsUsedAndSaysOnceThatNothingIsLeft) {
    start();
    use_and_leave(1, "foreign:1");
    backend.offer_image("web:1");
    accept({task(kArn, {container("app", "web:1")})});
    runtime::ContainerView somebodys;
    somebodys.id = "cafe";
    somebodys.name = "somebodys";
    somebodys.phase = runtime::ContainerPhase::Stopped;
    somebodys.image_id = backend.images.at("foreign:1").id;
    backend.containers["cafe"].view = somebodys;
    fill_disk_with_images(40);
    live_through(5min);
    EXPECT_EQ(backend.calls("remove_image"), 0);
    EXPECT_TRUE(noted("no unused image is left to remove"));
}

TEST_F(ImageCareTest, AnImageThatCannotBeRemovedMakesPlaceForTheNext) {
    config.images_delete_per_cycle = 1;
    start();
    use_and_leave(1, "stuck:1");
    use_and_leave(2, "free:1");
    backend.on("remove_image", "stuck:1").fail({.kind = ErrorKind::Internal, .what = "layer is busy"});
    live_through(100min);
    EXPECT_TRUE(backend.images.contains("stuck:1"));
    EXPECT_FALSE(backend.images.contains("free:1"));
}

TEST_F(ImageCareTest, ALongPullHoldsOffOnlyTheRemovalOfItsOwnImage) {
    start();
    use_and_leave(1, "web:1");
    use_and_leave(2, "other:1");
    backend.on("pull").block();
    accept({task(kArn, {container("app", "web:1")})});
    live_through(100min);
    EXPECT_TRUE(backend.images.contains("web:1"));
    EXPECT_FALSE(backend.images.contains("other:1"));
    backend.release("pull");
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(ImageCareTest, WhatNobodyHereKnowsIsRemovedOnlyWhenAskedFor) {
    config.untracked_image_cleanup.set = true;
    config.exclude_untracked_images = {"kept:1"};
    backend.have_image("stranger:1");
    backend.have_image("kept:1");
    backend.images["young:1"] = backend.have_image("young:1");
    backend.images["young:1"].created = clock.now().wall + 24h;
    start();
    backend.offer_image("web:1");
    accept({task(kArn, {container("app", "web:1")})});
    settle();
    runtime::ContainerView left;
    left.id = "cafe";
    left.name = "never-started";
    left.phase = runtime::ContainerPhase::Created;
    left.image_id = backend.images.at("stranger:1").id;
    backend.containers["cafe"].view = left;
    live_through(31min);
    EXPECT_FALSE(backend.containers.contains("cafe"));
    EXPECT_NE(backend.find("app"), nullptr);
    EXPECT_FALSE(backend.images.contains("stranger:1"));
    EXPECT_TRUE(backend.images.contains("kept:1"));
    EXPECT_TRUE(backend.images.contains("young:1"));
    EXPECT_TRUE(backend.images.contains("web:1"));
}

TEST_F(ImageCareTest, ASmallTaskPassesABigOneThatHasWaitedWhileNothingElseHappens) {
    config.image_pull_behavior = config::ImagePullBehavior::PreferCached;
    start();
    model::Task first = task(arn_of(1), {container("a")});
    first.cpu = 3;
    model::Task big = task(arn_of(2), {container("b")});
    big.cpu = 2;
    accept({first, big, task(arn_of(3), {container("c")})});
    settle();
    EXPECT_THAT(
        waiting(arn_of(2)),
        HasSubstr(
            "waits for 2048 CPU units (1024 free; task 00000000000000000000000000000001 holds 3072), first of 2"));
    EXPECT_FALSE(reported(arn_of(3), TaskStatus::Running));
    live_through(31s);
    EXPECT_TRUE(reported(arn_of(3), TaskStatus::Running));
    EXPECT_FALSE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(ImageCareTest, AStoppingTaskSaysWhoWantedIt) {
    config.image_pull_behavior = config::ImagePullBehavior::PreferCached;
    backend.on("stop").block();
    start();
    accept({task(arn_of(1), {container("a")}), task(arn_of(2), {container("b"), container("c")})});
    settle();
    run(engine->stop_task(arn_of(1)));
    backend.exit("b", 3);
    settle();
    EXPECT_EQ(waiting(arn_of(1)),
              "is stopping because ECS asked for it, and waits for the end of a (SIGKILL follows its stop timeout)");
    EXPECT_EQ(waiting(arn_of(2)),
              "is stopping because its essential container b ended with exit code 3, and waits for the end of c "
              "(SIGKILL follows its stop timeout)");
    backend.release("stop");
    settle();
}

}  // namespace
}  // namespace nodeagent::engine
