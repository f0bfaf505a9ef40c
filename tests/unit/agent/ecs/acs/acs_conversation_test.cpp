// What each ACS message does and what answers it (control-plane.md 6).
#include "agent/ecs/acs_conversation.hpp"

#include <boost/asio/co_spawn.hpp>

#include "tests/unit/agent/ecs/acs/acs_rig.hpp"

namespace nodeagent::ecs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kIds = R"("clusterArn":"C","containerInstanceArn":"I")";

class AcsConversationTest : public testing::Test {
  protected:
    // The answers, as they would go out.
    std::vector<std::string> tell(const std::string& type, const std::string& members) {
        auto message = model::decode_acs_frame("{\"type\":\"" + type + "\",\"message\":{" + members + "}}");
        EXPECT_TRUE(message) << (message ? "" : message.error().what);
        std::vector<std::string> out;
        for (const auto& reply : run_alone(conversation.handle(std::move(*message)))) {
            out.push_back(model::encode_acs_frame(reply));
        }
        return out;
    }
    static std::string ack(const std::string& id) {
        return R"({"type":"AckRequest","message":{"cluster":"C","containerInstance":"I","messageId":")" + id + "\"}}";
    }
    static std::string credentials_ack(const std::string& credentials_id, const std::string& id) {
        return R"({"type":"IAMRoleCredentialsAckRequest","message":{"credentialsId":")" + credentials_id +
               R"(","expiration":"2099-01-01T00:00:00Z","messageId":")" + id + "\"}}";
    }
    static std::string role(const std::string& id) {
        return R"({"credentialsId":")" + id + R"(","accessKeyId":"A","expiration":"2099-01-01T00:00:00Z"})";
    }

    ScriptedHandler handler;
    credentials::Registry registry;
    fakes::ManualClock clock;
    AcsConversation conversation{handler, registry, clock, -1};
};

TEST_F(AcsConversationTest, AcknowledgesAHeartbeatAndHasTheInstanceChecked) {
    EXPECT_THAT(tell("HeartbeatMessage", R"("messageId":"h")"),
                ElementsAre(R"({"type":"HeartbeatAckRequest","message":{"messageId":"h"}})"));
    EXPECT_THAT(tell("HeartbeatMessage", ""), ElementsAre(R"({"type":"HeartbeatAckRequest","message":{}})"));
    EXPECT_EQ(handler.heartbeats, 2);
}

TEST_F(AcsConversationTest, DropsAPayloadThatLacksAnId) {
    EXPECT_THAT(tell("PayloadMessage", std::string(kIds)), IsEmpty());
    EXPECT_THAT(tell("PayloadMessage", R"("messageId":"p","clusterArn":"C")"), IsEmpty());
    EXPECT_THAT(tell("PayloadMessage", R"("messageId":"p","containerInstanceArn":"I")"), IsEmpty());
    EXPECT_THAT(tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","seqNum":3)"), ElementsAre(ack("p")));
}

TEST_F(AcsConversationTest, TakesStoppingTasksBeforeTheOthersAndAcknowledgesTheirCredentials) {
    const auto replies =
        tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","tasks":[
        {"arn":"run","desiredStatus":"RUNNING","roleCredentials":)" +
                                   role("app") + R"(,"executionRoleCredentials":)" + role("exec") + R"(},
        {"arn":"stop","desiredStatus":"STOPPED"}])");
    EXPECT_THAT(handler.accepted, ElementsAre("stop STOPPED", "run RUNNING"));
    EXPECT_THAT(replies, ElementsAre(ack("p"), credentials_ack("app", "p"), credentials_ack("exec", "p")));
    ASSERT_TRUE(registry.get("exec"));
    EXPECT_EQ(registry.get("exec")->role_type, credentials::RoleType::TaskExecution);
    EXPECT_EQ(registry.get("app")->task_arn, "run");
}

TEST_F(AcsConversationTest, AcknowledgesNothingWhenOneTaskIsBadYetKeepsTheGoodOne) {
    const auto replies = tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","tasks":[
        {"arn":"bad","roleCredentials":{"accessKeyId":"A"}},{"arn":"good","desiredStatus":"RUNNING"}])");
    EXPECT_THAT(replies, IsEmpty());
    EXPECT_THAT(handler.accepted, ElementsAre("good RUNNING"));
    ASSERT_EQ(handler.invalid.size(), 1U);
    EXPECT_THAT(handler.invalid[0], testing::StartsWith("bad: UnrecogniedTaskError: Error loading task - "));
}

TEST_F(AcsConversationTest, AcknowledgesNothingWhenTheTasksHoldANull) {
    EXPECT_THAT(tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","tasks":[null])"), IsEmpty());
    EXPECT_THAT(handler.invalid, IsEmpty());
}

