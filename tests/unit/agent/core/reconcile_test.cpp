#include "agent/core/reconcile.hpp"

#include "agent/core/image_policy.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Phase = Observation::Phase;

Listed listed(const std::string& name, Phase phase, std::string id = {}) {
    return {.runtime_id = id.empty() ? "id-" + name : std::move(id),
            .name = "ecs-fam-" + name,
            .phase = phase,
            .task_arn = kArn,
            .container_name = name,
            .cluster = "prod"};
}
std::vector<std::string> looked_at(const Reconciliation& r) {
    std::vector<std::string> names;
    for (const Inspection& i : r.inspect) names.push_back(i.container);
    return names;
}

std::vector<std::string> decisions(const Reconciliation& r) {
    std::vector<std::string> all;
    for (const Stray& stray : r.strays) {
        const char* const word = stray.decision == Stray::Decision::Remove  ? " remove"
                                 : stray.decision == Stray::Decision::Adopt ? " adopt"
                                                                            : " ignore";
        all.push_back(stray.runtime_id + word);
    }
    return all;
}

TEST(Reconcile, LooksOnlyAtWhatDiffers) {
    const Bench b = running_task({container("a"), container("b")});
    const std::vector<Listed> listing{listed("a", Phase::Running), listed("b", Phase::Stopped)};
    const Reconciliation r = reconcile({&b.task}, listing, ReconcileCause::Periodic, "prod");
    EXPECT_THAT(looked_at(r), ElementsAre("b"));
    EXPECT_THAT(looked_at(reconcile({&b.task}, listing, ReconcileCause::AgentStart, "prod")), ElementsAre("a", "b"));
    // somebody may have restarted it while events were lost: the same phase, another process
    EXPECT_THAT(looked_at(reconcile({&b.task}, listing, ReconcileCause::StreamBreak, "prod")), ElementsAre("a", "b"));
}

TEST(Reconcile, LooksForWhatTheListingLacksBeforeItCountsAsGone) {
    const Bench b = running_task({container("a"), container("b")});
    const Reconciliation r = reconcile({&b.task}, {listed("a", Phase::Running)}, ReconcileCause::Periodic, "prod");
    ASSERT_THAT(looked_at(r), ElementsAre("b"));
    EXPECT_EQ(r.inspect[0].runtime_id, "id-b");
}

TEST(Reconcile, FindsByNameWhatWasCreatedBeforeItsIdWasSaved) {
    Bench b(task_of({container("a")}));
    b.task.containers[0].known = ContainerStatus::Pulled;
    const Reconciliation r =
        reconcile({&b.task}, {listed("a", Phase::Created, "fresh")}, ReconcileCause::AgentStart, "prod");
    ASSERT_THAT(r.inspect, SizeIs(1));
    EXPECT_EQ(r.inspect[0].runtime_id, "fresh");
    EXPECT_THAT(r.strays, IsEmpty());
}

TEST(Reconcile, NoticesWhatCameBackAfterItsEnd) {
    Bench b = running_task({container("a")});
    b.run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(looked_at(reconcile({&b.task}, {listed("a", Phase::Running)}, ReconcileCause::Periodic, "prod")),
                ElementsAre("a"));
    EXPECT_THAT(looked_at(reconcile({&b.task}, {listed("a", Phase::Stopped)}, ReconcileCause::AgentStart, "prod")),
                IsEmpty());
}

