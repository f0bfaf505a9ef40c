// CloudWatch as its clients call it: requests in each protocol, answers read back.
#include "agent/local/cloudwatch/service.hpp"

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/local/cloudwatch/cbor.hpp"
#include "agent/local/cloudwatch/query_protocol.hpp"
#include "tests/harness/gzipped.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Minute kMinute{29'453'760min};  // 2026-01-01T00:00:00Z

class CloudWatchTest : public testing::Test {
  protected:
    CloudWatchAnswer answer(const CloudWatchRequest& request) {
        return answer_cloudwatch({.metrics = metrics, .now = now}, request, "id");
    }
    CloudWatchAnswer json(const std::string& operation, const Json& body) {
        const std::string text = body.dump();
        auto request =
            cloudwatch_request("/", "GraniteServiceVersion20100801." + operation, "application/x-amz-json-1.0");
        EXPECT_TRUE(request);
        request->body = text;
        return answer(*request);
    }
    Json call(const std::string& operation, const Json& body) { return Json::parse(json(operation, body).body); }
    CloudWatchAnswer query(const std::string& body, const std::string& encoding = "") {
        auto request = cloudwatch_request("/", "", "application/x-www-form-urlencoded; charset=utf-8");
        EXPECT_TRUE(request);
        request->body = body;
        request->content_encoding = encoding;
        return answer(*request);
    }
    /// The error's code and message; empty if the call succeeded.
    std::string refusal(const std::string& operation, const Json& body) {
        const Json document = call(operation, body);
        if (!document.contains("__type")) return {};
        return document["__type"].get<std::string>() + ": " + document["message"].get<std::string>();
    }

    static Json datum(const std::string& name, const Json& more) {
        Json one{{"MetricName", name}};
        one.update(more);
        return one;
    }
    void put(const Json& one) {
        EXPECT_EQ(refusal("PutMetricData", {{"Namespace", "N"}, {"MetricData", Json::array({one})}}), "");
    }
    std::string put_refusal(const Json& one) {
        return refusal("PutMetricData",
                       {{"Namespace", "N"}, {"MetricData", Json::array({datum("fine", {{"Value", 1}}), one})}});
    }
    static double seconds(Minute minute) { return epoch_seconds(minute); }
    static Json statistics(const std::string& name, Minute from, Minute to, int period = 60) {
        return {{"Namespace", "N"},           {"MetricName", name},
                {"StartTime", seconds(from)}, {"EndTime", seconds(to)},
                {"Period", period},           {"Statistics", {"Sum", "SampleCount", "Average", "Minimum", "Maximum"}}};
    }
    static Json question(const std::string& id, const std::string& name, const std::string& stat = "Sum",
                         int period = 60) {
        return {{"Id", id},
                {"MetricStat",
                 {{"Metric", {{"Namespace", "N"}, {"MetricName", name}}}, {"Period", period}, {"Stat", stat}}}};
    }
    static Json questions(const Json& all, Minute from = kMinute - 1h, Minute to = kMinute + 1h) {
        return {{"MetricDataQueries", all}, {"StartTime", seconds(from)}, {"EndTime", seconds(to)}};
    }
    /// n minutes of a metric up to kMinute, the values 1 to n.
    void put_minutes(const std::string& name, int n) {
        for (int i = 1; i <= n; ++i) {
            metrics.add({.space = "N", .name = name, .dimensions = {}}, "Count", kMinute - (n - i) * 1min,
                        StatisticSet::of(i));
        }
    }

    MetricStore metrics;
    WallTime now = kMinute + 30s;
};

TEST_F(CloudWatchTest, KnowsItsClientsByTheirProtocols) {
    EXPECT_FALSE(
        cloudwatch_request("/", "AmazonEC2ContainerServiceV20141113.ListClusters", "application/x-amz-json-1.1"));
    EXPECT_FALSE(cloudwatch_request("/", "", "application/json"));
    const auto cbor =
        cloudwatch_request("/service/GraniteServiceVersion20100801/operation/ListMetrics", "", "application/cbor");
    ASSERT_TRUE(cbor);
    EXPECT_EQ(cbor->protocol, CloudWatchProtocol::Cbor);
    EXPECT_EQ(cbor->operation, "ListMetrics");
}

