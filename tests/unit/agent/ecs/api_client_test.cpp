#include "agent/ecs/api_client.hpp"

#include "tests/unit/agent/ecs/fixture.hpp"

namespace nodeagent::ecs {
namespace {

using namespace std::chrono_literals;

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> call, std::optional<T>& outcome) {
    outcome = co_await std::move(call);
}

class ApiClientTest : public EcsTest {
  protected:
    template <class T>
    T result_of(asio::awaitable<T> call) {
        std::optional<T> outcome;
        scope.spawn(keep(std::move(call), outcome));
        let_pass([&outcome] { return outcome.has_value(); });
        return *outcome;
    }
    ApiClient api = api_client();
};

TEST_F(ApiClientTest, SubmitsAttachmentsAndDrainingAsTheServiceWantsThem) {
    http.on("POST", "*").reply(200, "{}");
    model::SubmitAttachmentStateChangesRequest attached;
    attached.cluster = "prod";
    attached.attachments = {{.attachment_arn = "arn:attachment/1", .status = "ATTACHED"}};
    EXPECT_TRUE(result_of(api.submit_attachment_state_changes(attached)));
    EXPECT_EQ(
        sent("SubmitAttachmentStateChanges").at(0),
        Json::parse(R"({"attachments":[{"attachmentArn":"arn:attachment/1","status":"ATTACHED"}],"cluster":"prod"})"));
    model::UpdateContainerInstancesStateRequest draining;
    draining.cluster = "prod";
    draining.container_instances = {"arn:i/1"};
    draining.status = "DRAINING";
    EXPECT_TRUE(result_of(api.update_container_instances_state(draining)));
    EXPECT_EQ(sent("UpdateContainerInstancesState").at(0),
              Json::parse(R"({"cluster":"prod","containerInstances":["arn:i/1"],"status":"DRAINING"})"));
}

TEST_F(ApiClientTest, OnlySubmissionsHaveTheLongRetryLayer) {
    http.on("POST", "*").reply(200, R"({"containerInstance":{"containerInstanceArn":"arn:i/1"}})");
    EXPECT_TRUE(result_of(api.submit_task_state_change({})));
    EXPECT_TRUE(result_of(api.register_container_instance({})));
    const auto attempts = [this](std::size_t i) {
        for (const auto& [name, value] : http.requests.at(i).headers) {
            if (name == "Amz-Sdk-Request") return value;
        }
        return std::string();
    };
    EXPECT_EQ(attempts(0), "attempt=1; max=298");
    EXPECT_EQ(attempts(1), "attempt=1; max=3");
}

TEST_F(ApiClientTest, ReadsTags) {
    http.on("POST", "*").reply(400, error_body("ServerException")).reply(200, R"({"tags":[{"key":"k","value":"v"}]})");
    const auto tags = result_of(api.list_tags_for_resource("arn:i/1"));
    ASSERT_TRUE(tags);
    EXPECT_THAT(*tags, testing::ElementsAre(model::Tag{.key = "k", .value = "v"}));
    EXPECT_EQ(sent("ListTagsForResource").at(1), Json::parse(R"({"resourceArn":"arn:i/1"})"));
}

TEST_F(ApiClientTest, StopsAskingForTagsAfterHalfAMinuteOrAFinalError) {
    http.on("POST", "*").reply(400, error_body("ServerException"));
    const SteadyTime before = clock.now().steady;
    EXPECT_TRUE(result_of(api.list_tags_for_resource("arn:i/1")).error().is("ServerException"));
    EXPECT_LE(clock.now().steady - before, 30s);
    EXPECT_GT(http.requests.size(), 4U);
    http.requests.clear();
    http.on("POST", "*").reply(400, error_body("ClientException"));
    EXPECT_TRUE(result_of(api.list_tags_for_resource("arn:i/1")).error().is("ClientException"));
    EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(ApiClientTest, AnAnswerThatIsNotUnderstoodNamesThePlace) {
    http.on("POST", "*").reply(200, R"({"containerInstance":{"containerInstanceArn":7}})").reply(200, "<html>");
    const auto wrong = result_of(api.register_container_instance({}));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(wrong.error().message, testing::HasSubstr("containerInstance.containerInstanceArn: expected a string"));
    EXPECT_FALSE(result_of(api.register_container_instance({})));
}

}  // namespace
}  // namespace nodeagent::ecs
