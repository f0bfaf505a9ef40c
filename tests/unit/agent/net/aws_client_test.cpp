#include "agent/net/aws_client.hpp"

#include "agent/base/scope.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/fixed_credentials.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::net {
namespace {

using namespace std::chrono_literals;
using fakes::run_until_idle;
using testing::HasSubstr;

std::string header(const HttpRequest& request, std::string_view name) {
    HttpResponse as_response;
    as_response.headers = request.headers;
    return as_response.header(name);
}

using Outcome = std::optional<ServiceResult<std::string>>;

asio::awaitable<void> call(AwsClient& client, Outcome& outcome, std::optional<SteadyTime> deadline) {
    outcome = co_await client.call_json("DoThing", R"({"a":1})", deadline);
}

class AwsClientTest : public testing::Test {
  protected:
    AwsClient client(RetryPolicy policy) {
        AwsService service;
        service.endpoint = "https://ecs.us-west-2.amazonaws.com";
        service.signing_name = "ecs";
        service.region = "us-west-2";
        service.target_prefix = "AmazonEC2ContainerServiceV20141113";
        service.user_agent = "Agent/1";
        return AwsClient({.http = http, .credentials = credentials, .clock = clock}, service, std::move(policy));
    }

    /// Lets the call go on through all its waits; the waits, in order.
    std::vector<std::chrono::nanoseconds> finish(AwsClient& of, Outcome& outcome,
                                                 std::optional<SteadyTime> deadline = std::nullopt) {
        scope.spawn(call(of, outcome, deadline));
        run_until_idle(io);
        std::vector<std::chrono::nanoseconds> waits;
        while (!outcome && clock.until_next()) {
            waits.push_back(*clock.until_next());
            clock.advance(waits.back(), io);
        }
        return waits;
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FakeHttpClient http;
    fakes::FixedCredentials credentials;
    Scope scope{io.get_executor()};
};

TEST_F(AwsClientTest, SendsASignedJsonRequest) {
    http.on("POST", "*").reply(200, R"({"ok":true})");
    AwsClient ecs = client(standard_retries());
    Outcome outcome;
    EXPECT_TRUE(finish(ecs, outcome).empty());
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_EQ(**outcome, R"({"ok":true})");
    ASSERT_EQ(http.requests.size(), 1U);
    const HttpRequest& request = http.requests[0];
    EXPECT_EQ(request.url, "https://ecs.us-west-2.amazonaws.com/");
    EXPECT_EQ(request.body, R"({"a":1})");
    EXPECT_EQ(request.total_timeout, 42s);
    EXPECT_EQ(header(request, "Content-Type"), "application/x-amz-json-1.1");
    EXPECT_EQ(header(request, "X-Amz-Target"), "AmazonEC2ContainerServiceV20141113.DoThing");
    EXPECT_EQ(header(request, "Amz-Sdk-Request"), "attempt=1; max=3");
    EXPECT_EQ(header(request, "User-Agent"), "Agent/1");
    EXPECT_THAT(header(request, "Authorization"),
                HasSubstr("SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;"
                          "x-amz-date;x-amz-target, "));
}

asio::awaitable<void> call_with_form(AwsClient& client, Outcome& outcome) {
    outcome = co_await client.call_gzip_query(std::string("\x1f\x8b\0", 3));
}

TEST_F(AwsClientTest, SendsACompressedFormAsItIsAndSignsThatItIsOne) {
    http.on("POST", "*").reply(200, "<PutMetricDataResponse/>");
    AwsClient monitoring = client(standard_retries());
    Outcome outcome;
    scope.spawn(call_with_form(monitoring, outcome));
    run_until_idle(io);
    ASSERT_TRUE(outcome && *outcome);
    const HttpRequest& request = http.requests.at(0);
    EXPECT_EQ(request.body, std::string("\x1f\x8b\0", 3));
    EXPECT_EQ(header(request, "Content-Encoding"), "gzip");
    EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded; charset=utf-8");
    EXPECT_EQ(header(request, "Content-Length"), "3");
    EXPECT_THAT(header(request, "Authorization"), HasSubstr("content-encoding;content-length;content-type;host;"));
}

TEST_F(AwsClientTest, SignsTheSessionTokenOfTemporaryCredentials) {
    http.on("POST", "*").reply(200, "{}");
    credentials.keys.session_token = Secret("TOKEN");
    AwsClient ecs = client(standard_retries());
    Outcome outcome;
    finish(ecs, outcome);
    ASSERT_EQ(http.requests.size(), 1U);
    EXPECT_EQ(header(http.requests[0], "X-Amz-Security-Token"), "TOKEN");
    EXPECT_THAT(header(http.requests[0], "Authorization"), HasSubstr(";x-amz-date;x-amz-security-token;x-amz-target"));
}

TEST_F(AwsClientTest, RetriesWhatMayPassUnderOneInvocationId) {
    http.on("POST", "*")
        .reply(500)
        .reply(400, R"({"__type":"com.amazonaws.ecs#ThrottlingException","message":"slow"})")
        .reply(200, "{}");
    AwsClient ecs = client(standard_retries());
    Outcome outcome;
    const auto waits = finish(ecs, outcome);
    ASSERT_TRUE(outcome && *outcome);
    ASSERT_EQ(http.requests.size(), 3U);
    ASSERT_EQ(waits.size(), 2U);
    EXPECT_LT(waits[0], 2s);
    EXPECT_LT(waits[1], 4s);
    EXPECT_EQ(header(http.requests[2], "Amz-Sdk-Request"), "attempt=3; max=3");
    EXPECT_EQ(header(http.requests[0], "Amz-Sdk-Invocation-Id"), header(http.requests[2], "Amz-Sdk-Invocation-Id"));
}

TEST_F(AwsClientTest, DecodesTheServicesErrorFromHeaderOrBody) {
    http.on("POST", "*")
        .reply(400, R"({"Message":"no such thing"})",
               {{"x-amzn-errortype", "ClientException:http://x"}, {"x-amzn-RequestId", "r-1"}})
        .reply(400, R"({"__type":"a.b#InvalidParameterException","message":"bad"})")
        .reply(403, "<html>proxy</html>");
    AwsClient ecs = client(standard_retries());
    Outcome first;
    finish(ecs, first);
    ASSERT_TRUE(first && !*first);
    EXPECT_EQ(first->error().code, "ClientException");
    EXPECT_EQ(first->error().message, "no such thing");
    EXPECT_EQ(to_error("do it", first->error()).what,
              "do it: ClientException: no such thing (status 400, request id r-1)");
    Outcome second;
    finish(ecs, second);
    EXPECT_TRUE(second->error().is("invalidparameterexception"));
    Outcome third;
    finish(ecs, third);
    EXPECT_EQ(third->error().kind, ErrorKind::Denied);
    EXPECT_EQ(third->error().code, "");
    EXPECT_EQ(http.requests.size(), 3U);
}

TEST_F(AwsClientTest, StopsRetryingWhenTheQuotaIsUsedUp) {
    http.on("POST", "*").reply(503);
    AwsClient ecs = client(submit_retries());
    Outcome outcome;
    const auto waits = finish(ecs, outcome);
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_TRUE(outcome->error().quota_exhausted);
    EXPECT_EQ(http.requests.size(), 101U);
    EXPECT_EQ(waits.back(), 5min);
}

TEST_F(AwsClientTest, EndsAtItsDeadlineWhateverIsLeftToTry) {
    http.on("POST", "*").fail({.kind = ErrorKind::Timeout, .what = "silence"});
    RetryPolicy policy{.max_attempts = 3, .delay = [](int, double) -> std::chrono::nanoseconds { return 50s; }};
    AwsClient ecs = client(policy);
    Outcome outcome;
    finish(ecs, outcome, clock.now().steady + 60s);
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_EQ(outcome->error().kind, ErrorKind::Timeout);
    ASSERT_EQ(http.requests.size(), 2U);
    EXPECT_EQ(http.requests[0].total_timeout, 42s);
    EXPECT_EQ(http.requests[1].total_timeout, 10s);
}

TEST_F(AwsClientTest, SaysThatCredentialsAreMissingWithoutAskingTheService) {
    credentials.refusal = "no credentials: tried environment, EC2 role";
    AwsClient ecs = client(standard_retries());
    Outcome outcome;
    EXPECT_TRUE(finish(ecs, outcome).empty());
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_EQ(outcome->error().kind, ErrorKind::Denied);
    EXPECT_THAT(outcome->error().message, HasSubstr("tried environment, EC2 role"));
    EXPECT_TRUE(http.requests.empty());
}

}  // namespace
}  // namespace nodeagent::net
