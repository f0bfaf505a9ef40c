#include "agent/local/acs_conversation.hpp"

#include "agent/base/json.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/task_lifecycle.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kInstance = "arn:aws:ecs:us-west-2:123456789012:container-instance/c/1";

class AcsConversationTest : public testing::Test {
  protected:
    AcsConversationTest() {
        ContainerInstance instance;
        instance.arn = kInstance;
        instance.cluster = "c";
        instance.status = "ACTIVE";
        state.save(instance);
        StoredTaskDefinition stored;
        stored.definition = *decode<TaskDefinition>(
            R"({"family":"f","containerDefinitions":[{"name":"web","image":"i","memory":64}]})");
        stored.definition.revision = 1;
        stored.definition.arn = "arn:aws:ecs:us-west-2:123456789012:task-definition/f:1";
        stored.definition.status = "ACTIVE";
        state.save(stored);
    }

    Task& add_task(const std::string& id, const std::string& role = "") {
        Task task;
        task.arn = "arn:aws:ecs:us-west-2:123456789012:task/c/" + id;
        task.cluster = "c";
        task.cluster_arn = "arn:aws:ecs:us-west-2:123456789012:cluster/c";
        task.instance_arn = kInstance;
        task.definition_arn = "arn:aws:ecs:us-west-2:123456789012:task-definition/f:1";
        task.last_status = "PENDING";
        task.desired_status = "RUNNING";
        task.task_role_arn = role;
        task.role_credentials_id = role.empty() ? "" : "cred-" + id;
        return state.save(task);
    }

    AcsConversation open(bool send_credentials = true) {
        AcsConversation::Hello hello;
        hello.instance_arn = kInstance;
        hello.send_credentials = send_credentials;
        AcsConversation conversation(state, issuer, {}, hello);
        conversation.opened(now);
        return conversation;
    }

    static std::vector<Json> taken(AcsConversation& conversation) {
        std::vector<Json> frames;
        for (const std::string& frame : conversation.take_frames()) frames.push_back(Json::parse(frame));
        return frames;
    }
    static std::vector<std::string> types(const std::vector<Json>& frames) {
        std::vector<std::string> names;
        for (const Json& frame : frames) names.push_back(frame["type"]);
        return names;
    }
    void pass(std::chrono::milliseconds time) {
        now.steady += time;
        now.wall += time;
    }
    void reply(AcsConversation& conversation, const char* type, const Json& message_id) {
        conversation.received(Json{{"type", type}, {"message", {{"messageId", message_id}}}}.dump(), now);
    }

    std::unique_ptr<Store> store = std::move(*Store::open(":memory:"));
    State state{*store, Identity{}};
    CredentialIssuer issuer{Secret("seed"), 6h};
    Instant now{SteadyTime{} + 1h, WallTime{} + std::chrono::hours(490000)};
};

TEST_F(AcsConversationTest, SendsATaskUntilItIsAcknowledgedAndNotAfter) {
    Task& task = add_task("1");
    AcsConversation conversation = open();
    const auto first = taken(conversation);
    ASSERT_THAT(types(first), ElementsAre("PayloadMessage", "TaskManifestMessage"));
    EXPECT_EQ(first[0]["message"]["tasks"][0]["arn"], task.arn);
    EXPECT_EQ(first[0]["message"]["clusterArn"], task.cluster_arn);
    EXPECT_GT(first[1]["message"]["timeline"], first[0]["message"]["seqNum"]);

    pass(5s);
    conversation.tick(now);
    const auto again = taken(conversation);
    ASSERT_THAT(types(again), ElementsAre("PayloadMessage"));
    EXPECT_EQ(again[0]["message"]["messageId"], first[0]["message"]["messageId"]);
    EXPECT_EQ(again[0]["message"]["seqNum"], first[0]["message"]["seqNum"]);

    reply(conversation, "AckRequest", first[0]["message"]["messageId"]);
    pass(10s);
    conversation.tick(now);
    EXPECT_THAT(taken(conversation), IsEmpty());
    EXPECT_EQ(task.delivered_status, "RUNNING");
}

TEST_F(AcsConversationTest, DeliversAStopAndTheManifestThatGoesWithIt) {
    Task& task = add_task("1");
    task.delivered_status = "RUNNING";
    AcsConversation conversation = open();
    EXPECT_THAT(types(taken(conversation)), ElementsAre("TaskManifestMessage"));
    request_stop(task, "UserInitiated", "", 1);
    conversation.tick(now);
    const auto stop = taken(conversation);
    ASSERT_THAT(types(stop), ElementsAre("PayloadMessage"));
    EXPECT_EQ(stop[0]["message"]["tasks"][0]["desiredStatus"], "STOPPED");
    reply(conversation, "AckRequest", stop[0]["message"]["messageId"]);
    EXPECT_EQ(task.last_status, "STOPPING");
    pass(1s);
    conversation.tick(now);
    const auto manifest = taken(conversation);
    ASSERT_THAT(types(manifest), ElementsAre("TaskManifestMessage"));
    EXPECT_EQ(manifest[0]["message"]["tasks"][0]["desiredStatus"], "STOPPED");
}

