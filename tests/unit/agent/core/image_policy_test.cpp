#include "agent/core/image_policy.hpp"

#include <gmock/gmock.h>

#include "agent/core/pull_rules.hpp"

namespace nodeagent::core {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow{1'000h};

TrackedImage tracked(std::string name, std::chrono::hours unused_for, std::size_t references = 0) {
    return {.id = "sha256:" + name,
            .names = {name},
            .pulled_at = kNow - unused_for,
            .last_used_at = kNow - unused_for,
            .references = references};
}
std::vector<std::string> names(const std::vector<ImageRemoval>& removals) {
    std::vector<std::string> all;
    for (const ImageRemoval& removal : removals) all.insert(all.end(), removal.names.begin(), removal.names.end());
    return all;
}

TEST(ImagePolicy, TheLeastRecentlyUsedGoFirstAsManyAsACycleMay) {
    ImageRules rules;
    rules.per_cycle = 2;
    rules.excluded = {"kept"};
    const auto removals = tracked_to_remove({tracked("young", 0h), tracked("b", 5h), tracked("used", 9h, 1),
                                             tracked("kept", 8h), tracked("c", 3h), tracked("a", 7h)},
                                            rules, kNow);
    EXPECT_THAT(names(removals), ElementsAre("a", "b"));
}

TEST(ImagePolicy, AFullDiskTakesEveryUnusedImageWhateverItsAgeButNoExcludedOne) {
    ImageRules rules;
    rules.per_cycle = 1;
    rules.excluded = {"kept"};
    std::vector<TrackedImage> images{tracked("young", 0h), tracked("used", 9h, 1), tracked("kept", 8h),
                                     tracked("a", 7h)};
    std::vector<UntrackedImage> others{{.id = "new", .names = {"new"}, .created = kNow, .size = 1},
                                       {.id = "old", .names = {"old"}, .created = kNow - 9h, .size = 2}};
    EXPECT_THAT(names(removals_under_pressure(images, others, rules)), ElementsAre("a", "young"));
    rules.untracked = true;
    EXPECT_THAT(names(removals_under_pressure(images, others, rules)), ElementsAre("a", "young", "old", "new"));
}

TEST(ImagePolicy, UntrackedImagesGoSmallestFirstAndEachNameCounts) {
    ImageRules rules;
    std::vector<UntrackedImage> others{{.id = "big", .names = {"big:1", "big:2"}, .created = kNow - 9h, .size = 9},
                                       {.id = "small", .names = {}, .created = kNow - 9h, .size = 1},
                                       {.id = "young", .names = {"y"}, .created = kNow, .size = 1}};
    EXPECT_THAT(untracked_to_remove(others, rules, 2, kNow), IsEmpty()) << "not asked for";
    rules.untracked = true;
    EXPECT_THAT(untracked_to_remove(others, rules, 2, kNow),
                ElementsAre(ImageRemoval{"small", {}}, ImageRemoval{"big", {"big:1"}}));
}

TEST(ImagePolicy, ContainersThatNeverRanAreOldEnoughAtOnce) {
    ImageRules rules;
    rules.untracked = true;
    EXPECT_THAT(containers_to_remove({{.id = "young", .finished = kNow - 1h},
                                      {.id = "old", .finished = kNow - 4h},
                                      {.id = "never ran", .finished = WallTime{}}},
                                     rules, kNow),
                ElementsAre("never ran", "old"));
}

TEST(ImagePolicy, AWatermarkIsCrossedByBytesOrByInodes) {
    const Watermarks marks = watermarks(85, 80);
    const auto use = [](std::uint64_t bytes_free, std::uint64_t inodes_free) {
        return DiskUse{
            .bytes_total = 100 << 20, .bytes_free = bytes_free << 20, .inodes_total = 100, .inodes_free = inodes_free};
    };
    EXPECT_FALSE(above_high(use(16, 16), marks));
    EXPECT_TRUE(above_high(use(15, 90), marks));
    EXPECT_TRUE(above_high(use(90, 15), marks));
    EXPECT_FALSE(below_low(use(19, 90), marks));
    EXPECT_FALSE(below_low(use(90, 19), marks));
    EXPECT_TRUE(below_low(use(20, 20), marks));
    EXPECT_FALSE(above_high({.bytes_total = 100, .bytes_free = 100, .inodes_total = 0, .inodes_free = 0}, marks))
        << "no fixed number of inodes";
}

TEST(ImagePolicy, TheLowWatermarkIsBelowTheHighOneAndEitherTurnsBothOff) {
    EXPECT_EQ(watermarks(70, 80).low, 69U);
    EXPECT_TRUE(watermarks(0, 80).off());
    EXPECT_TRUE(watermarks(85, 0).off());
    EXPECT_FALSE(
        above_high({.bytes_total = 1 << 20, .bytes_free = 0, .inodes_total = 0, .inodes_free = 0}, watermarks(0, 80)));
}

TEST(PullRules, WhatAnotherTryCannotMendIsNotTriedForLong) {
    const auto kind = [](ErrorKind error, std::string what) {
        return kind_of_failure(Error{.kind = error, .what = std::move(what)});
    };
    EXPECT_EQ(kind(ErrorKind::Internal, "write /var/lib/docker/tmp/x: no space left on device"), PullFailure::NoSpace);
    EXPECT_EQ(kind(ErrorKind::Denied, "no basic auth credentials"), PullFailure::Permanent);
    EXPECT_EQ(kind(ErrorKind::Internal, "invalid reference format"), PullFailure::Permanent);
    EXPECT_EQ(kind(ErrorKind::Throttled, "toomanyrequests"), PullFailure::Passing);
    EXPECT_EQ(attempts_after(PullFailure::Passing, 5), 5);
    EXPECT_EQ(attempts_after(PullFailure::Permanent, 5), 2);
    EXPECT_EQ(attempts_after(PullFailure::NoSpace, 5), 3);
    EXPECT_EQ(attempts_after(PullFailure::Permanent, 1), 1);
}

TEST(PullRules, PullsInParallelFollowTheCoresAndTheDiskUnlessTheOperatorSays) {
    EXPECT_EQ(parallel_pulls(0, 1, std::nullopt), 4U);
    EXPECT_EQ(parallel_pulls(0, 4, false), 8U);
    EXPECT_EQ(parallel_pulls(0, 64, false), 16U);
    EXPECT_EQ(parallel_pulls(0, 64, true), 2U);
    EXPECT_EQ(parallel_pulls(3, 64, true), 3U);
}

}  // namespace
}  // namespace nodeagent::core
