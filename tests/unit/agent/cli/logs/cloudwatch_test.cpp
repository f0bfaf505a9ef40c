#include "agent/cli/logs/cloudwatch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/json.hpp"
#include "agent/cli/logs/caller_credentials.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/fixed_credentials.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/agent/cli/logs/run_on.hpp"

namespace nodeagent::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A stream of so many events, "0", "1" ... a second each; pages of three. Tokens are f/N and b/N.
class Stream {
  public:
    int events = 0;
    std::vector<std::string> asked;

    Result<net::HttpResponse> operator()(const net::HttpRequest& request) {
        asked.push_back(request.body);
        const Json wanted = *parse_json(request.body);
        const std::string token = wanted.value("nextToken", "");
        const int limit = std::min<int>(3, wanted.value("limit", 3));
        int begin = 0;
        int end = events;
        if (token.starts_with("f/")) begin = std::stoi(token.substr(2));
        if (token.starts_with("b/")) end = std::stoi(token.substr(2));
        if (wanted.value("startFromHead", false)) {
            end = std::min(end, begin + limit);
        } else {
            begin = std::max(begin, end - limit);
        }
        Json page{{"events", Json::array()},
                  {"nextForwardToken", "f/" + std::to_string(end)},
                  {"nextBackwardToken", "b/" + std::to_string(begin)}};
        for (int i = begin; i < end; ++i) {
            page["events"].push_back({{"timestamp", i * 1000}, {"message", std::to_string(i)}});
        }
        net::HttpResponse response;
        response.status = 200;
        response.body = dump_json(page);
        return response;
    }
};

class CloudWatchTest : public testing::Test {
  protected:
    void open(LogWindow window = {}) {
        source = cloudwatch_source(
            {.http = http, .credentials = keys, .clock = clock},
            {.group = "shop", .stream = "web/1", .region = "eu-west-1", .endpoint = "http://logs"}, window);
    }
    void serve() {
        http.on("POST", "http://logs/").answer([this](const net::HttpRequest& request) { return stream(request); });
    }
    std::vector<std::string> read() {
        std::vector<std::string> out;
        for (;;) {
            const auto lines = test::run_on(io, source->read(Reading::Live));
            EXPECT_TRUE(lines) << lines.error().what;
            if (!lines || lines->empty()) return out;
            for (const LogLine& line : *lines) out.push_back(line.text);
        }
    }
    Error refused(const std::string& code, const std::string& message, int status = 400) {
        http.on("POST", "http://logs/").reply(status, R"({"__type":")" + code + R"(","message":")" + message + "\"}");
        const auto lines = test::run_on(io, source->read(Reading::Live));
        EXPECT_FALSE(lines);
        return lines ? Error{} : lines.error();
    }

    asio::io_context io;
    fakes::FakeHttpClient http;
    fakes::FixedCredentials keys;
    fakes::ManualClock clock;
    Stream stream;
    std::unique_ptr<LogSource> source;
};

TEST_F(CloudWatchTest, ReadsPageAfterPageAndGoesOnFromThere) {
    serve();
    stream.events = 7;
    open();
    EXPECT_THAT(read(), ElementsAre("0", "1", "2", "3", "4", "5", "6"));
    stream.events = 9;
    EXPECT_THAT(read(), ElementsAre("7", "8"));
    EXPECT_THAT(read(), IsEmpty());
}

TEST_F(CloudWatchTest, SaysWhichGroupStreamAndBegin) {
    serve();
    open({.since = 5'000'000'000});
    (void)read();
    EXPECT_EQ(stream.asked.front(),
              R"({"logGroupName":"shop","logStreamName":"web/1","startTime":5000,"startFromHead":true})");
    EXPECT_THAT(http.requests.front().headers,
                testing::Contains(testing::Pair("X-Amz-Target", "Logs_20140328.GetLogEvents")));
}

TEST_F(CloudWatchTest, TailGoesBackwardsAndThenForwards) {
    serve();
    stream.events = 10;
    open({.tail = 5});
    EXPECT_THAT(read(), ElementsAre("5", "6", "7", "8", "9"));
    stream.events = 11;
    EXPECT_THAT(read(), ElementsAre("10"));
    open({.tail = 0});
    EXPECT_THAT(read(), IsEmpty());
    stream.events = 12;
    EXPECT_THAT(read(), ElementsAre("11"));
    open({.tail = 100});
    EXPECT_EQ(read().size(), 12U);
}

TEST_F(CloudWatchTest, AStreamThatIsNotThereMayCome) {
    open();
    const Error error = refused("ResourceNotFoundException", "The specified log stream does not exist.");
    EXPECT_EQ(error.kind, ErrorKind::NotFound);
    EXPECT_THAT(error.what, HasSubstr("no log stream web/1 of log group shop in eu-west-1 yet"));
    serve();
    stream.events = 1;
    EXPECT_THAT(read(), ElementsAre("0"));
}

TEST_F(CloudWatchTest, AMissingPermissionIsNamedAndWhoseItIs) {
    open();
    const Error error = refused("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized");
    EXPECT_EQ(error.kind, ErrorKind::Denied);
    EXPECT_THAT(error.what, HasSubstr("need the IAM action logs:GetLogEvents"));
    EXPECT_THAT(error.what, HasSubstr("user/x is not authorized"));
}

TEST_F(CloudWatchTest, KeysThatAreNotTakenAreNoReasonToAskAgain) {
    open();
    EXPECT_EQ(refused("UnrecognizedClientException", "The security token is invalid").kind, ErrorKind::Denied);
}

class CallerCredentialsTest : public testing::Test {
  protected:
    Result<credentials::AwsCredentials> keys(const config::Environment& environment) {
        BlockingPool pool(1);
        const auto provider =
            caller_credentials(environment, http, pool, clock, [this](const std::string& target) -> Result<Reply> {
                asked = target;
                if (silent) return Error{.kind = ErrorKind::Unavailable, .what = "no agent"};
                return Reply{.status = 200, .body = R"({"AccessKeyId":"AGENT","SecretAccessKey":"s","Token":"t"})"};
            });
        return test::run_on(io, provider->get());
    }
    asio::io_context io;
    fakes::FakeHttpClient http;
    fakes::ManualClock clock;
    std::string asked;
    bool silent = false;
};

TEST_F(CallerCredentialsTest, AreTheCallersOwnFirst) {
    const auto own = keys({{"AWS_ACCESS_KEY_ID", "MINE"}, {"AWS_SECRET_ACCESS_KEY", "x"}});
    ASSERT_TRUE(own);
    EXPECT_EQ(own->access_key_id, "MINE");
    EXPECT_EQ(asked, "") << "the agent was asked without need";
}

TEST_F(CallerCredentialsTest, AreElseWhatTheAgentHandsOutToRoot) {
    const auto handed = keys({{"HOME", "/nowhere"}});
    ASSERT_TRUE(handed);
    EXPECT_EQ(handed->access_key_id, "AGENT");
    EXPECT_EQ(handed->source, "the agent's own");
    EXPECT_EQ(asked, "/v1/instance-credentials");
    EXPECT_THAT(http.requests, IsEmpty()) << "the metadata service is the agent's to ask";
}

TEST_F(CallerCredentialsTest, AreMissedByNameWhenNobodyHasAny) {
    silent = true;
    const auto none = keys({{"HOME", "/nowhere"}});
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().what, HasSubstr("AWS_ACCESS_KEY_ID is not set"));
}

}  // namespace
}  // namespace nodeagent::cli
