#include "agent/cli/logs/reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "agent/base/scope.hpp"
#include "agent/cli/logs/places.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/agent/cli/logs/run_on.hpp"

namespace nodeagent::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Gives what a test has put there; nothing, when there is nothing.
class ScriptedSource final : public LogSource {
  public:
    explicit ScriptedSource(std::deque<Result<std::vector<LogLine>>> script) : reads(std::move(script)) {}
    asio::awaitable<Result<std::vector<LogLine>>> read(Reading) override {
        if (reads.empty()) co_return std::vector<LogLine>{};
        auto next = std::move(reads.front());
        reads.pop_front();
        co_return next;
    }
    std::vector<LogLine> rest() override { return std::exchange(unfinished, {}); }
    std::deque<Result<std::vector<LogLine>>> reads;
    std::vector<LogLine> unfinished;
};

std::vector<LogLine> lines(std::vector<std::pair<int, std::string>> given) {
    std::vector<LogLine> out;
    for (auto& [time, text] : given) out.push_back({.time = time, .text = std::move(text)});
    return out;
}

class ReadingTest : public testing::Test {
  protected:
    ScriptedSource& feed(const std::string& name, std::deque<Result<std::vector<LogLine>>> script) {
        auto source = std::make_unique<ScriptedSource>(std::move(script));
        ScriptedSource& out = *source;
        feeds.push_back({.container = name, .source = std::move(source)});
        return out;
    }
    void history(bool last = true) {
        std::vector<LogFeed*> all;
        for (LogFeed& one : feeds) all.push_back(&one);
        Scope scope(io.get_executor());
        scope.spawn(read_history(
            std::move(all),
            [this](const LogFeed& f, const LogLine& line) { shown.push_back(f.container + " " + line.text); },
            [this](const LogFeed& f, const Error& error) { shown.push_back(f.container + " ! " + error.what); }, last));
        fakes::run_until_idle(io);
    }
    void follow(Scope& scope) {
        scope.spawn(follow_one(*this));
        fakes::run_until_idle(io);
    }
    static asio::awaitable<void> follow_one(ReadingTest& test) {
        FollowTools tools{
            .clock = test.clock,
            .live = test.live,
            .has_ended = [&test](const LogFeed&) { return test.ended; },
            .open = [&test](LogFeed& feed) { return test.open(feed); },
            .remark = [&test](const LogFeed&, const std::string& what) { test.shown.push_back("! " + what); }};
        test.outcome = co_await follow_feed(test.feeds.front(), std::move(tools));
    }
    Result<void> open(LogFeed& feed) {
        if (refused) return Error{.kind = ErrorKind::Denied, .what = "its log driver is none"};
        if (created) feed.source = std::make_unique<ScriptedSource>(std::move(comes));
        return {};
    }
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        fakes::run_until_idle(io);
        live.flush([this](const LogFeed& f, const LogLine& line) { shown.push_back(f.container + " " + line.text); });
    }

    asio::io_context io;
    fakes::ManualClock clock;
    std::deque<LogFeed> feeds;
    LiveLines live;
    std::vector<std::string> shown;
    bool ended = false, created = false, refused = false;
    std::deque<Result<std::vector<LogLine>>> comes;
    std::optional<Result<void>> outcome;
};

TEST_F(ReadingTest, PutsTheLinesOfAllContainersInTheOrderOfTime) {
    feed("a", {lines({{1, "1"}, {4, "4"}}), lines({{6, "6"}})});
    feed("b", {lines({{2, "2"}}), lines({{3, "3"}, {5, "5"}})});
    feed("c", {});
    history();
    EXPECT_THAT(shown, ElementsAre("a 1", "b 2", "b 3", "a 4", "b 5", "a 6"));
}

TEST_F(ReadingTest, KeepsTheOrderOfOneContainerThoughItsClockWentBack) {
    feed("a", {lines({{5, "first"}, {2, "second"}})});
    feed("b", {lines({{3, "other"}})});
    history();
    EXPECT_THAT(shown, ElementsAre("b other", "a first", "a second"));
}

TEST_F(ReadingTest, ALogThatCannotBeReadKeepsNoOtherFromIt) {
    feed("a", {Error{.kind = ErrorKind::Denied, .what = "denied"}});
    feed("b", {lines({{1, "1"}})}).unfinished = lines({{2, "unfinished"}});
    history();
    EXPECT_THAT(shown, ElementsAre("a ! denied", "b 1", "b unfinished"));
}

TEST_F(ReadingTest, TheBeginOfALineWaitsForItsEndWhenItIsFollowed) {
    feed("b", {lines({{1, "1"}})}).unfinished = lines({{2, "unfinished"}});
    history(false);
    EXPECT_THAT(shown, ElementsAre("b 1"));
}

