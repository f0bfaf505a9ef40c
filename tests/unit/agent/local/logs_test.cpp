// CloudWatch Logs as ecs-local plays it: the limits and errors that senders have to live with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/local/logs/filter_pattern.hpp"
#include "agent/local/logs/operations.hpp"

namespace nodeagent::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
constexpr std::int64_t kHour = 3600LL * 1000;

class LogsTest : public testing::Test {
  protected:
    ApiResult call(const std::string& operation, const Json& request) {
        LogsApi api{.store = store, .identity = identity, .now = now};
        return answer_logs(api, "Logs_20140328." + operation, dump_json(request));
    }
    OrderedJson good(const std::string& operation, const Json& request) {
        const ApiResult result = call(operation, request);
        EXPECT_TRUE(result) << operation << ": " << result.error().code << ": " << result.error().message;
        return result ? result->body : OrderedJson();
    }
    /// "Code: message"
    std::string refused(const std::string& operation, const Json& request) {
        const ApiResult result = call(operation, request);
        EXPECT_FALSE(result) << operation << " was taken";
        return result ? "" : result.error().code + ": " + result.error().message;
    }
    void make(const std::string& group, const std::vector<std::string>& streams) {
        good("CreateLogGroup", {{"logGroupName", group}});
        for (const std::string& stream : streams) {
            good("CreateLogStream", {{"logGroupName", group}, {"logStreamName", stream}});
        }
    }
    static Json event(std::int64_t time, const std::string& message) {
        return {{"timestamp", time}, {"message", message}};
    }
    static Json put(const std::vector<Json>& events, const std::string& stream = "s") {
        return {{"logGroupName", "g"}, {"logStreamName", stream}, {"logEvents", events}};
    }
    static Json get(Json more = Json::object()) {
        more["logGroupName"] = "g";
        more["logStreamName"] = "s";
        return more;
    }
    static std::vector<std::string> messages(const OrderedJson& page) {
        std::vector<std::string> out;
        for (const auto& one : page.at("events")) out.push_back(one.at("message"));
        return out;
    }
    static std::vector<Json> many(std::size_t count, const std::string& message) {
        std::vector<Json> events;
        for (std::size_t i = 0; i < count; ++i) events.push_back(event(kNow, message));
        return events;
    }

    LogStore store;
    Identity identity;
    std::int64_t now = kNow;
};

TEST_F(LogsTest, GroupsAndStreamsAreMadeOnceAndMissedByName) {
    make("g", {"s"});
    EXPECT_THAT(refused("CreateLogGroup", {{"logGroupName", "g"}}), HasSubstr("ResourceAlreadyExistsException"));
    EXPECT_THAT(refused("CreateLogStream", {{"logGroupName", "g"}, {"logStreamName", "s"}}),
                HasSubstr("ResourceAlreadyExistsException: The specified log stream already exists"));
    EXPECT_THAT(refused("CreateLogStream", {{"logGroupName", "h"}, {"logStreamName", "s"}}),
                HasSubstr("ResourceNotFoundException: The specified log group"));
    EXPECT_THAT(refused("PutLogEvents", put(many(1, "x"), "t")),
                HasSubstr("ResourceNotFoundException: The specified log stream"));
    EXPECT_THAT(refused("GetLogEvents", {{"logGroupName", "h"}, {"logStreamName", "s"}}),
                HasSubstr("ResourceNotFoundException"));
    EXPECT_THAT(refused("CreateLogGroup", {{"logGroupName", "no blanks"}}), HasSubstr("InvalidParameterException"));
    EXPECT_THAT(refused("CreateLogStream", {{"logGroupName", "g"}, {"logStreamName", "a:b"}}),
                HasSubstr("InvalidParameterException"));
    good("DeleteLogGroup", {{"logGroupName", "g"}});
    EXPECT_THAT(refused("GetLogEvents", get()), HasSubstr("ResourceNotFoundException"));
    EXPECT_THAT(refused("NoSuchOperation", Json::object()), HasSubstr("UnknownOperationException"));
}

TEST_F(LogsTest, ThereAreSoManyGroupsAndStreamsOnly) {
    store = LogStore({.groups = 1, .streams = 2, .bytes = 1U << 20U});
    make("g", {"a", "b"});
    EXPECT_THAT(refused("CreateLogGroup", {{"logGroupName", "h"}}), HasSubstr("LimitExceededException"));
    EXPECT_THAT(refused("CreateLogStream", {{"logGroupName", "g"}, {"logStreamName", "c"}}),
                HasSubstr("LimitExceededException"));
}

