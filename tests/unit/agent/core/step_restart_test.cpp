// Restart policies.
#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using S = ContainerStatus;

TEST(StepRestart, RestartsByPolicyWithoutTellingECS) {
    Bench b = running_task({with_restarts(container("app"))});
    const std::size_t reports = b.container_reports().size();
    b.hear(ContainerObserved{"app", exited("app", 1)});
    EXPECT_THAT(names_in<StartContainer>(b.last), ElementsAre("app"));
    EXPECT_EQ(b["app"].known, S::Running);
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_EQ(b["app"].restarts.count, 1);
    EXPECT_EQ(b["app"].exit_code, std::nullopt);
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    EXPECT_THAT(b.container_reports(), SizeIs(reports));
}

TEST(StepRestart, TheSameEndHeardTwiceRestartsOnce) {
    Bench b = running_task({with_restarts(container("app"))});
    Observation end = exited("app", 1);
    end.finished_at = kNow.wall;
    b.hear(ContainerObserved{"app", end}).hear(ContainerObserved{"app", end});
    b.hear(ContainerStarted{"app", running("app"), {}}).hear(ContainerObserved{"app", end});
    EXPECT_THAT(names_in<StartContainer>(b.history), SizeIs(2)) << "the first start and one restart";
    EXPECT_EQ(b["app"].known, S::Running);
}

TEST(StepRestart, DoesNotRestartWhenThePolicySaysNo) {
    const auto stops_after = [](model::Container c, int code) {
        Bench b = running_task({std::move(c)});
        b.now = later(std::chrono::seconds(10));
        b.hear(ContainerObserved{"app", exited("app", code)});
        return b["app"].known == S::Stopped;
    };
    EXPECT_TRUE(stops_after(container("app"), 1));
    EXPECT_TRUE(stops_after(with_restarts(container("app"), 0, {1}), 1));
    EXPECT_TRUE(stops_after(with_restarts(container("app"), 60), 1)) << "it ran for 10 s of the 60 s";
    EXPECT_FALSE(stops_after(with_restarts(container("app"), 5), 1));
    EXPECT_FALSE(stops_after(with_restarts(container("app"), 0, {1}), 2));
}

TEST(StepRestart, DoesNotRestartWhatEndedWhileTheAgentWasAway) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(Resumed{}).hear(ContainerObserved{"app", exited("app", 7), true});
    EXPECT_EQ(b["app"].known, S::Stopped);
    EXPECT_EQ(b.container_reports().back().exit_code, 7);
}

TEST(StepRestart, AFailedRestartLetsTheFirstEndStand) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(ContainerObserved{"app", exited("app", 3)});
    b.hear(ContainerStarted{"app", {}, error(kCannotStartContainer, "no")});
    EXPECT_EQ(b["app"].known, S::Stopped);
    EXPECT_EQ(b.container_reports().back().exit_code, 3);
    EXPECT_EQ(b.container_reports().back().reason, "");
}

TEST(StepRestart, AnEndDuringARestartIsLookedAtWhenTheStartReturns) {
    Bench b = running_task({with_restarts(container("app"))});
    b.hear(ContainerObserved{"app", exited("app", 1)}).hear(ContainerObserved{"app", exited("app", 2)});
    b.hear(ContainerStarted{"app", running("app"), {}});
    EXPECT_THAT(all_of<InspectContainers>(b.last), SizeIs(1));
}

}  // namespace
}  // namespace nodeagent::core::testing