TEST_F(CloudWatchTest, GivesBackWhatWasPut) {
    put(datum("m", {{"Value", 2.5}, {"Unit", "Count"}, {"Timestamp", seconds(kMinute)}}));
    put(datum("m", {{"StatisticValues", {{"SampleCount", 3}, {"Sum", 9}, {"Minimum", 1}, {"Maximum", 6}}},
                    {"Unit", "Count"},
                    {"Timestamp", seconds(kMinute) + 59}}));
    put(datum("m", {{"Values", {10, 20}}, {"Counts", {2, 1}}, {"Unit", "Count"}, {"Timestamp", seconds(kMinute) - 1}}));
    const Json body = call("GetMetricStatistics", statistics("m", kMinute - 5min, kMinute + 1min));
    EXPECT_EQ(body["Label"], "m");
    ASSERT_THAT(body["Datapoints"], SizeIs(2));
    EXPECT_EQ(body["Datapoints"][0], (Json{{"Timestamp", seconds(kMinute - 1min)},
                                           {"SampleCount", 3.0},
                                           {"Average", 40.0 / 3},
                                           {"Sum", 40.0},
                                           {"Minimum", 10.0},
                                           {"Maximum", 20.0},
                                           {"Unit", "Count"}}));
    EXPECT_EQ(body["Datapoints"][1]["SampleCount"], 4.0);
    EXPECT_EQ(body["Datapoints"][1]["Sum"], 11.5);
    EXPECT_EQ(body["Datapoints"][1]["Minimum"], 1.0);
}

TEST_F(CloudWatchTest, PutsAtTheTimeOfTheCallAndWithoutUnitUnlessTold) {
    put(datum("m", {{"Value", 1}}));
    const Json body = call("GetMetricStatistics", statistics("m", kMinute, kMinute + 1min));
    ASSERT_THAT(body["Datapoints"], SizeIs(1));
    EXPECT_EQ(body["Datapoints"][0]["Unit"], "None");
    Json bytes = statistics("m", kMinute, kMinute + 1min);
    bytes["Unit"] = "Bytes";
    EXPECT_THAT(call("GetMetricStatistics", bytes)["Datapoints"], IsEmpty());
}

TEST_F(CloudWatchTest, AggregatesPeriodsFromTheStartTimeOn) {
    put_minutes("m", 10);  // minutes -9 to 0, values 1 to 10
    Json request = statistics("m", kMinute - 9min, kMinute + 1min, 300);
    request["Statistics"] = {"Maximum"};
    request["StartTime"] = seconds(kMinute - 9min) + 42;  // rounded down to the minute
    const Json points = call("GetMetricStatistics", request)["Datapoints"];
    ASSERT_THAT(points, SizeIs(2));
    EXPECT_EQ(points[0], (Json{{"Timestamp", seconds(kMinute - 9min)}, {"Maximum", 5.0}, {"Unit", "Count"}}));
    EXPECT_EQ(points[1]["Timestamp"], seconds(kMinute - 4min));
    EXPECT_EQ(points[1]["Maximum"], 10.0);
}

