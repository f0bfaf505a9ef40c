// The ACS session over a real websocket; only its clock is turned by hand.
#include "agent/ecs/acs_session.hpp"

#include <boost/asio/co_spawn.hpp>

#include "tests/unit/agent/ecs/acs/acs_rig.hpp"

namespace nodeagent::ecs {
namespace {

using fakes::FakeAcs;
using fakes::run_until;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

const char* const kHeartbeat = R"({"type":"HeartbeatMessage","message":{"messageId":"hb","healthy":true}})";
const char* const kHeartbeatAck = R"({"type":"HeartbeatAckRequest","message":{"messageId":"hb"}})";

class AcsSessionTest : public SessionTest {
  protected:
    static asio::awaitable<Result<std::string>> discover(AcsSessionTest* test) {
        ++test->discoveries;
        if (test->undiscoverable) co_return Error{.kind = ErrorKind::Unavailable, .what = "no endpoint"};
        co_return test->server->endpoint();
    }

    void start(net::WsDialer::Options dialing = {}) {
        dialer = std::make_unique<net::WsDialer>(std::move(dialing));
        AcsSession::Options options;
        options.identity = test_identity();
        options.instance_inactive = [this] { ++inactive; };
        session = std::make_unique<AcsSession>(
            io.get_executor(), std::move(options), clock, *dialer, credentials, [this] { return discover(this); },
            conversation);
        scope.spawn(session->run());
    }
    void start_connected(net::WsDialer::Options dialing = {}) {
        start(std::move(dialing));
        ASSERT_TRUE(run_until(io, [&] { return session->status().connected && server->connected(); }));
    }
    bool reconnects() {
        return wait([&] { return server->upgrades() == 2 && session->status().connected; });
    }
    bool fails() {
        return wait([&] { return !session->status().connected && !session->status().last_error.empty(); });
    }

    ScriptedHandler handler;
    credentials::Registry registry;
    AcsConversation conversation{handler, registry, clock, -1};
    std::unique_ptr<net::WsDialer> dialer;
    std::unique_ptr<AcsSession> session;
    int discoveries = 0;
    int inactive = 0;
    bool undiscoverable = false;
};

TEST_F(AcsSessionTest, IntroducesItselfWithASignedQuery) {
    credentials.token = "tok";
    start_connected();
    EXPECT_EQ(
        server->target(),
        "/acs/"
        "ws?agentHash=a8b3e7d3&agentVersion=1.105.1&clusterArn=prod&containerInstanceArn=arn%3Aaws%3Aecs%3Aus-west-2%"
        "3A123456789012%3Acontainer-instance%2Fprod%2F0123&dockerVersion=DockerVersion%3A+25.0.8&protocolVersion=2&"
        "sendCredentials=true&seqNum=1");
    const auto& headers = server->headers();
    EXPECT_THAT(headers.at("authorization"), HasSubstr("Credential=AKIDEXAMPLE/20260101/us-west-2/ecs/aws4_request"));
    EXPECT_THAT(headers.at("authorization"), HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token"));
    EXPECT_EQ(headers.at("x-amz-date"), "20260101T000000Z");
    EXPECT_EQ(headers.at("x-amz-security-token"), "tok");
    EXPECT_EQ(headers.count("x-amz-content-sha256"), 0U);
    EXPECT_EQ(headers.count("user-agent"), 0U);
}

TEST_F(AcsSessionTest, AnswersHeartbeatsTextOrBinary) {
    start_connected();
    server->send(kHeartbeat);
    server->send_binary(kHeartbeat);
    ASSERT_TRUE(wait([&] { return server->received().size() == 2; }));
    EXPECT_THAT(server->received(), ElementsAre(kHeartbeatAck, kHeartbeatAck));
}

TEST_F(AcsSessionTest, SurvivesEveryFrameThatMakesNoSense) {
    start_connected();
    server->ping("judge-ping");
    for (const char* garbage : {"this is not json", R"({"type":"HeartbeatMessage","message":{"messageId":"tr)",
                                R"({"type":"NonsenseMessage","message":{"a":1}})", R"({"message":{"messageId":"x"}})",
                                R"({"type":"HeartbeatMessage","message":[1,2]})", "null", "{}", "[]",
                                R"({"type":"HeartbeatMessage","message":{"messageId":5}})",
                                R"({"type":"PayloadMessage","message":{"messageId":"p1","tasks":"notalist"}})", ""}) {
        server->send(garbage);
    }
    server->send(kHeartbeat);
    ASSERT_TRUE(wait([&] { return !server->received().empty(); }));
    EXPECT_THAT(server->received(), ElementsAre(kHeartbeatAck));
    EXPECT_THAT(server->pongs(), ElementsAre("judge-ping"));
    EXPECT_EQ(server->upgrades(), 1U);
}

TEST_F(AcsSessionTest, AcknowledgesPayloadsInTheOrderTheyCame) {
    start_connected();
    for (const char* id : {"p1", "p2", "p3"}) {
        server->send(
            std::string(R"({"type":"PayloadMessage","message":{"messageId":")") + id +
            R"(","clusterArn":"C","containerInstanceArn":"I","tasks":[{"arn":"t","desiredStatus":"RUNNING"}]}})");
    }
    ASSERT_TRUE(wait([&] { return server->received().size() == 3; }));
    EXPECT_THAT(server->received(), ElementsAre(HasSubstr("\"p1\""), HasSubstr("\"p2\""), HasSubstr("\"p3\"")));
}

