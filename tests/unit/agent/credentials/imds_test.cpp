#include "agent/credentials/imds.hpp"

#include <gmock/gmock.h>

#include "agent/credentials/instance_facts.hpp"
#include "outcome.hpp"
#include "tests/fakes/fake_http_client.hpp"

namespace nodeagent::credentials {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

const Error kNoAnswer{.kind = ErrorKind::Timeout, .what = "timed out"};

class ImdsTest : public testing::Test {
  protected:
    ImdsTest() {
        http.on("PUT", "*/latest/api/token").reply(200, "token-1", {{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300"}});
    }
    Result<std::string> run(asio::awaitable<Result<std::string>> call) {
        return outcome_of(io, clock, std::move(call));
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FakeHttpClient http;
    Imds imds{http, clock, ImdsOptions{}};
};

TEST_F(ImdsTest, AsksForATokenOnceAndSendsItAlong) {
    http.on("GET", "*/meta-data/local-ipv4").reply(200, "10.0.0.1");
    EXPECT_EQ(*run(imds.local_ipv4()), "10.0.0.1");
    EXPECT_EQ(*run(imds.local_ipv4()), "10.0.0.1");
    ASSERT_EQ(http.requests.size(), 3U);
    EXPECT_EQ(http.requests[0].method, "PUT");
    EXPECT_THAT(http.requests[0].headers, Contains(Pair("x-aws-ec2-metadata-token-ttl-seconds", "300")));
    EXPECT_EQ(http.requests[1].url, "http://169.254.169.254/latest/meta-data/local-ipv4");
    EXPECT_THAT(http.requests[1].headers, Contains(Pair("x-aws-ec2-metadata-token", "token-1")));
    EXPECT_EQ(http.requests[1].connect_timeout, 250ms);
    EXPECT_FALSE(http.requests[1].use_proxy);
}

TEST_F(ImdsTest, RenewsATokenThatExpired) {
    http.on("GET", "*").reply(200, "x");
    (void)run(imds.local_ipv4());
    clock.advance(301s);
    (void)run(imds.local_ipv4());
    EXPECT_EQ(http.count("PUT", "*"), 2U);
}

TEST_F(ImdsTest, GetsANewTokenWhenTheOldOneIsRefused) {
    http.on("PUT", "*").reply(200, "old", {{"x-aws-ec2-metadata-token-ttl-seconds", "300"}}).reply(200, "new");
    http.on("GET", "*").reply(401).reply(200, "fine");
    EXPECT_EQ(*run(imds.ipv6()), "fine");
    EXPECT_THAT(http.requests.back().headers, Contains(Pair("x-aws-ec2-metadata-token", "new")));
}

TEST_F(ImdsTest, FallsBackToVersionOneAndStaysThere) {
    http.on("PUT", "*").reply(403);
    http.on("GET", "*").reply(200, "v1");
    EXPECT_EQ(*run(imds.public_ipv4()), "v1");
    EXPECT_EQ(*run(imds.public_ipv4()), "v1");
    EXPECT_EQ(http.count("PUT", "*"), 1U);
    EXPECT_TRUE(http.requests.back().headers.empty());
}

TEST_F(ImdsTest, WantsTokensAgainAfterA401) {
    http.on("PUT", "*").fail(kNoAnswer).reply(200, "token-2");
    http.on("GET", "*").reply(401).reply(200, "v2");
    EXPECT_EQ(*run(imds.ipv6()), "v2");
    EXPECT_EQ(http.count("PUT", "*"), 2U);
}

TEST_F(ImdsTest, RefusesVersionOneWhenItIsDisabled) {
    ImdsOptions options;
    options.v1_allowed = false;
    Imds strict(http, clock, options);
    http.on("PUT", "*").reply(403);
    const Result<std::string> got = run(strict.ipv6());
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, HasSubstr("IMDSv1 is disabled"));
    EXPECT_EQ(http.count("GET", "*"), 0U);
}

TEST_F(ImdsTest, GivesUpOnAMalformedTokenRequest) {
    http.on("PUT", "*").reply(400);
    EXPECT_THAT(run(imds.ipv6()).error().what, HasSubstr("status 400"));
    EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(ImdsTest, TriesFiveTimesWithinFiveSeconds) {
    http.on("GET", "*").reply(500);
    const SteadyTime begun = clock.now().steady;
    const Result<std::string> got = run(imds.mac());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(http.count("GET", "*"), 5U);
    EXPECT_LE(clock.now().steady - begun, 5s);
}

TEST_F(ImdsTest, DoesNotRepeatWhatIsNotThere) {
    http.on("GET", "*").reply(404);
    const Result<std::string> got = run(imds.spot_instance_action());
    EXPECT_EQ(got.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(got.error().what, "instance metadata meta-data/spot/instance-action: status 404");
    EXPECT_EQ(http.count("GET", "*"), 1U);
}

TEST_F(ImdsTest, RemembersWhatCannotChange) {
    http.on("GET", "*/instance-id").reply(200, "i-1").reply(200, "i-2");
    http.on("GET", "*/ipv6").reply(200, "a").reply(200, "b");
    EXPECT_EQ(*run(imds.instance_id()), "i-1");
    EXPECT_EQ(*run(imds.instance_id()), "i-1");
    EXPECT_EQ(*run(imds.ipv6()), "a");
    EXPECT_EQ(*run(imds.ipv6()), "b");
}

TEST_F(ImdsTest, IsPatientAboutTheInstanceId) {
    http.on("GET", "*/instance-id").reply(404).reply(404).reply(200, "i-1");
    EXPECT_EQ(*run(imds.instance_id()), "i-1");
    EXPECT_EQ(http.count("GET", "*"), 3U);
}

TEST_F(ImdsTest, MakesNoRequestWhenBlackholed) {
    Imds closed(http, clock, imds_options({}, true));
    const Result<std::string> got = run(closed.instance_id());
    ASSERT_FALSE(got);
    EXPECT_TRUE(is_blackholed(got.error()));
    EXPECT_THAT(got.error().what, HasSubstr("blackholed"));
    EXPECT_TRUE(http.requests.empty());
    EXPECT_FALSE(clock.until_next()) << "and does not wait either";
}

TEST_F(ImdsTest, ReadsTheIdentityDocument) {
    http.on("GET", "*/document").reply(200, R"({"region":"eu-west-1","instanceId":"i-9","instanceType":"c7g.large"})");
    const Result<InstanceIdentity> got = outcome_of(io, clock, imds.identity());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->region, "eu-west-1");
    EXPECT_EQ(got->instance_type, "c7g.large");
    (void)outcome_of(io, clock, imds.identity());
    EXPECT_EQ(http.count("GET", "*/document"), 1U);
}

TEST_F(ImdsTest, RefusesAnIdentityDocumentWithoutARegion) {
    http.on("GET", "*/document").reply(200, "[]");
    EXPECT_THAT(outcome_of(io, clock, imds.identity()).error().what, HasSubstr("names no region"));
}

TEST_F(ImdsTest, AnswersConfigurationBeforeThereIsAShard) {
    http.on("GET", "*/user-data").reply(200, "{}");
    http.on("GET", "*/document").reply(200, R"({"region":"eu-west-1"})");
    InstanceFacts facts(http, clock, ImdsOptions{});
    EXPECT_EQ(*facts.user_data(), "{}");
    EXPECT_EQ(*facts.identity_region(), "eu-west-1");
}

TEST(ImdsOptionsTest, FollowTheSdksVariables) {
    EXPECT_EQ(imds_options({}, false).endpoint, "http://169.254.169.254");
    EXPECT_EQ(imds_options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}}, false).endpoint,
              "http://[fd00:ec2::254]");
    EXPECT_EQ(imds_options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:80/"}}, false).endpoint,
              "http://127.0.0.1:80");
    EXPECT_FALSE(imds_options({{"AWS_EC2_METADATA_DISABLED", "TRUE"}}, false).refusal.empty());
    EXPECT_FALSE(imds_options({{"AWS_EC2_METADATA_V1_DISABLED", "true"}}, false).v1_allowed);
}

}  // namespace
}  // namespace nodeagent::credentials
