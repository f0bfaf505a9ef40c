#include "agent/model/acs_messages.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/base/json.hpp"

namespace nodeagent::model {
namespace {

using testing::HasSubstr;

std::string frame(const std::string& name) {
    std::ifstream in(std::string(NODEAGENT_TEST_DATA) + "/acs_frames/" + name + ".json");
    EXPECT_TRUE(in) << name;
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

ErrorKind kind_of(const std::string& text) {
    const auto decoded = decode_acs_frame(text);
    EXPECT_FALSE(decoded) << text;
    return decoded ? ErrorKind::Internal : decoded.error().kind;
}

TEST(AcsFrame, IsMalformedInEveryWayTheTraceShows) {
    for (const char* name : {"not_json", "truncated", "no_type", "message_is_a_list", "null", "empty_object", "array",
                             "wrong_member_type", "tasks_not_a_list", "empty"}) {
        EXPECT_EQ(kind_of(frame(name)), ErrorKind::Malformed) << name;
    }
    EXPECT_EQ(kind_of(frame("unknown_type")), ErrorKind::NotFound);
}

TEST(AcsFrame, NamesThePathOfAMemberOfTheWrongType) {
    const auto decoded =
        decode_acs_frame(R"({"type":"PayloadMessage","message":{"tasks":[{"containers":[{},{},{"cpu":"ten"}]}]}})");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().what, "PayloadMessage: tasks[0].containers[2].cpu: expected an integer, got a string");
}

TEST(AcsFrame, NeverQuotesTheValueItCannotRead) {
    const auto decoded = decode_acs_frame(
        R"({"type":"IAMRoleCredentialsMessage","message":{"roleCredentials":{"secretAccessKey":["hunter2"]}}})");
    ASSERT_FALSE(decoded);
    EXPECT_THAT(decoded.error().what, testing::Not(HasSubstr("hunter2")));
}

TEST(AcsFrame, MatchesMemberNamesWithoutRegardToCase) {
    const auto decoded = decode_acs_frame(R"({"Type":"HeartbeatMessage","MESSAGE":{"messageid":"hb","healthy":true}})");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(std::get<HeartbeatMessage>(*decoded).message_id, "hb");
}

TEST(AcsFrame, ReadsAnExceptionWrittenAsAMapOfOneEntry) {
    const auto decoded = decode_acs_frame(R"({"InactiveInstanceException":"gone"})");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(std::get<ServiceNotice>(*decoded).type, "InactiveInstanceException");
    EXPECT_EQ(std::get<ServiceNotice>(*decoded).message, "gone");
    EXPECT_EQ(kind_of(R"({"HeartbeatMessage":"gone"})"), ErrorKind::Malformed);
}

TEST(AcsFrame, DescribesARefusalOnlyWhenItNamesAKnownType) {
    EXPECT_EQ(describe_refusal(R"({"type":"InvalidClusterException","message":{"message":"no such cluster"}})"),
              "InvalidClusterException: no such cluster");
    EXPECT_EQ(describe_refusal(R"({"InactiveInstanceException":"gone"})"), "InactiveInstanceException: gone");
    EXPECT_EQ(describe_refusal("<html>"), "");
    EXPECT_EQ(describe_refusal(R"({"Oops":"x"})"), "");
}

TEST(AcsFrame, DecodesEveryRecordedMessage) {
    int payloads = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(NODEAGENT_TEST_DATA) + "/acs_frames")) {
        const std::string name = entry.path().stem();
        if (!name.starts_with("payload_") && name != "manifest" && name != "credentials_refresh" &&
            name != "confirm_volume" && name != "attach_task_interface" && name != "stage_update") {
            continue;
        }
        const auto decoded = decode_acs_frame(frame(name));
        ASSERT_TRUE(decoded) << name << ": " << decoded.error().what;
        if (name.starts_with("payload_")) {
            ++payloads;
            EXPECT_EQ(type_of(*decoded), "PayloadMessage");
        }
        EXPECT_FALSE(std::holds_alternative<ServiceNotice>(*decoded)) << name;
    }
    EXPECT_GE(payloads, 6);
}

TEST(AcsFrame, KeepsTheNullAmongAPayloadsTasks) {
    const auto decoded = decode_acs_frame(R"({"type":"PayloadMessage","message":{"tasks":[null,{"arn":"a"}]}})");
    ASSERT_TRUE(decoded);
    const auto& tasks = std::get<PayloadMessage>(*decoded).tasks;
    ASSERT_EQ(tasks.size(), 2U);
    EXPECT_EQ(tasks[0], nullptr);
    EXPECT_EQ(tasks[1]->arn, "a");
}

TEST(AcsFrame, AcknowledgesAsTheTraceDoes) {
    EXPECT_EQ(encode_acs_frame(HeartbeatAckRequest{.message_id = "hb-0"}),
              R"({"type":"HeartbeatAckRequest","message":{"messageId":"hb-0"}})");
    EXPECT_EQ(encode_acs_frame(HeartbeatAckRequest{}), R"({"type":"HeartbeatAckRequest","message":{}})");
    EXPECT_EQ(encode_acs_frame(AckRequest{.cluster = "c", .container_instance = "i", .message_id = "m"}),
              R"({"type":"AckRequest","message":{"cluster":"c","containerInstance":"i","messageId":"m"}})");
}

}  // namespace
}  // namespace nodeagent::model