TEST_F(AcsSessionTest, TakesAPayloadOfTenMegabytes) {
    start_connected();
    server->send(
        R"({"type":"PayloadMessage","message":{"messageId":"big","clusterArn":"C","containerInstanceArn":"I","ignored":")" +
        std::string(std::size_t{10} << 20U, 'x') + "\"}}");
    ASSERT_TRUE(wait([&] { return !server->received().empty(); }));
    EXPECT_THAT(server->received(), ElementsAre(HasSubstr("\"big\"")));
}

TEST_F(AcsSessionTest, ReconnectsAtOnceAfterANormalCloseAndNoLongerAsksForCredentials) {
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1000, 1001, 1011}) {
        SCOPED_TRACE(code);
        if (!session) start_connected();
        const auto before = server->upgrades();
        server->close(code, "maintenance");
        ASSERT_TRUE(wait([&] { return server->upgrades() == before + 1 && session->status().connected; }));
        EXPECT_THAT(server->target(), HasSubstr("sendCredentials=false"));
    }
    EXPECT_EQ(session->status().last_error, "");
}

TEST_F(AcsSessionTest, ReconnectsAtOnceWhenTheStreamEndsInTheMiddleOfAFrame) {
    start_connected();
    server->send_raw(std::string("\x81\x7e\x01\x00half", 8));
    server->cut();
    EXPECT_TRUE(reconnects());
}

TEST_F(AcsSessionTest, BacksOffAfterAnyOtherCloseCode) {
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1008, 1003, 1012}) {
        SCOPED_TRACE(code);
        if (!session) start_connected();
        const auto before = server->upgrades();
        server->close(code, "policy");
        ASSERT_TRUE(wait([&] { return !session->status().connected && clock.sleepers() == 1; }));
        EXPECT_THAT(session->status().last_error, HasSubstr("code " + std::to_string(code)));
        EXPECT_EQ(server->upgrades(), before);
        clock.advance(1s);
        ASSERT_TRUE(wait([&] { return server->upgrades() == before + 1 && session->status().connected; }));
    }
}

TEST_F(AcsSessionTest, DropsAConnectionThatIsSilentForTheHeartbeatWindow) {
    start_connected();
    clock.advance(59s, io);
    EXPECT_TRUE(session->status().connected);
    server->send(kHeartbeat);
    ASSERT_TRUE(wait([&] { return server->received().size() == 1; }));
    clock.advance(59s, io);
    EXPECT_TRUE(session->status().connected) << "the heartbeat counted";
    server->send(R"({"type":"NonsenseMessage","message":{}})");
    server->ping("p");
    ASSERT_TRUE(wait([&] { return server->pongs().size() == 1; }));
    clock.advance(61s);
    ASSERT_TRUE(fails()) << "neither a ping nor an unknown message counts";
    EXPECT_THAT(session->status().last_error, HasSubstr("heartbeat window"));
    clock.advance(1s);
    EXPECT_TRUE(reconnects());
}

TEST_F(AcsSessionTest, ReplacesAnOldConnection) {
    start_connected();
    for (int minute = 0; minute < 36 && server->upgrades() == 1; ++minute) {
        const auto heartbeats = server->received().size();
        server->send(kHeartbeat);
        ASSERT_TRUE(wait([&] { return server->received().size() > heartbeats || server->upgrades() == 2; }));
        if (minute < 30) {
            ASSERT_EQ(server->close_code(), std::nullopt) << "too young after " << minute << " minutes";
        }
        clock.advance(59s, io);
        clock.advance(1s, io);
    }
    EXPECT_TRUE(reconnects());
    EXPECT_EQ(server->close_code(), 1000);
    EXPECT_EQ(server->close_reason(), "ConnectionExpired: Reconnect to continue");
    EXPECT_EQ(session->status().last_error, "");
}

