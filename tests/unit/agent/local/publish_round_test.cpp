#include "agent/local/publish_round.hpp"

namespace nodeagent::local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Json request(const std::string& id, const std::string& task, bool fin) {
    return {{"metadata", {{"messageId", id}, {"fin", fin}, {"idle", false}}},
            {"taskMetrics", Json::array({Json{{"taskArn", task}}})}};
}

std::vector<std::string> arns(const Json& round) {
    std::vector<std::string> found;
    for (const TaskUse& task : tasks_in(round)) found.push_back(task.task_arn);
    return found;
}

TEST(PublishRound, GathersTheRequestsOfOneMessageId) {
    PublishRound round;
    EXPECT_THAT(round.add(request("1", "a", false), 100), IsEmpty());
    EXPECT_THAT(round.add(request("1", "b", false), 100), IsEmpty());
    const auto complete = round.add(request("1", "c", true), 100);
    ASSERT_THAT(complete, SizeIs(1));
    EXPECT_THAT(arns(complete[0]), ElementsAre("a", "b", "c"));
    EXPECT_EQ(complete[0]["metadata"]["fin"], true);
    EXPECT_THAT(round.add(request("2", "d", true), 100), SizeIs(1));
}

TEST(PublishRound, CountsARoundWithoutAnEndWhenTheNextBegins) {
    PublishRound round;
    EXPECT_THAT(round.add(request("1", "a", false), 100), IsEmpty());
    const auto complete = round.add(request("2", "b", true), 100);
    ASSERT_THAT(complete, SizeIs(2));
    EXPECT_THAT(arns(complete[0]), ElementsAre("a"));
    EXPECT_THAT(arns(complete[1]), ElementsAre("b"));
}

TEST(PublishRound, CountsARoundThatIsSentAgainOnce) {
    PublishRound round;
    EXPECT_THAT(round.add(request("1", "a", true), 100), SizeIs(1));
    EXPECT_THAT(round.add(request("1", "a", true), 100), IsEmpty());
}

TEST(PublishRound, TakesRequestsWithoutAMessageIdForWholeRounds) {
    PublishRound round;
    EXPECT_THAT(round.add(Json::parse(R"({"taskMetrics":[{"taskArn":"a"}]})"), 10), SizeIs(1));
    EXPECT_THAT(round.add(Json::parse(R"({"metadata":7,"taskMetrics":"x"})"), 10), SizeIs(1));
}

TEST(PublishRound, KeepsNoMoreThanEightMebibytes) {
    PublishRound round;
    for (int i = 0; i < 7; ++i) EXPECT_THAT(round.add(request("1", "a", false), 1U << 20U), IsEmpty());
    EXPECT_THAT(round.add(request("1", "a", false), 1U << 20U), SizeIs(1));
    const auto rest = round.add(request("1", "b", true), 100);
    ASSERT_THAT(rest, SizeIs(1));
    EXPECT_THAT(arns(rest[0]), ElementsAre("b"));
}

TEST(PublishRound, LeavesOutSetsThatNoSamplesCanHave) {
    const auto tasks = tasks_in(Json::parse(R"({"taskMetrics":[{"taskArn":"a","containerMetrics":[
        {"containerName":"right","cpuStatsSet":{"max":12.5,"min":0.25,"sampleCount":20,"sum":61.75},
         "memoryStatsSet":{"max":41,"min":40,"sampleCount":20,"sum":812}},
        {"containerName":"none","cpuStatsSet":{"max":1,"min":1,"sampleCount":0,"sum":0}},
        {"containerName":"turned","cpuStatsSet":{"max":1,"min":2,"sampleCount":2,"sum":3},
         "memoryStatsSet":{"max":1,"min":-2,"sampleCount":2,"sum":3}}]}]})"));
    ASSERT_THAT(tasks, SizeIs(1));
    ASSERT_THAT(tasks[0].containers, SizeIs(3));
    EXPECT_EQ(tasks[0].containers[0].cpu, (StatisticSet{.count = 20, .sum = 61.75, .minimum = 0.25, .maximum = 12.5}));
    EXPECT_EQ(tasks[0].containers[0].memory, (StatisticSet{.count = 20, .sum = 812, .minimum = 40, .maximum = 41}));
    EXPECT_EQ(tasks[0].containers[1].cpu, StatisticSet{});
    EXPECT_EQ(tasks[0].containers[2].cpu, StatisticSet{});
    EXPECT_EQ(tasks[0].containers[2].memory, StatisticSet{});
}

}  // namespace
}  // namespace nodeagent::local
