#include "agent/local/cloudwatch/query_protocol.hpp"

namespace nodeagent::local {
namespace {

TEST(QueryProtocol, ReadsListsAndStructures) {
    const auto request = parse_query_request(
        "Action=PutMetricData&Version=2010-08-01&Namespace=a+b%2Fc&Empty=&"
        "MetricData.member.10.MetricName=ten&MetricData.member.2.MetricName=two&"
        "MetricData.member.2.Dimensions.member.1.Name=d&MetricData.member.2.Dimensions.member.1.Value=%C3%A4&"
        "Values.member.1=1.5&Values.member.2=x");
    ASSERT_TRUE(request) << request.error().what;
    EXPECT_EQ(request->action, "PutMetricData");
    EXPECT_EQ(request->parameters, Json::parse(R"({"Namespace":"a b/c","MetricData":[
        {"MetricName":"two","Dimensions":[{"Name":"d","Value":"ä"}]},{"MetricName":"ten"}],"Values":["1.5","x"]})"));
}

TEST(QueryProtocol, RefusesWhatIsNoRequest) {
    std::string deep = "Action=A&a";
    for (int i = 0; i < 1000; ++i) deep += ".b";
    std::string many = "Action=A";
    for (int i = 0; i < 400'001; ++i) many += "&" + std::to_string(i) + "=1";
    const std::string wrong[] = {
        "",
        "Version=1",
        "Action.member.1=A",
        "member.1=A",
        "Action=A&a=%4",
        "Action=A&a=%FF",
        "Action=A&a=1&a=2",
        "Action=A&a=1&a.b=2",
        "Action=A&a.b=1&a=2",
        "Action=A&a.member.x=1",
        "Action=A&a.member=1",
        "Action=A&a.member.1=1&a.b=1",
        "Action=A&a.member.1234567=1",
        deep + "=1",
        many,
    };
    for (const std::string& body : wrong) {
        const auto refused = parse_query_request(body);
        ASSERT_FALSE(refused) << body.substr(0, 100);
        EXPECT_EQ(refused.error().kind, ErrorKind::Malformed);
    }
}

TEST(QueryProtocol, WritesAnswersAsTheServiceDoes) {
    OrderedJson result;
    result["Label"] = "a<b>&\x01";
    result["Datapoints"] = OrderedJson::array();
    result["Datapoints"].push_back({{"Timestamp", 1767225600.0}, {"Average", 2.5}});
    result["Timestamps"] = {1767225600.0, 1767225660.0};
    EXPECT_EQ(query_answer("GetX", result, "http://x/", "id"),
              "<GetXResponse xmlns=\"http://x/\"><GetXResult><Label>a&lt;b&gt;&amp;?</Label><Datapoints><member>"
              "<Timestamp>2026-01-01T00:00:00Z</Timestamp><Average>2.5</Average></member></Datapoints>"
              "<Timestamps><member>2026-01-01T00:00:00Z</member><member>2026-01-01T00:01:00Z</member></Timestamps>"
              "</GetXResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetXResponse>\n");
}

TEST(QueryProtocol, NamesErrorsAsTheServiceDoes) {
    const ApiError error{.code = "MissingRequiredParameterException", .message = "The parameter X is required."};
    EXPECT_EQ(query_error(error, "http://x/", "id"),
              "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>MissingParameter</Code><Message>The "
              "parameter X is required.</Message></Error><RequestId>id</RequestId></ErrorResponse>\n");
    EXPECT_EQ(query_code("InvalidParameterValueException"), "InvalidParameterValue");
    EXPECT_EQ(query_code("ValidationError"), "ValidationError");
    EXPECT_EQ(query_code("InvalidSignatureException"), "SignatureDoesNotMatch");
}

}  // namespace
}  // namespace nodeagent::local