TEST_F(AcsSessionTest, WaitsAnHourWhenTheInstanceIsInactive) {
    server->refuse(400, R"({"type":"InactiveInstanceException","message":{"message":"deregistered"}})");
    start();
    ASSERT_TRUE(wait([&] { return inactive == 1 && clock.sleepers() == 1; }));
    EXPECT_EQ(session->status().last_error, "InactiveInstanceException: deregistered");
    server->refuse(0, "");
    clock.advance(59min, io);
    EXPECT_EQ(server->attempts(), 1U);
    clock.advance(1min);
    ASSERT_TRUE(wait([&] { return session->status().connected; }));
    EXPECT_THAT(server->target(), HasSubstr("sendCredentials=true")) << "no connection succeeded before";
}

TEST_F(AcsSessionTest, KeepsTryingWithGrowingDelaysWhateverIsWrong) {
    undiscoverable = true;
    start();
    std::vector<std::chrono::nanoseconds> delays;
    for (int attempt = 1; attempt <= 20; ++attempt) {
        ASSERT_TRUE(wait([&] { return discoveries == attempt && clock.sleepers() == 1; }));
        delays.push_back(*clock.until_next());
        clock.advance(delays.back());
    }
    EXPECT_GE(delays[0], 250ms);
    EXPECT_LT(delays[0], 300ms);
    EXPECT_GE(delays[4], 1265ms);
    EXPECT_GE(delays[19], 2min);
    EXPECT_LE(delays[19], 144s);
    undiscoverable = false;
    ASSERT_TRUE(wait([&] { return clock.sleepers() == 1 || session->status().connected; }));
    clock.advance(3min);
    EXPECT_TRUE(wait([&] { return session->status().connected; }));
}

TEST_F(AcsSessionTest, ForgetsItsDelaysAfterAMinuteOrTwoOfConnection) {
    start_connected();
    for (int i = 0; i < 8; ++i) {
        const auto before = server->upgrades();
        server->close(1008, "");
        ASSERT_TRUE(wait([&] { return !session->status().connected && clock.sleepers() == 1; }));
        clock.advance(10s);
        ASSERT_TRUE(wait([&] { return server->upgrades() == before + 1 && session->status().connected; }));
    }
    for (int i = 0; i < 3; ++i) {  // two minutes, kept alive
        const auto heartbeats = server->received().size();
        server->send(kHeartbeat);
        ASSERT_TRUE(wait([&] { return server->received().size() > heartbeats; }));
        clock.advance(40s, io);
    }
    server->close(1008, "");
    ASSERT_TRUE(wait([&] { return !session->status().connected && clock.sleepers() == 1; }));
    EXPECT_LT(*clock.until_next(), 300ms);
}

TEST_F(AcsSessionTest, ConnectsOverTls) {
    server = std::make_unique<FakeAcs>(io, FakeAcs::Options{.tls = true});
    start_connected({.tls = {.ca_file = server->ca_file()}});
    server->send(kHeartbeat);
    ASSERT_TRUE(wait([&] { return !server->received().empty(); }));
    EXPECT_THAT(server->received(), ElementsAre(kHeartbeatAck));
}

TEST_F(AcsSessionTest, TellsWhatIsWrongWhenItHasNoCredentials) {
    credentials.missing = true;
    start();
    ASSERT_TRUE(fails());
    EXPECT_THAT(session->status().last_error, HasSubstr("no credentials"));
    EXPECT_EQ(server->attempts(), 0U);
}

TEST_F(AcsSessionTest, ForgetsAnAttachmentThatNeverShowsUp) {
    start_connected();
    server->send(R"({"type":"AttachInstanceNetworkInterfacesMessage","message":{"messageId":"a","clusterArn":"C",
        "containerInstanceArn":"I","waitTimeoutMs":30000,"elasticNetworkInterfaces":[{"ec2Id":"e","macAddress":"MAC",
        "ipv4Addresses":[{"privateAddress":"10.0.0.1"}],"subnetGatewayIpv4Address":"10.0.0.1/24"}]}})");
    ASSERT_TRUE(wait([&] { return !server->received().empty(); }));
    EXPECT_THAT(handler.erased, IsEmpty());
    clock.advance(30s);
    ASSERT_TRUE(wait([&] { return !handler.erased.empty(); }));
    EXPECT_THAT(handler.erased, ElementsAre("mac"));
}

}  // namespace
}  // namespace nodeagent::ecs