TEST_F(AcsConversationTest, ForgetsTheCredentialsOfATaskThatIsRefusedForGood) {
    handler.verdict = model::Acceptance::Refused;
    EXPECT_THAT(
        tell("PayloadMessage",
             std::string(kIds) + R"(,"messageId":"p","tasks":[{"arn":"t","roleCredentials":)" + role("app") + "}]"),
        ElementsAre(ack("p"), credentials_ack("app", "p")));
    EXPECT_FALSE(registry.known("app"));
}

TEST_F(AcsConversationTest, LetsTheServiceRepeatAPayloadThatCouldNotBeSavedAndKeepsNoneOfItsCredentials) {
    handler.verdict = model::Acceptance::Failed;
    EXPECT_THAT(
        tell("PayloadMessage",
             std::string(kIds) + R"(,"messageId":"p","tasks":[{"arn":"t","roleCredentials":)" + role("app") + "}]"),
        IsEmpty());
    EXPECT_FALSE(registry.known("app"));
    EXPECT_THAT(handler.invalid, IsEmpty());
}

TEST_F(AcsConversationTest, HandsAllTasksOfAPayloadOverTogether) {
    tell("PayloadMessage",
         std::string(kIds) +
             R"(,"messageId":"p","tasks":[{"arn":"a"},{"arn":"b"},{"arn":"c","desiredStatus":"STOPPED"}])");
    EXPECT_EQ(handler.batches, 1);
    EXPECT_THAT(handler.accepted, ElementsAre("c STOPPED", "a ", "b "));
}

TEST_F(AcsConversationTest, RefusesTasksWithAnUnknownProxyOrABrokenInterface) {
    EXPECT_THAT(tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","tasks":[
        {"arn":"proxy","proxyConfiguration":{"type":"ENVOY"}},{"arn":"eni","elasticNetworkInterfaces":[{"ec2Id":"eni-1"}]},
        {"arn":"mesh","proxyConfiguration":{"type":"APPMESH"}}])"),
                IsEmpty());
    EXPECT_THAT(handler.invalid, ElementsAre(HasSubstr("proxy: "), HasSubstr("macAddress")));
    EXPECT_THAT(handler.accepted, ElementsAre("mesh "));
}

TEST_F(AcsConversationTest, KeepsAndAcknowledgesRefreshedCredentialsOfKnownTasksOnly) {
    const std::string refresh =
        R"("messageId":"m","roleType":"TaskExecution","taskArn":"t","roleCredentials":)" + role("c");
    EXPECT_THAT(tell("IAMRoleCredentialsMessage", refresh), IsEmpty());
    EXPECT_FALSE(registry.known("c"));
    handler.local = {{.arn = "t", .desired = model::TaskStatus::Running}};
    EXPECT_THAT(tell("IAMRoleCredentialsMessage", refresh), ElementsAre(credentials_ack("c", "m")));
    EXPECT_TRUE(registry.get("c"));
    EXPECT_THAT(handler.used, ElementsAre("t execution c", "t execution c"));
}

TEST_F(AcsConversationTest, DropsInvalidCredentialsMessages) {
    handler.local = {{.arn = "t", .desired = model::TaskStatus::Running}};
    const std::string credentials = R"(,"roleCredentials":)" + role("c");
    EXPECT_THAT(
        tell("IAMRoleCredentialsMessage", R"("messageId":"m","taskArn":"t","roleType":"Nonsense")" + credentials),
        IsEmpty());
    EXPECT_THAT(tell("IAMRoleCredentialsMessage", R"("messageId":"m","taskArn":"t","roleType":"TaskApplication")"),
                IsEmpty());
    EXPECT_THAT(tell("IAMRoleCredentialsMessage", R"("messageId":"m","roleType":"TaskApplication")" + credentials),
                IsEmpty());
    EXPECT_THAT(tell("IAMRoleCredentialsMessage", R"("taskArn":"t","roleType":"TaskApplication")" + credentials),
                IsEmpty());
    EXPECT_THAT(
        tell("IAMRoleCredentialsMessage",
             R"("messageId":"m","taskArn":"t","roleType":"TaskApplication","roleCredentials":{"accessKeyId":"x"})"),
        IsEmpty());
    EXPECT_FALSE(registry.known("c"));
}