TEST(Reconcile, AContainerWithWorkInFlightIsLeftToThatWork) {
    Bench b = running_task({container("a")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(reconcile({&b.task}, {listed("a", Phase::Stopped)}, ReconcileCause::Periodic, "prod").inspect,
                IsEmpty());
    EXPECT_THAT(reconcile({&b.task}, {}, ReconcileCause::Periodic, "prod").inspect, IsEmpty());
}

TEST(Reconcile, RemovesWhateverStandsInForAContainerThatIsThereRunningOrNot) {
    const Bench b = running_task({container("a")});
    Listed leftover = listed("a", Phase::Created, "old");
    leftover.name = "ecs-fam-a-before";
    Listed alive = leftover;
    alive.runtime_id = "alive";
    alive.phase = Phase::Running;
    Listed unheard_of = listed("x", Phase::Running, "x");
    const Reconciliation r = reconcile({&b.task}, {listed("a", Phase::Running), leftover, alive, unheard_of},
                                       ReconcileCause::Periodic, "prod");
    EXPECT_THAT(decisions(r), ElementsAre("old remove", "alive remove", "x remove"));
}

TEST(Reconcile, AdoptsUnknownTasksOfItsClusterAndLeavesOtherClustersAlone) {
    Listed ours = listed("a", Phase::Stopped, "ours");
    ours.task_arn = "arn:unknown";
    Listed by_arn = ours;
    by_arn.runtime_id = "by-arn";
    by_arn.cluster = "arn:aws:ecs:us-west-2:123456789012:cluster/prod";
    Listed foreign = ours;
    foreign.runtime_id = "foreign";
    foreign.cluster = "test";
    Listed unlabelled = ours;
    unlabelled.runtime_id = "unlabelled";
    unlabelled.cluster.clear();
    const Reconciliation r = reconcile({}, {ours, by_arn, foreign, unlabelled}, ReconcileCause::Periodic, "prod");
    EXPECT_THAT(decisions(r), ElementsAre("ours adopt", "by-arn adopt", "foreign ignore", "unlabelled ignore"));
}

TEST(Reconcile, GivesATaskThatWasSentAgainTheContainersItHadBefore) {
    Bench b(task_of({container("a")}));
    Listed before = listed("a", Phase::Running, "before");
    before.name = "ecs-fam-a-before";
    Listed twin = before;
    twin.runtime_id = "twin";
    const Reconciliation r = reconcile({&b.task}, {before, twin}, ReconcileCause::AgentStart, "prod");
    ASSERT_THAT(r.inspect, SizeIs(1));
    EXPECT_EQ(r.inspect[0].runtime_id, "before");
    EXPECT_THAT(decisions(r), ElementsAre("twin remove"));

    b.task.containers[0].applied = ContainerStatus::Created;
    const Reconciliation busy = reconcile({&b.task}, {before}, ReconcileCause::Periodic, "prod");
    EXPECT_THAT(busy.inspect, IsEmpty());
    EXPECT_THAT(busy.strays, IsEmpty()) << "it may be what the create in flight makes";
}

TEST(Reconcile, AContainerThatTheTaskKnowsIsNoStray) {
    const Bench b = running_task({container("a")});
    EXPECT_FALSE(unclaimed(b.task, "id-a", "other-name"));
    EXPECT_FALSE(unclaimed(b.task, "other-id", "ecs-fam-a"));
    EXPECT_TRUE(unclaimed(b.task, "other-id", "other-name"));
}

TEST(ImagePolicy, DeletesTheLeastRecentlyUsedOldImages) {
    const auto hours_ago = [](int h) { return kNow.wall - std::chrono::hours(h); };
    const std::vector<TrackedImage> images{
        {.id = "new", .names = {"n"}, .pulled_at = hours_ago(0), .last_used_at = hours_ago(9), .references = 0},
        {.id = "used", .names = {"u"}, .pulled_at = hours_ago(5), .last_used_at = hours_ago(8), .references = 1},
        {.id = "kept",
         .names = {"k", "pause"},
         .pulled_at = hours_ago(5),
         .last_used_at = hours_ago(7),
         .references = 0},
        {.id = "b", .names = {"b"}, .pulled_at = hours_ago(5), .last_used_at = hours_ago(2), .references = 0},
        {.id = "a", .names = {"a", "a2"}, .pulled_at = hours_ago(5), .last_used_at = hours_ago(3), .references = 0},
    };
    ImageRules rules;
    rules.excluded = {"pause"};
    EXPECT_THAT(tracked_to_remove(images, rules, kNow.wall),
                ElementsAre(ImageRemoval{"a", {"a", "a2"}}, ImageRemoval{"b", {"b"}}));
    rules.per_cycle = 1;
    EXPECT_THAT(tracked_to_remove(images, rules, kNow.wall), SizeIs(1));
}

TEST(ImagePolicy, UntrackedImagesGoSmallestFirstAndNamesCount) {
    const WallTime old = kNow.wall - std::chrono::hours(2);
    const std::vector<UntrackedImage> images{{.id = "big", .names = {"b1"}, .created = old, .size = 9},
                                             {.id = "small", .names = {"s1", "s2"}, .created = old, .size = 1},
                                             {.id = "fresh", .names = {}, .created = kNow.wall, .size = 0}};
    ImageRules rules;
    EXPECT_THAT(untracked_to_remove(images, rules, 5, kNow.wall), IsEmpty()) << "switched off by default";
    rules.untracked = true;
    EXPECT_THAT(untracked_to_remove(images, rules, 2, kNow.wall), ElementsAre(ImageRemoval{"small", {"s1", "s2"}}));
    EXPECT_THAT(untracked_to_remove(images, rules, 3, kNow.wall), SizeIs(2));
    EXPECT_THAT(
        containers_to_remove({{.id = "c", .finished = {}}, {.id = "d", .finished = kNow.wall}}, rules, kNow.wall),
        ElementsAre("c"));
}

}  // namespace
}  // namespace nodeagent::core::testing