TEST_F(CloudWatchTest, RefusesStatisticsItCannotGive) {
    const auto with = [&](const char* member, const Json& value) {
        Json request = statistics("m", kMinute - 1h, kMinute);
        request[member] = value;
        return refusal("GetMetricStatistics", request);
    };
    EXPECT_EQ(with("Namespace", nullptr), "MissingRequiredParameterException: The parameter Namespace is required.");
    EXPECT_EQ(with("MetricName", nullptr), "MissingRequiredParameterException: The parameter MetricName is required.");
    EXPECT_EQ(with("StartTime", nullptr), "MissingRequiredParameterException: The parameter StartTime is required.");
    EXPECT_EQ(with("Period", nullptr), "MissingRequiredParameterException: The parameter Period is required.");
    EXPECT_EQ(with("Statistics", nullptr), "MissingRequiredParameterException: The parameter Statistics is required.");
    EXPECT_EQ(with("StartTime", seconds(kMinute)),
              "InvalidParameterValueException: The parameter StartTime must not equal parameter EndTime.");
    EXPECT_EQ(with("StartTime", seconds(kMinute + 1min)),
              "InvalidParameterValueException: The parameter StartTime must be less than the parameter EndTime.");
    for (const Json& time : {Json("yesterday"), Json(-1), Json(1e300), Json::array()}) {
        EXPECT_THAT(with("EndTime", time), HasSubstr("InvalidParameterValueException")) << time;
    }
    for (const Json& period :
         {Json(0), Json(30), Json(61), Json(-60), Json(86460), Json(1e300), Json("x"), Json(true)}) {
        EXPECT_THAT(with("Period", period), HasSubstr("InvalidParameterValueException: The parameter Period"))
            << period;
    }
    EXPECT_THAT(with("Statistics", {"Sum", "Median"}),
                HasSubstr("InvalidParameterValueException: The value for parameter Statistics.member.2"));
    EXPECT_THAT(with("ExtendedStatistics", {"p90"}), HasSubstr("InvalidParameterValueException: ecs-local keeps no"));
    EXPECT_THAT(with("Statistics", "Sum"), HasSubstr("SerializationException: Statistics: expected a list"));
    EXPECT_EQ(with("StartTime", seconds(kMinute - 25h)),
              "InvalidParameterCombinationException: You have requested up to 1500 datapoints, which exceeds the limit "
              "of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.");
    EXPECT_EQ(with("StartTime", seconds(kMinute - 24h)), "");
    Json day = statistics("m", kMinute - 24h, kMinute);
    day["StartTime"] = seconds(kMinute - 24h) + 30;
    day["EndTime"] = seconds(kMinute) + 30;
    EXPECT_EQ(refusal("GetMetricStatistics", day), "") << "a day that does not begin with a minute";
}

TEST_F(CloudWatchTest, RefusesDataItCannotKeepAndTakesNothingOfTheRequest) {
    EXPECT_EQ(put_refusal(Json::object()),
              "MissingRequiredParameterException: The parameter MetricData.member.2.MetricName is required.");
    EXPECT_THAT(put_refusal(datum("m", Json::object())),
                HasSubstr("MissingRequiredParameterException: At least one of"));
    const auto one = [&](const Json& more) { return put_refusal(datum("m", more)); };
    for (const Json& value : {Json("NaN"), Json("Infinity"), Json(1e110), Json("x"), Json(true)}) {
        EXPECT_THAT(one({{"Value", value}}), HasSubstr("The value for parameter MetricData.member.2.Value is invalid"));
    }
    EXPECT_THAT(one({{"Value", 1}, {"StatisticValues", Json::object()}}), HasSubstr("mutually exclusive"));
    EXPECT_THAT(one({{"Value", 1}, {"Values", {1}}}), HasSubstr("mutually exclusive"));
    EXPECT_THAT(one({{"StatisticValues", {{"SampleCount", 1}, {"Sum", 1}, {"Minimum", 1}}}}),
                HasSubstr("MetricData.member.2.StatisticValues.Maximum is required"));
    EXPECT_THAT(one({{"StatisticValues", {{"SampleCount", 0}, {"Sum", 1}, {"Minimum", 1}, {"Maximum", 1}}}}),
                HasSubstr("SampleCount must be greater than 0"));
    EXPECT_THAT(one({{"StatisticValues", {{"SampleCount", 1}, {"Sum", 1}, {"Minimum", 2}, {"Maximum", 1}}}}),
                HasSubstr("InvalidParameterCombinationException"));
    EXPECT_THAT(one({{"Values", Json(std::vector<int>(151, 1))}}), HasSubstr("must not have a size greater than 150"));
    EXPECT_THAT(one({{"Values", {1, 2}}, {"Counts", {1}}}), HasSubstr("must have the same size"));
    EXPECT_THAT(one({{"Values", {1}}, {"Counts", {0}}}), HasSubstr("Counts.member.1 must be greater than 0"));
    EXPECT_THAT(one({{"Value", 1}, {"Unit", "Parsec"}}), HasSubstr("MetricData.member.2.Unit"));
    EXPECT_THAT(one({{"Value", 1}, {"StorageResolution", 7}}), HasSubstr("StorageResolution must be 1 or 60"));
    EXPECT_THAT(one({{"Value", 1}, {"Timestamp", seconds(kMinute - 15 * 24h)}}),
                HasSubstr("within the past two weeks"));
    EXPECT_THAT(one({{"Value", 1}, {"Timestamp", seconds(kMinute + 3h)}}), HasSubstr("two hours in the future"));
    const auto dimensions = [&](const Json& list) { return one({{"Value", 1}, {"Dimensions", list}}); };
    EXPECT_THAT(dimensions(Json::array({{{"Name", "a"}}})), HasSubstr("Dimensions.member.1.Value is required"));
    EXPECT_THAT(dimensions(Json::array({{{"Name", "ä"}, {"Value", "b"}}})), HasSubstr("printable ASCII"));
    EXPECT_THAT(dimensions(Json::array({{{"Name", ":a"}, {"Value", "b"}}})), HasSubstr("colon"));
    EXPECT_THAT(dimensions(Json::array({{{"Name", "a"}, {"Value", "b"}}, {{"Name", "a"}, {"Value", "c"}}})),
                HasSubstr("twice"));
    Json many = Json::array();
    for (int i = 0; i < 31; ++i) many.push_back({{"Name", std::to_string(i)}, {"Value", "x"}});
    EXPECT_THAT(dimensions(many), HasSubstr("must not have a size greater than 30"));
    EXPECT_THAT(metrics.metrics(), IsEmpty());

    const Json fine = Json::array({datum("m", {{"Value", 1}})});
    EXPECT_EQ(refusal("PutMetricData", {{"Namespace", "AWS/ECS"}, {"MetricData", fine}}),
              "InvalidParameterValueException: The value AWS/ for parameter Namespace is invalid.");
    EXPECT_THAT(refusal("PutMetricData", {{"MetricData", fine}}), HasSubstr("The parameter Namespace is required."));
    EXPECT_THAT(refusal("PutMetricData", {{"Namespace", "N"}}), HasSubstr("The parameter MetricData is required."));
}

