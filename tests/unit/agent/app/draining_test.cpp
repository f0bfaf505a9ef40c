#include "agent/draining.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "tests/fakes/flaky_store.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A host with tasks that stop at once when they are told to.
class DrainingTest : public testing::Test {
  protected:
    DrainingTest() { make(); }
    ~DrainingTest() override {
        draining->cancel();
        fakes::run_until_idle(io);
    }

    void make() {
        draining = std::make_unique<Draining>(
            DrainParts{.shard = io.get_executor(),
                       .clock = clock,
                       .store = store,
                       .events = events,
                       .tell_ecs = [this](std::string state) { return tell(std::move(state)); },
                       .refuse_new_tasks = [this](std::string why) { refusal = std::move(why); },
                       .tasks_left = [this] { return tasks; },
                       .stop_task = [this](std::string arn) { return stop(std::move(arn)); },
                       .longest_stop = [this]() -> std::chrono::nanoseconds { return longest; },
                       .changed = [this] { ++changes; }});
    }
    asio::awaitable<Result<void>> tell(std::string state) {
        told.push_back(std::move(state));
        if (!ecs_answers) co_return Error{.kind = ErrorKind::Unavailable, .what = "no route to host"};
        co_return Result<void>{};
    }
    asio::awaitable<void> stop(std::string arn) {
        std::erase(tasks, arn);
        stopped.push_back(std::move(arn));
        co_return;
    }
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        asio::co_spawn(io, std::move(work),
                       [&result](const std::exception_ptr&, T value) { result = std::move(value); });
        fakes::run_until_idle(io);
        return *std::move(result);
    }
    void run(asio::awaitable<void> work) {
        asio::co_spawn(io, std::move(work), [](const std::exception_ptr&) {});
        fakes::run_until_idle(io);
    }
    void pass(std::chrono::nanoseconds time) {
        const SteadyTime end = clock.now().steady + time;
        while (clock.now().steady < end) clock.advance(100ms, io);
    }
    std::string saved() { return run(store.load())->metadata_value(kDrainKey); }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FlakyStore store;
    engine::EventLog events;
    std::vector<std::string> tasks{"a", "b"}, stopped, told;
    std::string refusal;
    std::chrono::nanoseconds longest{0};
    bool ecs_answers = true;
    int changes = 0;
    std::unique_ptr<Draining> draining;
};

TEST_F(DrainingTest, TellsEcsThenStopsEveryTaskAndRefusesNewOnes) {
    ASSERT_TRUE(run(draining->begin(false)));
    EXPECT_THAT(told, ElementsAre("DRAINING"));
    pass(200ms);
    EXPECT_THAT(stopped, ElementsAre("a", "b"));
    EXPECT_THAT(refusal, HasSubstr("draining"));
    const auto status = draining->status();
    EXPECT_TRUE(status.draining);
    EXPECT_TRUE(status.ecs_told);
    EXPECT_EQ(status.tasks_left, 0U);
}

TEST_F(DrainingTest, StopsTheTasksThoughEcsDoesNotAnswerAndTellsItLater) {
    ecs_answers = false;
    ASSERT_TRUE(run(draining->begin(false)));
    pass(5s);
    EXPECT_THAT(stopped, IsEmpty());
    EXPECT_THAT(draining->status().ecs_error, HasSubstr("no route to host"));
    pass(6s);
    EXPECT_THAT(stopped, ElementsAre("a", "b"));
    EXPECT_FALSE(draining->status().ecs_told);
    ecs_answers = true;
    pass(1min);
    EXPECT_TRUE(draining->status().ecs_told);
    EXPECT_EQ(draining->status().ecs_error, "");
}

TEST_F(DrainingTest, OfTasksOnlyLeavesEcsAlone) {
    ASSERT_TRUE(run(draining->begin(true)));
    pass(200ms);
    EXPECT_THAT(told, IsEmpty());
    EXPECT_THAT(stopped, ElementsAre("a", "b"));
    EXPECT_TRUE(draining->status().tasks_only);
}

TEST_F(DrainingTest, GoesOnAfterARestartWithTheTimeItBegan) {
    ASSERT_TRUE(run(draining->begin(false)));
    const auto since = draining->status().since;
    tasks = {"late"};
    stopped.clear();
    refusal.clear();
    clock.advance(1h, io);
    make();
    const auto stored = run(store.load());
    run(draining->resume(*stored));
    pass(200ms);
    EXPECT_THAT(stopped, ElementsAre("late"));
    EXPECT_EQ(draining->status().since, since);
    EXPECT_FALSE(refusal.empty());
}

TEST_F(DrainingTest, EndsWithTasksTakenAgainEcsToldAndNothingSaved) {
    ASSERT_TRUE(run(draining->begin(false)));
    pass(200ms);
    ASSERT_TRUE(run(draining->end()));
    EXPECT_THAT(told, ElementsAre("DRAINING", "ACTIVE"));
    EXPECT_EQ(refusal, "");
    EXPECT_EQ(saved(), "");
    EXPECT_FALSE(draining->status().draining);
}

TEST_F(DrainingTest, ThatIsEndedBeforeEcsHeardOfItTellsItNothingMoreOfDraining) {
    ecs_answers = false;
    ASSERT_TRUE(run(draining->begin(false)));
    ecs_answers = true;
    ASSERT_TRUE(run(draining->end()));
    pass(5min);
    EXPECT_EQ(told.back(), "ACTIVE");
    EXPECT_THAT(stopped, IsEmpty());
}

TEST_F(DrainingTest, EndedWhileEcsIsAwayTakesTasksButSaysThatEcsDoesNotKnow) {
    ASSERT_TRUE(run(draining->begin(false)));
    ecs_answers = false;
    const auto ended = run(draining->end());
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().what, HasSubstr("ecs-node undrain"));
    EXPECT_EQ(refusal, "");
}

TEST_F(DrainingTest, ThatCannotBeSavedDoesNotBegin) {
    store.failures = 1;
    ASSERT_FALSE(run(draining->begin(false)));
    pass(1min);
    EXPECT_THAT(stopped, IsEmpty());
    EXPECT_FALSE(draining->status().draining);
}

TEST_F(DrainingTest, BySpotLeavesTheTasksToEcsWhileThereIsTime) {
    longest = 30s;
    run(draining->spot({.action = "terminate", .when = clock.now().wall + 2min}));
    EXPECT_THAT(told, ElementsAre("DRAINING"));
    pass(70s);
    EXPECT_THAT(stopped, IsEmpty());
    EXPECT_EQ(refusal, "");
    pass(15s);  // 120 s - 30 s of stop timeouts - 10 s of margin
    EXPECT_THAT(stopped, ElementsAre("a", "b"));
    EXPECT_EQ(saved(), "") << "the notice is seen again after a restart";
}

TEST_F(DrainingTest, BySpotWithoutTheTimeForItStopsTheTasksAtOnce) {
    longest = 5min;
    ecs_answers = false;
    run(draining->spot({.action = "stop", .when = clock.now().wall + 2min}));
    EXPECT_THAT(stopped, ElementsAre("a", "b"));
}

TEST_F(DrainingTest, IsInTheEventLog) {
    ASSERT_TRUE(run(draining->begin(false)));
    std::vector<std::string> texts;
    for (const auto& event : events.recent()) texts.push_back(event.what);
    EXPECT_THAT(texts, Contains(HasSubstr("drains, by the operator")));
    EXPECT_THAT(texts, Contains(HasSubstr("ECS knows")));
}

}  // namespace
}  // namespace nodeagent