TEST_F(ReadingTest, LiveLinesOfAMomentAreInTheOrderOfTime) {
    const LogFeed a{.container = "a", .source = nullptr};
    const LogFeed b{.container = "b", .source = nullptr};
    live.add(b, lines({{2, "2"}, {4, "4"}}));
    live.add(a, lines({{1, "1"}, {3, "3"}}));
    pass(0ms);
    EXPECT_THAT(shown, ElementsAre("a 1", "b 2", "a 3", "b 4"));
    pass(0ms);
    EXPECT_EQ(shown.size(), 4U);
}

TEST_F(ReadingTest, FollowingEndsAMomentAfterTheContainerWithWhatCameLate) {
    ScriptedSource& source = feed("a", {lines({{1, "1"}})});
    Scope scope(io.get_executor());
    follow(scope);
    pass(5s);
    EXPECT_FALSE(outcome);
    ended = true;
    pass(500ms);
    source.reads.push_back(lines({{2, "late"}}));
    source.unfinished = lines({{3, "cut"}});
    pass(800ms);
    EXPECT_FALSE(outcome) << "what comes late begins the wait anew";
    pass(500ms);
    pass(500ms);
    pass(500ms);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome);
    EXPECT_THAT(shown, ElementsAre("a 1", "a late", "a cut"));
}

TEST_F(ReadingTest, FollowingWaitsForAContainerAndForItsLog) {
    feeds.push_back({.container = "a", .source = nullptr});
    comes = {Error{.kind = ErrorKind::NotFound, .what = "no log yet"},
             Error{.kind = ErrorKind::NotFound, .what = "no log yet"}, lines({{1, "1"}})};
    Scope scope(io.get_executor());
    follow(scope);
    pass(10s);
    EXPECT_THAT(shown, IsEmpty());
    created = true;
    for (int i = 0; i < 4; ++i) pass(1s);
    EXPECT_THAT(shown, ElementsAre("! no log yet", "a 1"));
    ended = true;
    for (int i = 0; i < 4; ++i) pass(1s);
    ASSERT_TRUE(outcome);
}

TEST_F(ReadingTest, FollowingEndsWithTheReasonWhenTheLogNeverComes) {
    feed("a", {});
    auto& source = static_cast<ScriptedSource&>(*feeds.front().source);
    for (int i = 0; i < 20; ++i) source.reads.push_back(Error{.kind = ErrorKind::NotFound, .what = "no log"});
    ended = true;
    Scope scope(io.get_executor());
    follow(scope);
    for (int i = 0; i < 4; ++i) pass(1s);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error().what, "no log");
}

TEST_F(ReadingTest, FollowingLeavesALogThatCannotBeRead) {
    feeds.push_back({.container = "a", .source = nullptr});
    refused = true;
    Scope scope(io.get_executor());
    follow(scope);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error().what, "its log driver is none");
}

TEST_F(ReadingTest, FollowingEndsWithAContainerThatWasNeverCreated) {
    feeds.push_back({.container = "a", .source = nullptr});
    ended = true;
    Scope scope(io.get_executor());
    follow(scope);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome);
}

TEST(LogPlaces, AreAskedOfTheAgentWhoseWordsArePassedOnWithARemedy) {
    Reply reply{.status = 200,
                .body = R"({"task":"t","containers":[{"name":"web"},{"name":"pause","internal":true}]})"};
    std::string asked;
    const AskAgent agent = [&](const std::string& target) {
        asked = target;
        return Result<Reply>(reply);
    };
    const auto task = ask_log_places(agent, "arn:aws:x/y z");
    ASSERT_TRUE(task) << task.error().what;
    EXPECT_EQ(asked, "/v1/logs?id=arn%3Aaws%3Ax%2Fy%20z");
    EXPECT_THAT(*shown_containers(*task, ""), ElementsAre("web"));
    EXPECT_THAT(*shown_containers(*task, "pause"), ElementsAre("pause"));
    EXPECT_THAT(shown_containers(*task, "db").error().what, HasSubstr("no container db; it has web, pause"));

    reply = {.status = 409, .body = R"({"error":"2 tasks begin with a; give more of the id"})"};
    EXPECT_THAT(ask_log_places(agent, "a").error().what,
                HasSubstr("2 tasks begin with a; give more of the id; ecs-node tasks"));
    reply = {.status = 404, .body = "404 page not found\n"};
    EXPECT_THAT(ask_log_places(agent, "a").error().what, HasSubstr("older than this ecs-node"));
}

}  // namespace
}  // namespace nodeagent::cli