TEST_F(CloudWatchTest, TakesAThousandMetricsAndOneMebibyteButNoMore) {
    Json data = Json::array();
    for (int i = 0; i < 1000; ++i) data.push_back(datum("m" + std::to_string(i), {{"Value", i}}));
    EXPECT_EQ(refusal("PutMetricData", {{"Namespace", "N"}, {"MetricData", data}}), "");
    EXPECT_THAT(metrics.metrics(), SizeIs(1000));
    data.push_back(datum("one more", {{"Value", 1}}));
    EXPECT_EQ(refusal("PutMetricData", {{"Namespace", "N"}, {"MetricData", data}}),
              "InvalidParameterValueException: The collection MetricData must not have a size greater than 1000.");
    const CloudWatchAnswer large = query("Action=ListMetrics&x=" + std::string(1U << 20U, 'x'));
    EXPECT_EQ(large.status, 413U);
    EXPECT_THAT(large.body,
                AllOf(HasSubstr("<Code>RequestEntityTooLarge</Code>"), HasSubstr("exceeded 1048576 bytes")));
}

TEST_F(CloudWatchTest, SaysWhenThereIsNoRoomForANewMetric) {
    metrics = MetricStore({.metrics = 1});
    put(datum("first", {{"Value", 1}}));
    EXPECT_EQ(put_refusal(datum("first", {{"Value", 2}})),
              "LimitExceededException: ecs-local keeps 1 metrics at most; new ones of this request were not kept.");
    const Json body = call("GetMetricStatistics", statistics("first", kMinute, kMinute + 1min));
    EXPECT_EQ(body["Datapoints"][0]["Sum"], 3.0);
}

