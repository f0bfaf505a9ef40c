#include "agent/local/tcs_conversation.hpp"

#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kInstance = "arn:aws:ecs:us-west-2:123456789012:container-instance/c/1";
constexpr Minute kMinute{29'453'760min};  // 2026-01-01T00:00:00Z

class TcsConversationTest : public testing::Test {
  protected:
    TcsConversationTest() {
        ContainerInstance instance;
        instance.arn = kInstance;
        instance.cluster = "c";
        instance.status = "ACTIVE";
        for (const char* name : {"CPU", "MEMORY"}) {
            Resource resource;
            resource.name = name;
            resource.integer_value = 1000;
            instance.resources.push_back(resource);
        }
        state.save(instance);
    }

    std::string add_task(const std::string& id) {
        Task task;
        task.arn = "arn:aws:ecs:us-west-2:123456789012:task/c/" + id;
        task.cluster = "c";
        task.instance_arn = kInstance;
        task.last_status = "RUNNING";
        return state.save(task).arn;
    }

    TcsConversation open() {
        TcsConversation conversation(state, telemetry, usage, std::nullopt, 30s,
                                     {.instance_arn = kInstance, .target = "/"});
        conversation.opened(now);
        return conversation;
    }

    /// Each task uses one percent of the instance's CPU and 10 MiB.
    static Json metrics_of(const std::vector<std::string>& tasks, const std::string& id, bool fin,
                           WallTime when = kMinute + 10s) {
        Json message{{"metadata", {{"cluster", "c"}, {"fin", fin}, {"idle", false}, {"messageId", id}}},
                     {"taskMetrics", Json::array()},
                     {"timestamp", epoch_seconds(when)}};
        for (const std::string& task : tasks) {
            Json one = Json::parse(R"({"containerMetrics":[{"containerName":"web",
                "cpuStatsSet":{"max":1,"min":1,"sampleCount":20,"sum":20},
                "memoryStatsSet":{"max":10,"min":10,"sampleCount":20,"sum":200}}]})");
            one["taskArn"] = task;
            message["taskMetrics"].push_back(one);
        }
        return message;
    }
    std::vector<std::string> told(TcsConversation& conversation, const std::string& type, const Json& message) const {
        conversation.received(Json{{"type", type}, {"message", message}}.dump(), now);
        std::vector<std::string> types;
        for (const std::string& frame : conversation.take_frames()) types.push_back(Json::parse(frame)["type"]);
        return types;
    }
    /// The cluster's CPU of the minute; 0 without one.
    double cluster_cpu(Minute minute = kMinute) const {
        const auto found =
            metrics.find({.space = "AWS/ECS", .name = "CPUUtilization", .dimensions = {{"ClusterName", "c"}}},
                         "Percent", minute, minute + 1min);
        return found.empty() ? 0 : found[0].points[0].values.average();
    }

    std::unique_ptr<Store> store = std::move(*Store::open(":memory:"));
    State state{*store, Identity{}};
    Telemetry telemetry;
    MetricStore metrics;
    ClusterUsage usage{state, metrics};
    Instant now{.steady = SteadyTime{} + 1h, .wall = kMinute + 30s};
};

TEST_F(TcsConversationTest, CountsARoundOfSeveralRequestsWhenItIsWhole) {
    std::vector<std::string> first;
    for (int i = 0; i < 10; ++i) first.push_back(add_task(std::to_string(i)));
    const std::string last = add_task("last");
    TcsConversation conversation = open();
    EXPECT_THAT(told(conversation, "PublishMetricsRequest", metrics_of(first, "r1", false)),
                ElementsAre("AckPublishMetric"));
    EXPECT_EQ(cluster_cpu(), 0);
    EXPECT_THAT(told(conversation, "PublishMetricsRequest", metrics_of({last}, "r1", true)),
                ElementsAre("AckPublishMetric"));
    EXPECT_DOUBLE_EQ(cluster_cpu(), 11);
    EXPECT_THAT(telemetry.by_instance.find(kInstance)->second.metrics["taskMetrics"], SizeIs(11));
}

TEST_F(TcsConversationTest, GoesOnWithARoundOverTheNextConnection) {
    const std::string first = add_task("1");
    const std::string second = add_task("2");
    {
        TcsConversation conversation = open();
        told(conversation, "PublishMetricsRequest", metrics_of({first}, "r1", false));
    }
    TcsConversation conversation = open();
    told(conversation, "PublishMetricsRequest", metrics_of({second}, "r1", true));
    EXPECT_EQ(cluster_cpu(), 2);
}

TEST_F(TcsConversationTest, GivesNoMetricsOfAnIdleInstance) {
    TcsConversation conversation = open();
    const Json idle = Json::parse(R"({"metadata":{"fin":true,"idle":true,"messageId":"r"},"timestamp":1767225600})");
    EXPECT_THAT(told(conversation, "PublishMetricsRequest", idle), ElementsAre("AckPublishMetric"));
    EXPECT_THAT(metrics.metrics(), IsEmpty());
}

TEST_F(TcsConversationTest, CountsARoundForTheTimeItTells) {
    const std::string task = add_task("1");
    TcsConversation conversation = open();
    told(conversation, "PublishMetricsRequest", metrics_of({task}, "r1", true, kMinute - 3min));
    EXPECT_EQ(cluster_cpu(kMinute - 3min), 1);
    EXPECT_EQ(cluster_cpu(), 0);
    // a clock that must be wrong
    told(conversation, "PublishMetricsRequest", metrics_of({task}, "r2", true, kMinute + 5h));
    EXPECT_EQ(cluster_cpu(), 1);
    EXPECT_EQ(cluster_cpu(kMinute + 5h), 0);
    now.wall = kMinute + 1min;
    told(conversation, "PublishMetricsRequest", metrics_of({task}, "r3", true, WallTime{}));
    EXPECT_EQ(cluster_cpu(kMinute + 1min), 1);
}

TEST_F(TcsConversationTest, LivesOnAfterFramesThatMakeNoSense) {
    const std::string task = add_task("1");
    TcsConversation conversation = open();
    for (const char* frame :
         {"", "{", "[]", R"({"type":"PublishMetricsRequest","message":[]})",
          R"({"type":"PublishMetricsRequest","message":{"metadata":1,"taskMetrics":{"a":1}}})",
          R"({"type":"PublishMetricsRequest","message":{"taskMetrics":[1,null,{"taskArn":2}],"timestamp":"x"}})",
          R"({"type":"PublishMetricsRequest","message":{"timestamp":1e308,"taskMetrics":[{"containerMetrics":7}]}})"}) {
        conversation.received(frame, now);
    }
    EXPECT_THAT(metrics.metrics(), IsEmpty());
    told(conversation, "PublishMetricsRequest", metrics_of({task}, "r1", true));
    EXPECT_EQ(cluster_cpu(), 1);
}

TEST_F(TcsConversationTest, ForgetsInstancesThatAreGone) {
    TcsConversation conversation = open();
    told(conversation, "PublishInstanceStatusRequest", Json::object());
    telemetry.by_instance["gone"].messages = 1;
    telemetry.forget_others(state);
    EXPECT_THAT(telemetry.by_instance, ElementsAre(testing::Key(kInstance)));
}

}  // namespace
}  // namespace nodeagent::local