TEST_F(AcsConversationTest, AsksWhichUnlistedTasksMayStop) {
    handler.local = {{.arn = "listed", .desired = model::TaskStatus::Running},
                     {.arn = "unlisted", .desired = model::TaskStatus::Running},
                     {.arn = "listed-stopped", .desired = model::TaskStatus::Running},
                     {.arn = "stopping", .desired = model::TaskStatus::Stopped}};
    const auto replies = tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":42,"tasks":[
        {"taskArn":"listed","desiredStatus":"RUNNING"},{"taskArn":"listed-stopped","desiredStatus":"STOPPED"}])");
    EXPECT_THAT(
        replies,
        ElementsAre(ack("m"), R"({"type":"TaskStopVerificationMessage","message":{"messageId":"m","stopCandidates":[)"
                              R"({"desiredStatus":"STOPPED","taskArn":"unlisted","taskClusterArn":"C"},)"
                              R"({"desiredStatus":"STOPPED","taskArn":"listed-stopped","taskClusterArn":"C"}]}})"));
    EXPECT_EQ(handler.saved_number, 42);
    EXPECT_THAT(handler.stopped, IsEmpty()) << "nothing stops before the service verified it";
}

TEST_F(AcsConversationTest, DropsAManifestThatIsNotNewerThanWhatItHasSeen) {
    (void)tell("PayloadMessage", std::string(kIds) + R"(,"messageId":"p","seqNum":7)");
    EXPECT_THAT(tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":7)"), IsEmpty());
    EXPECT_EQ(handler.saved_number, std::nullopt) << "a payload's number is not written";
    EXPECT_THAT(tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":8)"),
                ElementsAre(ack("m")));
    EXPECT_EQ(conversation.sequence(), 8);
}

TEST_F(AcsConversationTest, TakesTheFirstManifestWithNumberZeroUnlessStateWasRestored) {
    EXPECT_THAT(tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":0)"),
                ElementsAre(ack("m")));
}

TEST_F(AcsConversationTest, DoesNotAcknowledgeAManifestWhoseNumberIsNotOnDisk) {
    handler.cannot_save = true;
    EXPECT_THAT(tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":1)"), IsEmpty());
}

TEST_F(AcsConversationTest, StopsVerifiedTasksOnceAndOnlyForThePendingManifest) {
    (void)tell("TaskManifestMessage", std::string(kIds) + R"(,"messageId":"m","timeline":1)");
    EXPECT_THAT(tell("TaskStopVerificationAck", R"("messageId":"other","stopTasks":[{"taskArn":"t"}])"), IsEmpty());
    EXPECT_THAT(handler.stopped, IsEmpty());
    EXPECT_THAT(tell("TaskStopVerificationAck", R"("messageId":"m","stopTasks":[{"taskArn":"t"}])"), IsEmpty());
    EXPECT_THAT(tell("TaskStopVerificationAck", R"("messageId":"m","stopTasks":[{"taskArn":"again"}])"), IsEmpty());
    EXPECT_THAT(handler.stopped, ElementsAre("t"));
    EXPECT_THAT(tell("TaskStopVerificationAck", R"("stopTasks":[{"taskArn":"t"}])"), IsEmpty());
    EXPECT_EQ(handler.stopped.size(), 1U);
}

TEST_F(AcsConversationTest, RefusesUpdatesInTheReferencesWords) {
    const std::string nack =
        R"({"type":"NackRequest","message":{"cluster":"C","containerInstance":"I","messageId":"u","reason":"Updates are disabled"}})";
    EXPECT_THAT(tell("StageUpdateMessage", std::string(kIds) + R"(,"messageId":"u","updateInfo":{"location":"l"})"),
                ElementsAre(nack));
    EXPECT_THAT(tell("PerformUpdateMessage", std::string(kIds) + R"(,"messageId":"u")"), ElementsAre(nack));
    EXPECT_THAT(tell("StageUpdateMessage", std::string(kIds)), IsEmpty());
}

const char* const kEni = R"({"ec2Id":"eni-1","macAddress":"02:AB:CD:EF:00:01","attachmentArn":"att",
    "ipv4Addresses":[{"primary":true,"privateAddress":"10.0.0.15"}],"subnetGatewayIpv4Address":"10.0.0.1/24"})";

TEST_F(AcsConversationTest, RecordsAnAnnouncedInterfaceUntilItsTimeIsUp) {
    const std::string message =
        std::string(kIds) + R"(,"messageId":"a","taskArn":"t","waitTimeoutMs":300000,"elasticNetworkInterfaces":[)" +
        kEni + "]";
    EXPECT_THAT(tell("AttachTaskNetworkInterfacesMessage", message), ElementsAre(ack("a")));
    EXPECT_THAT(tell("AttachTaskNetworkInterfacesMessage", message), ElementsAre(ack("a")));
    ASSERT_EQ(handler.attachments.size(), 1U) << "the second announcement keeps the record";
    EXPECT_EQ(handler.attachments[0].key, "02:ab:cd:ef:00:01");
    EXPECT_EQ(handler.attachments[0].task_arn, "t");
    EXPECT_EQ(handler.attachments[0].expires_at, clock.now().wall + std::chrono::minutes(5));

    clock.advance(std::chrono::minutes(5));
    asio::io_context io;
    Scope scope(io.get_executor());
    scope.spawn(conversation.expire_attachments());
    io.run();
    EXPECT_THAT(handler.erased, ElementsAre("02:ab:cd:ef:00:01"));
    EXPECT_EQ(conversation.attachments().find("02:ab:cd:ef:00:01"), nullptr);
}

