#include "agent/ecs/instance_tags.hpp"

#include "tests/unit/agent/ecs/fixture.hpp"

namespace nodeagent::ecs {
namespace {

using Outcome = std::optional<Result<std::vector<model::Tag>>>;

constexpr const char* kAnswer = R"(<?xml version="1.0" encoding="UTF-8"?>
<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><tagSet>
<item><resourceId>i-1</resourceId><resourceType>instance</resourceType><key>team</key><value>a &amp; b &lt;c&gt;</value></item>
<item><resourceId>i-1</resourceId><resourceType>instance</resourceType><key>empty</key><value/></item>
</tagSet></DescribeTagsResponse>)";

asio::awaitable<void> ask(net::AwsClient& ec2, Outcome& outcome) {
    outcome = co_await describe_instance_tags(ec2, "i-1");
}

class InstanceTagsTest : public EcsTest {
  protected:
    InstanceTagsTest() {
        net::AwsService service;
        service.endpoint = "https://ec2.us-west-2.amazonaws.com";
        service.signing_name = "ec2";
        service.region = "us-west-2";
        ec2 = std::make_unique<net::AwsClient>(
            net::AwsTransport{.http = http, .credentials = credentials, .clock = clock}, service,
            net::standard_retries(5));
    }
    Result<std::vector<model::Tag>> describe() {
        Outcome outcome;
        scope.spawn(ask(*ec2, outcome));
        let_pass([&outcome] { return outcome.has_value(); });
        return *outcome;
    }
    std::unique_ptr<net::AwsClient> ec2;
};

TEST_F(InstanceTagsTest, AsksForOnePageOfThisInstancesTags) {
    http.on("POST", "https://ec2.us-west-2.amazonaws.com/").reply(200, kAnswer);
    const auto tags = describe();
    ASSERT_TRUE(tags) << tags.error().what;
    EXPECT_THAT(*tags, testing::ElementsAre(model::Tag{.key = "team", .value = "a & b <c>"},
                                            model::Tag{.key = "empty", .value = ""}));
    EXPECT_EQ(http.requests.at(0).body,
              "Action=DescribeTags&Version=2016-11-15&Filter.1.Name=resource-id&Filter.1.Value.1=i-1"
              "&Filter.2.Name=resource-type&Filter.2.Value.1=instance&MaxResults=50");
}

TEST_F(InstanceTagsTest, TriesFiveTimesAndTellsEc2sReason) {
    http.on("POST", "*")
        .reply(503,
               "<Response><Errors><Error><Code>Unavailable</Code><Message>come back</Message>"
               "</Error></Errors><RequestID>r-9</RequestID></Response>");
    const auto tags = describe();
    ASSERT_FALSE(tags);
    EXPECT_EQ(http.requests.size(), 5U);
    EXPECT_EQ(tags.error().what, "describe the tags of i-1: Unavailable: come back (status 503, request id r-9)");
}

TEST(DescribeTags, OtherDocumentsAreMalformed) {
    EXPECT_EQ(parse_describe_tags("<html>").error().kind, ErrorKind::Malformed);
    EXPECT_TRUE(parse_describe_tags("<DescribeTagsResponse><tagSet/></DescribeTagsResponse>")->empty());
    EXPECT_TRUE(parse_describe_tags("<DescribeTagsResponse><tagSet><item><key>cut").has_value());
}

}  // namespace
}  // namespace nodeagent::ecs