TEST_F(CloudWatchTest, UnpacksGzip) {
    std::string form = "Action=PutMetricData&Version=2010-08-01&Namespace=ECS%2FContainerInsights";
    for (int i = 1; i <= 1000; ++i) {
        const std::string at = "&MetricData.member." + std::to_string(i) + ".";
        form += at + "MetricName=CpuUtilized" + at + "Value=" + std::to_string(i) + at + "Unit=None" + at +
                "Dimensions.member.1.Name=TaskId" + at + "Dimensions.member.1.Value=" + std::string(1000, 'a') +
                std::to_string(i);
    }
    ASSERT_GT(form.size(), 1U << 20U) << "more than the limit before it is packed";
    EXPECT_EQ(query(test::gzipped(form), "gzip").status, 200U);
    EXPECT_THAT(metrics.metrics(), SizeIs(1000));
    EXPECT_THAT(query(form.substr(0, 100), "gzip").body, HasSubstr("<Code>MalformedInput</Code>"));
    EXPECT_THAT(query(test::gzipped(form), "br").body, HasSubstr("<Code>MalformedInput</Code>"));
    const CloudWatchAnswer bomb = query(test::gzipped(std::string(9U << 20U, 'x')), "gzip");
    EXPECT_EQ(bomb.status, 413U);
    EXPECT_THAT(bomb.body, HasSubstr("<Code>RequestEntityTooLarge</Code>"));
}

TEST_F(CloudWatchTest, ListsMetricsByWhatTheyAreAskedFor) {
    const auto dimensions = [](const Json& map) {
        Json list = Json::array();
        for (const auto& [name, value] : map.items()) list.push_back({{"Name", name}, {"Value", value}});
        return Json{{"Value", 1}, {"Dimensions", list}};
    };
    put(datum("a", dimensions({{"Cluster", "c"}})));
    put(datum("a", dimensions({{"Cluster", "c"}, {"Service", "s"}})));
    put(datum("b", dimensions({{"Cluster", "d"}})));
    metrics.add({.space = "N", .name = "quiet", .dimensions = {}}, "None", kMinute - 4h, StatisticSet::of(1));
    const auto count = [&](const Json& request) { return call("ListMetrics", request)["Metrics"].size(); };
    EXPECT_EQ(count(Json::object()), 4U);
    EXPECT_EQ(count({{"Namespace", "N"}, {"MetricName", "a"}}), 2U);
    EXPECT_EQ(count({{"Namespace", "M"}}), 0U);
    EXPECT_EQ(count({{"Dimensions", Json::array({{{"Name", "Cluster"}}})}}), 3U);
    EXPECT_EQ(count({{"Dimensions", Json::array({{{"Name", "Cluster"}, {"Value", "c"}}})}}), 2U);
    EXPECT_EQ(count({{"RecentlyActive", "PT3H"}}), 3U);
    EXPECT_THAT(refusal("ListMetrics", {{"RecentlyActive", "PT4H"}}), HasSubstr("InvalidParameterValueException"));
    EXPECT_EQ(call("ListMetrics", {{"MetricName", "b"}})["Metrics"][0],
              Json::parse(R"({"Namespace":"N","MetricName":"b","Dimensions":[{"Name":"Cluster","Value":"d"}]})"));
}

TEST_F(CloudWatchTest, PagesThroughMetrics) {
    for (int i = 0; i < 1200; ++i) put_minutes("m" + std::to_string(i), 1);
    std::set<std::string> seen;
    Json request = Json::object();
    for (const std::size_t expected : {500U, 500U, 200U}) {
        const Json page = call("ListMetrics", request);
        EXPECT_EQ(page["Metrics"].size(), expected);
        for (const Json& metric : page["Metrics"]) seen.insert(metric["MetricName"].get<std::string>());
        EXPECT_EQ(page.contains("NextToken"), expected == 500);
        if (page.contains("NextToken")) request["NextToken"] = page["NextToken"];
    }
    EXPECT_THAT(seen, SizeIs(1200));
    for (const std::string token : {"x", "e30=", "WyJhIiwiYiIsMV0="}) {
        EXPECT_THAT(refusal("ListMetrics", {{"NextToken", token}}), HasSubstr("NextToken is invalid")) << token;
    }
}