TEST_F(LogsTest, ABatchHasTenThousandEventsAtMost) {
    make("g", {"s"});
    good("PutLogEvents", put(many(10'000, "x")));
    EXPECT_THAT(refused("PutLogEvents", put(many(10'001, "x"))), HasSubstr("less than or equal to 10000"));
    EXPECT_THAT(refused("PutLogEvents", put(std::vector<Json>{})), HasSubstr("greater than or equal to 1"));
}

TEST_F(LogsTest, ABatchHas1048576BytesAtMostWith26ForEachEvent) {
    make("g", {"s"});
    good("PutLogEvents", put({event(kNow, std::string(1'048'576 - 26, 'x'))}));
    EXPECT_THAT(refused("PutLogEvents", put({event(kNow, std::string(1'048'576 - 25, 'x'))})),
                HasSubstr("InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576"));
    good("PutLogEvents", put(many(1024, std::string(1024 - 26, 'x'))));
    EXPECT_THAT(refused("PutLogEvents", put(many(1024, std::string(1025 - 26, 'x')))), HasSubstr("Upload too large"));
}

TEST_F(LogsTest, ABatchSpansADayAtMostInTheOrderOfTime) {
    make("g", {"s"});
    good("PutLogEvents", put({event(kNow - 24 * kHour, "a"), event(kNow, "b")}));
    EXPECT_THAT(refused("PutLogEvents", put({event(kNow - 24 * kHour - 1, "a"), event(kNow, "b")})),
                HasSubstr("cannot span more than 24 hours"));
    EXPECT_THAT(refused("PutLogEvents", put({event(kNow, "b"), event(kNow - 1, "a")})),
                HasSubstr("must be in chronological order"));
    EXPECT_THAT(refused("PutLogEvents", put({event(kNow, "")})), HasSubstr("InvalidParameterException"));
    EXPECT_THAT(refused("PutLogEvents", put({event(-1, "x")})), HasSubstr("InvalidParameterException"));
}

TEST_F(LogsTest, WhatIsTooOldOrTooNewIsLeftOutAndCounted) {
    make("g", {"s"});
    const auto old =
        good("PutLogEvents", put({event(kNow - 14 * 24 * kHour - 2, "a"), event(kNow - 14 * 24 * kHour - 1, "b"),
                                  event(kNow - 14 * 24 * kHour, "c")}));
    EXPECT_EQ(old.at("rejectedLogEventsInfo").at("tooOldLogEventEndIndex"), 2);
    const auto fresh = good("PutLogEvents", put({event(kNow + 2 * kHour, "d"), event(kNow + 2 * kHour + 1, "e")}));
    EXPECT_EQ(fresh.at("rejectedLogEventsInfo").at("tooNewLogEventStartIndex"), 1);
    EXPECT_FALSE(good("PutLogEvents", put({event(kNow, "f")})).contains("rejectedLogEventsInfo"));
    EXPECT_THAT(messages(good("GetLogEvents", get({{"startFromHead", true}}))), ElementsAre("c", "f", "d"));
}

TEST_F(LogsTest, PagesGoForwardAndNewEventsFollowTheLastToken) {
    make("g", {"s"});
    good("PutLogEvents", put({event(kNow, "1"), event(kNow, "2"), event(kNow + 1, "3")}));
    const auto first = good("GetLogEvents", get({{"startFromHead", true}, {"limit", 2}}));
    EXPECT_THAT(messages(first), ElementsAre("1", "2"));
    const auto second = good("GetLogEvents", get({{"nextToken", first.at("nextForwardToken")}}));
    EXPECT_THAT(messages(second), ElementsAre("3"));
    const auto third = good("GetLogEvents", get({{"nextToken", second.at("nextForwardToken")}}));
    EXPECT_THAT(messages(third), IsEmpty());
    EXPECT_EQ(third.at("nextForwardToken"), second.at("nextForwardToken")) << "the sign that there is no more";
    good("PutLogEvents", put({event(kNow + 1, "4")}));
    EXPECT_THAT(messages(good("GetLogEvents", get({{"nextToken", third.at("nextForwardToken")}}))), ElementsAre("4"));
    EXPECT_THAT(refused("GetLogEvents", get({{"nextToken", "rubbish"}})), HasSubstr("nextToken is invalid"));
}

TEST_F(LogsTest, PagesGoBackwardFromTheEndUnlessTheHeadIsAskedFor) {
    make("g", {"s"});
    good("PutLogEvents", put({event(kNow, "1"), event(kNow + 1, "2"), event(kNow + 2, "3")}));
    const auto last = good("GetLogEvents", get({{"limit", 2}}));
    EXPECT_THAT(messages(last), ElementsAre("2", "3"));
    const auto before = good("GetLogEvents", get({{"limit", 2}, {"nextToken", last.at("nextBackwardToken")}}));
    EXPECT_THAT(messages(before), ElementsAre("1"));
    // the begin counts, the end does not
    EXPECT_THAT(messages(good("GetLogEvents", get({{"startTime", kNow + 1}, {"endTime", kNow + 2}}))),
                ElementsAre("2"));
}

TEST_F(LogsTest, FilteredEventsOfSeveralStreamsAreInTheOrderOfTimeAndInPages) {
    make("g", {"web/1", "web/2", "db/1"});
    good("PutLogEvents", put({event(kNow, "GET ok"), event(kNow + 2, "GET failed")}, "web/1"));
    good("PutLogEvents", put({event(kNow + 1, "PUT failed")}, "web/2"));
    good("PutLogEvents", put({event(kNow + 3, "failed too")}, "db/1"));
    const Json all{{"logGroupName", "g"}, {"filterPattern", "failed"}};
    EXPECT_THAT(messages(good("FilterLogEvents", all)), ElementsAre("PUT failed", "GET failed", "failed too"));
    Json some = all;
    some["logStreamNamePrefix"] = "web/";
    some["limit"] = 1;
    const auto page = good("FilterLogEvents", some);
    EXPECT_THAT(messages(page), ElementsAre("PUT failed"));
    some["nextToken"] = page.at("nextToken");
    const auto next = good("FilterLogEvents", some);
    EXPECT_THAT(messages(next), ElementsAre("GET failed"));
    EXPECT_FALSE(next.contains("nextToken"));
    Json wrong = all;
    wrong["filterPattern"] = "{ $.level = 1 }";
    EXPECT_THAT(refused("FilterLogEvents", wrong), HasSubstr("InvalidParameterException: Invalid filter pattern"));
    wrong = all;
    wrong["logStreamNames"] = {"nosuch"};
    EXPECT_THAT(refused("FilterLogEvents", wrong), HasSubstr("ResourceNotFoundException"));
}

TEST(FilterPattern, KnowsTermsQuotesWithoutAndAny) {
    const auto fits = [](std::string_view pattern, std::string_view message) {
        const auto parsed = FilterPattern::parse(pattern);
        EXPECT_TRUE(parsed) << pattern;
        return parsed && parsed->matches(message);
    };
    EXPECT_TRUE(fits("", "anything"));
    EXPECT_TRUE(fits("b a", "a and b"));
    EXPECT_FALSE(fits("a c", "a and b"));
    EXPECT_FALSE(fits("A", "a and b"));
    EXPECT_TRUE(fits("\"and b\"", "a and b"));
    EXPECT_FALSE(fits("\"b and\"", "a and b"));
    EXPECT_TRUE(fits(R"("say \"hi\"")", R"(they say "hi")"));
    EXPECT_FALSE(fits("a -b", "a and b"));
    EXPECT_TRUE(fits("?x ?b", "a and b"));
    EXPECT_FALSE(fits("?x ?y", "a and b"));
    EXPECT_FALSE(FilterPattern::parse("\"no end"));
    EXPECT_FALSE(FilterPattern::parse("[columns]"));
    EXPECT_FALSE(FilterPattern::parse("-"));
}

TEST_F(LogsTest, WhatThereIsNoRoomForGoesFromTheLongestStreamTheOldestFirst) {
    store = LogStore({.groups = 1, .streams = 2, .bytes = 4 * (64 + 10)});
    make("g", {"s", "t"});
    const std::string text(9, 'x');
    good("PutLogEvents", put({event(kNow, text + "1"), event(kNow + 1, text + "2"), event(kNow + 2, text + "3")}));
    good("PutLogEvents", put({event(kNow, text + "4"), event(kNow + 1, text + "5")}, "t"));
    const auto left = messages(good("GetLogEvents", get()));
    EXPECT_EQ(left.size() + store.forgotten(), 3U);
    EXPECT_GE(store.forgotten(), 1U);
    EXPECT_EQ(left.back(), text + "3");
    const Json other{{"logGroupName", "g"}, {"logStreamName", "t"}};
    EXPECT_THAT(messages(good("GetLogEvents", other)), ElementsAre(text + "4", text + "5"));
}

TEST_F(LogsTest, CallsFailAsOftenAsATestAskedFor) {
    make("g", {"s"});
    store.fault = {.code = "ThrottlingException", .status = 400, .calls = 1};
    EXPECT_THAT(refused("PutLogEvents", put(many(1, "x"))), HasSubstr("ThrottlingException"));
    good("PutLogEvents", put(many(1, "x")));
}

}  // namespace
}  // namespace nodeagent::local