TEST_F(AcsConversationTest, GivesUpOnATaskThatStoppedBeforeItsPayloadWasAcknowledged) {
    Task& task = add_task("1");
    AcsConversation conversation = open();
    (void)conversation.take_frames();
    TaskStateChange refused;
    refused.status = "STOPPED";
    apply_state_change(task, refused, 1);
    pass(20s);
    conversation.tick(now);
    EXPECT_THAT(types(taken(conversation)), testing::Not(testing::Contains("PayloadMessage")));
}

TEST_F(AcsConversationTest, SendsCredentialsWithThePayloadAndAnewBeforeTheyEnd) {
    add_task("1", "arn:aws:iam::123456789012:role/r");
    AcsConversation conversation = open();
    const auto first = taken(conversation);
    const Json credentials = first.at(0)["message"]["tasks"][0]["roleCredentials"];
    EXPECT_EQ(credentials["credentialsId"], "cred-1");
    EXPECT_EQ(credentials["roleArn"], "arn:aws:iam::123456789012:role/r");
    EXPECT_NE(issuer.secret_of(credentials["accessKeyId"].get<std::string>()), std::nullopt);
    reply(conversation, "AckRequest", first[0]["message"]["messageId"]);
    (void)conversation.take_frames();

    pass(5h + 1s);
    conversation.tick(now);
    std::vector<Json> refreshed = taken(conversation);
    std::erase_if(refreshed, [](const Json& frame) { return frame["type"] != "IAMRoleCredentialsMessage"; });
    ASSERT_THAT(refreshed, SizeIs(1));
    EXPECT_EQ(refreshed[0]["message"]["roleType"], "TaskApplication");
    EXPECT_EQ(refreshed[0]["message"]["roleCredentials"]["credentialsId"], "cred-1");
    EXPECT_NE(refreshed[0]["message"]["roleCredentials"]["accessKeyId"], credentials["accessKeyId"]);

    reply(conversation, "IAMRoleCredentialsAckRequest", refreshed[0]["message"]["messageId"]);
    pass(10s);
    conversation.tick(now);
    EXPECT_THAT(types(taken(conversation)), testing::Not(testing::Contains("IAMRoleCredentialsMessage")));
}

TEST_F(AcsConversationTest, GivesAnAgentThatStartedAnewTheCredentialsOfItsTasks) {
    add_task("1", "arn:aws:iam::123456789012:role/r").delivered_status = "RUNNING";
    (void)issuer.current("cred-1", "arn:aws:iam::123456789012:role/r", now.wall, 1h);
    AcsConversation reconnected = open(false);
    EXPECT_THAT(types(taken(reconnected)), ElementsAre("TaskManifestMessage"));
    AcsConversation restarted = open(true);
    EXPECT_THAT(types(taken(restarted)), ElementsAre("IAMRoleCredentialsMessage", "TaskManifestMessage"));
}

TEST_F(AcsConversationTest, ConfirmsOnlyTheStopOfTasksThatAreNotWanted) {
    const Task& wanted = add_task("wanted");
    AcsConversation conversation = open();
    (void)conversation.take_frames();
    const Json question{
        {"type", "TaskStopVerificationMessage"},
        {"message",
         {{"messageId", "m9"},
          {"stopCandidates", Json::array({Json{{"taskArn", wanted.arn}, {"desiredStatus", "STOPPED"}},
                                          Json{{"taskArn", "arn:gone"}, {"desiredStatus", "STOPPED"}}})}}}};
    conversation.received(question.dump(), now);
    const auto answer = taken(conversation);
    ASSERT_THAT(types(answer), ElementsAre("TaskStopVerificationAck"));
    EXPECT_EQ(answer[0]["message"]["messageId"], "m9");
    ASSERT_THAT(answer[0]["message"]["stopTasks"], SizeIs(1));
    EXPECT_EQ(answer[0]["message"]["stopTasks"][0]["taskArn"], "arn:gone");
}

TEST_F(AcsConversationTest, BeatsEveryHalfMinuteAndEndsWhenNobodyAnswers) {
    AcsConversation conversation = open();
    (void)conversation.take_frames();
    for (int i = 0; i < 3; ++i) {
        pass(30s);
        conversation.tick(now);
        EXPECT_THAT(types(taken(conversation)), ElementsAre("HeartbeatMessage"));
        EXPECT_FALSE(conversation.closing());
    }
    pass(30s);
    conversation.tick(now);
    EXPECT_TRUE(conversation.closing());
}

TEST_F(AcsConversationTest, SurvivesFramesThatAreNotMessages) {
    AcsConversation conversation = open();
    (void)conversation.take_frames();
    for (const char* frame : {"", "nonsense", "[]", "{}", R"({"type":5})", R"({"type":"AckRequest","message":[1]})",
                              R"({"type":"TaskStopVerificationMessage","message":{"stopCandidates":7}})"}) {
        conversation.received(frame, now);
    }
    conversation.tick(now);
    EXPECT_THAT(taken(conversation), IsEmpty());
    EXPECT_FALSE(conversation.closing());
}

TEST_F(AcsConversationTest, EndsWhenTheInstanceIsDeregistered) {
    AcsConversation conversation = open();
    state.instance(kInstance)->status = "INACTIVE";
    conversation.tick(now);
    EXPECT_THAT(conversation.closing().value_or(""), testing::HasSubstr("InactiveInstanceException"));
}

}  // namespace
}  // namespace nodeagent::local