TEST_F(CloudWatchTest, AnswersSeveralQueriesNewestFirst) {
    put_minutes("m", 3);
    put_minutes("n", 2);
    Json request = questions({question("a", "m"), question("b", "n", "Average"), question("none", "x")});
    request["MetricDataQueries"][1]["Label"] = "called b";
    const Json results = call("GetMetricData", request)["MetricDataResults"];
    ASSERT_THAT(results, SizeIs(3));
    EXPECT_EQ(results[0], (Json{{"Id", "a"},
                                {"Label", "m"},
                                {"Timestamps", {seconds(kMinute), seconds(kMinute - 1min), seconds(kMinute - 2min)}},
                                {"Values", {3.0, 2.0, 1.0}},
                                {"StatusCode", "Complete"}}));
    EXPECT_EQ(results[1]["Label"], "called b");
    EXPECT_EQ(results[2]["Values"], Json::array());
    request["ScanBy"] = "TimestampAscending";
    request["MetricDataQueries"][1]["ReturnData"] = false;
    const Json ascending = call("GetMetricData", request)["MetricDataResults"];
    ASSERT_THAT(ascending, SizeIs(2));
    EXPECT_EQ(ascending[0]["Values"], (Json{1.0, 2.0, 3.0}));
}

TEST_F(CloudWatchTest, PagesThroughData) {
    put_minutes("m", 5);
    put_minutes("n", 4);
    for (const char* order : {"TimestampDescending", "TimestampAscending"}) {
        Json request = questions({question("a", "m"), question("b", "n")});
        request["ScanBy"] = order;
        std::map<std::string, std::vector<double>> values;
        const Json whole = call("GetMetricData", request)["MetricDataResults"];
        request["MaxDatapoints"] = 2;
        for (int pages = 1;; ++pages) {
            ASSERT_LE(pages, 5);
            const Json page = call("GetMetricData", request);
            std::size_t points = 0;
            for (const Json& result : page["MetricDataResults"]) {
                points += result["Values"].size();
                for (const Json& value : result["Values"]) values[result["Id"]].push_back(value);
            }
            EXPECT_LE(points, 2U);
            if (!page.contains("NextToken")) break;
            EXPECT_EQ(page["MetricDataResults"].back()["StatusCode"], "PartialData");
            request["NextToken"] = page["NextToken"];
        }
        EXPECT_EQ(values["a"], whole[0]["Values"].get<std::vector<double>>()) << order;
        EXPECT_EQ(values["b"], whole[1]["Values"].get<std::vector<double>>()) << order;
    }
    Json wrong = questions(Json::array({question("a", "m")}));
    for (const std::string token : {"x", "MTox", "LTE6MQ==", "YTpi"}) {
        wrong["NextToken"] = token;
        EXPECT_THAT(refusal("GetMetricData", wrong), HasSubstr("InvalidNextToken")) << token;
    }
}

TEST_F(CloudWatchTest, RefusesQueriesItCannotAnswer) {
    const auto one = [&](const Json& query) { return refusal("GetMetricData", questions(Json::array({query}))); };
    EXPECT_EQ(one({{"Id", "e"}, {"Expression", "a*2"}}),
              "ValidationError: The parameter MetricDataQueries.member.1.Expression is not supported by ecs-local: it "
              "answers MetricStat queries only.");
    EXPECT_THAT(one(question("A", "m")),
                HasSubstr("MetricDataQueries.member.1.Id is not matching the expected pattern"));
    EXPECT_THAT(one({{"Id", "a"}}), HasSubstr("ValidationError: Either parameter"));
    EXPECT_THAT(one(question("a", "m", "p99")), HasSubstr("MetricStat.Stat is not a valid statistic"));
    EXPECT_THAT(one(question("a", "m", "Sum", 10)), HasSubstr("ValidationError: The parameter "
                                                              "MetricDataQueries.member.1.MetricStat.Period"));
    EXPECT_THAT(one(question("a", "")),
                HasSubstr("MetricDataQueries.member.1.MetricStat.Metric.MetricName is required"));
    EXPECT_THAT(refusal("GetMetricData", questions({question("a", "m"), question("a", "n")})), HasSubstr("not unique"));
    EXPECT_THAT(refusal("GetMetricData", questions(Json::array())), HasSubstr("MissingRequiredParameterException"));
    EXPECT_THAT(refusal("GetMetricData", questions(Json::array({question("a", "m")}), kMinute, kMinute - 1h)),
                HasSubstr("ValidationError: The parameter StartTime must be less"));
    Json request = questions(Json::array({question("a", "m")}));
    request["MaxDatapoints"] = 0;
    EXPECT_THAT(refusal("GetMetricData", request), HasSubstr("MaxDatapoints"));
    Json many = Json::array();
    for (int i = 0; i <= 500; ++i) many.push_back(question("q" + std::to_string(i), "m"));
    EXPECT_THAT(refusal("GetMetricData", questions(many)), HasSubstr("must not have a size greater than 500"));
}

