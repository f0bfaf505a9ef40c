// Pulls: digests, cached images, images of containers that may not start yet.
#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using S = ContainerStatus;

TEST(StepPull, ReportsPendingOnlyWithAResolvedDigest) {
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

TEST(StepPull, AFailedPullGoesOnWithTheCachedImageAndItsErrorSticks) {
    Bench b(task_of({container("app")}));
    b.pull = [](const std::string& c) {
        return ImagePulled{c, "sha256:old", true, error(kCannotPullContainer, "timeout")};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.container_reports().back().reason, "CannotPullContainerError: timeout");
}

TEST(StepPull, AFailedPullStopsTheTaskWhenOnlyAFreshImageWillDo) {
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

TEST(StepPull, AFailedManifestIsRememberedButDoesNotStopTheDefaultBehaviour) {
    Bench b(task_of({container("app")}));
    b.manifest = [](const std::string& c) {
        return ManifestResolved{c, "", error(kCannotPullImageManifest, "no route")};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.container_reports().back().reason, "CannotPullImageManifestError: no route");
}

TEST(StepPull, AnUpfrontPullWithoutAnyImageStopsTheTaskOfAnEssentialContainer) {
    Bench b(task_of({container("app")}));
    b.settings.pull_dependents_upfront = true;
    b.pull = [](const std::string& c) { return ImagePulled{c, "", true, error(kCannotPullContainer, "gone")}; };
    b.start();
    EXPECT_EQ(b.task_reports().back().reason, "CannotPullContainerError: gone");
}

TEST(StepPull, StampsTheFirstPullStartAndTheLastPullEnd) {
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

}  // namespace
}  // namespace nodeagent::core::testing
