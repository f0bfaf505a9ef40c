// The wall clock is set while tasks live: what waits goes by the clock that nobody sets.

#include "agent/core/container_facts.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using S = ContainerStatus;
using namespace std::chrono_literals;

/// `passed` after kNow, on a wall clock that was set by `set` meanwhile.
Instant after(std::chrono::seconds passed, std::chrono::seconds set) {
    Instant now = later(passed);
    now.wall += set;
    return now;
}

TEST(ClockJump, TheCleanUpComesInItsTimeThoughTheClockWasSet) {
    for (const std::chrono::seconds set : {-3600s, 0s, 3600s}) {
        Bench b = running_task({container("app")});
        b.run(ContainerObserved{"app", exited("app", 0)});
        b.task.sent = TaskStatus::Stopped;
        b.now = after(2h + 59min, set);
        b.hear(Woken{});
        EXPECT_THAT(all_of<CleanUp>(b.last), IsEmpty()) << set.count();
        b.now = after(3h + 1min, set);
        b.hear(Woken{});
        EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1)) << set.count();
    }
}

TEST(ClockJump, TheFirstMomentOfAllTimeIsLongAgoAndTheLastIsNow) {
    const Instant now = later(1h);
    EXPECT_LT(steady_of(WallTime::min(), now), now.steady - std::chrono::years(100));
    EXPECT_EQ(steady_of(WallTime::max(), now), now.steady);
}

TEST(ClockJump, AnEndFromTheFutureIsCleanedUpAfterOneWait) {
    Bench b = running_task({container("app")});
    b.run(ContainerObserved{"app", exited("app", 0)});
    b.task.sent = TaskStatus::Stopped;
    b.task.ended.reset();  // the agent was restarted, and the clock set back by a day before
    b.now = after(1min, -86400s);
    b.hear(Resumed{});
    b.now = after(3h + 2min, -86400s);
    b.hear(Woken{});
    EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1));
}

TEST(ClockJump, TheRestartPeriodIsThatOfRealTime) {
    Bench long_enough = running_task({with_restarts(container("app"), 60)});
    long_enough.now = after(90s, -3600s);
    long_enough.hear(ContainerObserved{"app", exited("app", 1)});
    EXPECT_THAT(names_in<StartContainer>(long_enough.last), ElementsAre("app"));

    Bench too_short = running_task({with_restarts(container("app"), 60)});
    too_short.now = after(10s, 3600s);
    too_short.hear(ContainerObserved{"app", exited("app", 1)});
    EXPECT_EQ(too_short["app"].known, S::Stopped);
}

TEST(ClockJump, TheEndOfARestartedContainerIsNoticedThoughTheClockWasSetBack) {
    Bench b = running_task({with_restarts(container("app"))});
    Observation first = exited("app", 1);
    first.finished_at = kNow.wall;
    b.run(ContainerObserved{"app", first});
    b.now = after(90s, -3600s);
    Observation second = exited("app", 2);
    second.finished_at = b.now.wall;
    b.hear(ContainerObserved{"app", second});
    EXPECT_EQ(b["app"].restarts.count, 2);
}

TEST(ClockJump, AStartTimeoutIsNeitherCutShortNorDrawnOut) {
    model::Container slow = sidecar("slow");
    slow.start_timeout = 20;
    Bench forward(task_of({with_dependency(container("web"), "slow", "COMPLETE"), slow}));
    forward.start();
    forward.now = after(10s, 3600s);
    forward.run(Woken{});
    EXPECT_EQ(forward["web"].error, std::nullopt);

    Bench back(task_of({with_dependency(container("web"), "slow", "COMPLETE"), slow}));
    back.start();
    back.now = after(21s, -3600s);
    back.run(Woken{});
    EXPECT_NE(back["web"].error, std::nullopt);
}

}  // namespace
}  // namespace nodeagent::core::testing