TEST_F(CloudWatchTest, SpeaksTheQueryProtocol) {
    EXPECT_EQ(query("Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.MetricName=m&"
                    "MetricData.member.1.Value=2.5&MetricData.member.1.Timestamp=2026-01-01T00%3A00%3A00Z")
                  .body,
              "<PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><PutMetricDataResult>"
              "</PutMetricDataResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
              "</PutMetricDataResponse>\n");
    const CloudWatchAnswer statistics = query(
        "Action=GetMetricStatistics&Version=2010-08-01&Namespace=N&MetricName=m&StartTime=2025-12-31T23%3A00%3A00&"
        "EndTime=2026-01-01T01%3A00%3A00Z&Period=3600&Statistics.member.1=Average");
    EXPECT_EQ(statistics.content_type, "text/xml");
    EXPECT_THAT(statistics.body,
                HasSubstr("<Label>m</Label><Datapoints><member><Timestamp>2026-01-01T00:00:00Z"
                          "</Timestamp><Average>2.5</Average><Unit>None</Unit></member></Datapoints>"));
    const CloudWatchAnswer wrong = query("Action=GetMetricStatistics&Version=2010-08-01");
    EXPECT_EQ(wrong.status, 400U);
    EXPECT_THAT(wrong.body, HasSubstr("<Code>MissingParameter</Code>"));
    EXPECT_THAT(query("Action=DescribeAlarms").body, HasSubstr("<Code>InvalidAction</Code>"));
    EXPECT_THAT(query("nonsense").body, HasSubstr("<Code>MalformedInput</Code>"));
}

TEST_F(CloudWatchTest, SpeaksCbor) {
    const auto cbor = [&](const std::string& operation, const OrderedJson& body) {
        const std::string bytes = dump_cbor(body);
        auto request =
            cloudwatch_request("/service/GraniteServiceVersion20100801/operation/" + operation, "", "application/cbor");
        request->body = bytes;
        return answer(*request);
    };
    OrderedJson one;
    one["MetricName"] = "m";
    one["Value"] = 2.5;
    one["Timestamp"] = seconds(kMinute);
    OrderedJson put;
    put["Namespace"] = "N";
    put["MetricData"] = OrderedJson::array({one});
    EXPECT_EQ(cbor("PutMetricData", put).body, "\xA0");
    const CloudWatchAnswer listed = cbor("ListMetrics", OrderedJson::object());
    EXPECT_EQ(listed.content_type, "application/cbor");
    EXPECT_THAT(listed.headers, ElementsAre(std::pair("smithy-protocol", "rpc-v2-cbor")));
    EXPECT_EQ((*parse_cbor(listed.body))["Metrics"][0]["MetricName"], "m");
    put.erase("Namespace");
    const CloudWatchAnswer wrong = cbor("PutMetricData", put);
    EXPECT_EQ(wrong.status, 400U);
    EXPECT_EQ((*parse_cbor(wrong.body))["__type"], "MissingRequiredParameterException");
    EXPECT_THAT(wrong.headers, testing::Contains(std::pair("x-amzn-query-error", "MissingParameter;Sender")));
}

TEST_F(CloudWatchTest, AnswersAWrongSignatureAsTheServiceDoes) {
    auto request = cloudwatch_request("/", "", "application/x-www-form-urlencoded");
    const CloudWatchAnswer refused =
        refuse_cloudwatch(*request, {.code = "InvalidSignatureException", .message = "no", .status = 403}, "id");
    EXPECT_EQ(refused.status, 403U);
    EXPECT_THAT(refused.body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
}

}  // namespace
}  // namespace nodeagent::local
