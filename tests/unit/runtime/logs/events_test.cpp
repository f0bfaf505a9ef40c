#include "runtime/logs/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/json.hpp"
#include "runtime/logs/text.hpp"

namespace nodeagent::runtime::logs {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kMillisecond = 1'000'000;

struct Published {
    explicit Published(const Pattern* pattern = nullptr) : maker(pattern, 5000, batch, [this] { publish(); }) {}
    void publish() {
        if (batch.empty()) return;
        const Json request = Json::parse(batch.request("g", "s", ""));
        requests.emplace_back();
        for (const Json& event : request["logEvents"]) {
            requests.back().push_back(event["timestamp"].dump() + " " + event["message"].get<std::string>());
        }
        batch.clear();
    }
    void line(std::string_view text, std::int64_t time) {
        Message message;
        message.text = text;
        message.time = time * kMillisecond;
        maker.add(message);
    }
    Batch batch;
    EventMaker maker;
    std::vector<std::vector<std::string>> requests;
};

TEST(EventMaker, LeavesOutEmptyLinesAndKeepsOrderWithinAMillisecond) {
    Published out;
    out.line("b", 2);
    out.line("", 2);
    out.line("c", 2);
    out.line("a", 1);
    out.publish();
    EXPECT_THAT(out.requests, ElementsAre(ElementsAre("1 a", "2 b", "2 c")));
}

TEST(EventMaker, PublishesBeforeABatchHasTooManyEvents) {
    Published out;
    for (int i = 0; i < 10'001; ++i) out.line("x", 1);
    ASSERT_EQ(out.requests.size(), 1U);
    EXPECT_EQ(out.requests[0].size(), 10'000U);
    EXPECT_EQ(out.batch.count(), 1U);
}

TEST(EventMaker, PublishesBeforeABatchHasTooManyBytes) {
    Published out;
    const std::string event(kBatchBytes / 8 - kEventOverhead, 'x');
    for (int i = 0; i < 9; ++i) out.line(event, 1);
    ASSERT_EQ(out.requests.size(), 1U);
    EXPECT_EQ(out.requests[0].size(), 8U);
}

TEST(EventMaker, KeepsABatchWithinADay) {
    Published out;
    out.line("old", 1);
    out.line("new", 25LL * 3600 * 1000);
    out.publish();
    EXPECT_EQ(out.requests.size(), 2U);
}

TEST(EventMaker, SplitsAtCharactersAndCountsBrokenBytesAsThree) {
    Published out;
    std::string text(kMaxEvent - 1, 'x');
    text += "\xc3\xa4";  // would be cut in half
    out.line(text, 1);
    out.line(std::string(100'000, '\xff'), 1);
    out.publish();
    ASSERT_EQ(out.requests[0].size(), 4U);
    EXPECT_EQ(out.requests[0][1], "1 \xc3\xa4");
    EXPECT_EQ(out.requests[0][2].size(), 2U + kMaxEvent / 3 * 3);
}

TEST(EventMaker, JoinsLinesUntilThePatternMatches) {
    const auto pattern = compile_pattern("^\\d");
    Published out(pattern->get());
    out.line("before", 1);
    out.line("1 one", 2);
    out.line("", 3);
    out.line("  more", 4);
    out.line("2 two", 5);
    EXPECT_EQ(out.maker.lines_held(), 1U);
    out.maker.end();
    out.publish();
    EXPECT_THAT(out.requests, ElementsAre(ElementsAre("1 before\n", "2 1 one\n\n  more\n", "5 2 two\n")));
}

TEST(EventMaker, SendsAnUnfinishedEventThatIsOldEnough) {
    const auto pattern = compile_pattern("^\\d");
    Published out(pattern->get());
    out.line("1 one", 1000);
    out.maker.tick(5999);
    EXPECT_TRUE(out.batch.empty());
    out.maker.tick(6000);
    EXPECT_EQ(out.batch.count(), 1U);
    // Docker's quirk: what follows keeps the older time
    out.line("more", 7000);
    out.maker.end();
    out.publish();
    EXPECT_THAT(out.requests, ElementsAre(ElementsAre("1000 1 one\n", "1000 more\n")));
}

TEST(Text, IsEscapedForJson) {
    std::string out;
    append_json(out, "a\"\\\n\x01<\xff\xe2\x80\xa8", false);
    EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0001<\\ufffd\xe2\x80\xa8\"");
    out.clear();
    append_json(out, "<\t\xe2\x80\xa8", true);
    EXPECT_EQ(out, "\"\\u003c\\u0009\\u2028\"");
}

}  // namespace
}  // namespace nodeagent::runtime::logs