TEST_F(AcsConversationTest, DropsAnInterfaceMessageThatBreaksARule) {
    const auto told = [&](const std::string& members) {
        return tell("AttachTaskNetworkInterfacesMessage", std::string(kIds) + R"(,"messageId":"a",)" + members);
    };
    const std::string enis = std::string(R"("elasticNetworkInterfaces":[)") + kEni + "]";
    EXPECT_THAT(told(R"("waitTimeoutMs":1000,)" + enis), IsEmpty()) << "no task";
    EXPECT_THAT(told(R"("taskArn":"t",)" + enis), IsEmpty()) << "no time to wait";
    EXPECT_THAT(told(R"("taskArn":"t","waitTimeoutMs":1000)"), IsEmpty()) << "no interface";
    EXPECT_THAT(
        told(R"("taskArn":"t","waitTimeoutMs":1000,"elasticNetworkInterfaces":[{"ec2Id":"e","macAddress":"m"}])"),
        IsEmpty());
    EXPECT_THAT(tell("AttachInstanceNetworkInterfacesMessage",
                     std::string(kIds) + R"(,"messageId":"i","waitTimeoutMs":1000,)" + enis),
                ElementsAre(ack("i")));
}

TEST_F(AcsConversationTest, RecordsAnEbsVolumeAndAcknowledgesTheLegacyKindOnly) {
    const std::string ids =
        R"("clusterArn":"arn:aws:ecs:r:1:cluster/C","containerInstanceArn":"arn:aws:ecs:r:1:ci/I","messageId":"v",)";
    const auto replies =
        tell("ConfirmAttachmentMessage", ids + R"("attachment":{"attachmentArn":"arn:aws:ecs:r:1:attachment/1",
        "attachmentType":"amazonebs","attachmentProperties":[{"name":"volumeId","value":"vol-1"},{"name":"volumeSizeGib","value":"10"},
        {"name":"deviceName","value":"/dev/x"},{"name":"sourceVolumeHostPath","value":"p"},{"name":"volumeName","value":"data"}]})");
    EXPECT_EQ(replies.size(), 1U);
    ASSERT_EQ(handler.attachments.size(), 1U);
    EXPECT_EQ(handler.attachments[0].key, "vol-1");
    EXPECT_EQ(handler.attachments[0].expires_at, clock.now().wall + std::chrono::milliseconds(300000));
    EXPECT_EQ(tell("ConfirmAttachmentMessage",
                   ids + R"("attachment":{"attachmentArn":"arn:aws:ecs:r:1:attachment/2","attachmentProperties":[
        {"name":"resourceType","value":"ElasticBlockStorage"},{"name":"volumeID","value":"v"},{"name":"deviceName","value":"d"}]})")
                  .size(),
              1U);
    EXPECT_EQ(handler.attachments.size(), 1U);
    EXPECT_THAT(tell("ConfirmAttachmentMessage", ids + R"("attachment":{"attachmentArn":"arn:aws:ecs:r:1:attachment/3",
        "attachmentType":"amazonebs","attachmentProperties":[{"name":"volumeId","value":"vol-2"}]})"),
                IsEmpty());
}

TEST(AttachmentBook, StartsTheTimerAgainOnlyWhenItIsNotRunning) {
    fakes::ManualClock clock;
    AttachmentBook book;
    Attachment eni;
    eni.key = "mac";
    eni.expires_at = clock.now().wall + std::chrono::minutes(1);
    EXPECT_TRUE(book.add(eni, clock.now()));
    const auto first = book.next_expiry();
    eni.expires_at += std::chrono::minutes(9);
    EXPECT_FALSE(book.add(eni, clock.now()));
    EXPECT_EQ(book.next_expiry(), first);
    book.mark_sent("mac");
    EXPECT_EQ(book.next_expiry(), std::nullopt);
    clock.advance(std::chrono::hours(1));
    EXPECT_THAT(book.expire(clock.now().steady), IsEmpty());
    EXPECT_NE(book.find("mac"), nullptr);
}

TEST(AttachmentBook, ExpiresWhatRanOutWhileTheAgentWasAway) {
    fakes::ManualClock clock;
    AttachmentBook book;
    Attachment eni;
    eni.key = "mac";
    eni.expires_at = clock.now().wall - std::chrono::minutes(1);
    book.restore(eni, clock.now());
    EXPECT_THAT(book.expire(clock.now().steady), ElementsAre("mac"));
}

}  // namespace
}  // namespace nodeagent::ecs
