// The codec against a server played by hand: bytes in, bytes out.
#include <openssl/sha.h>

#include "agent/base/strings.hpp"
#include "agent/net/ws_codec.hpp"

namespace nodeagent::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint8_t kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

std::string server_frame(std::uint8_t opcode, std::string_view payload, bool fin = true) {
    std::string out(1, static_cast<char>((fin ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
        out += static_cast<char>(payload.size());
    } else if (payload.size() < 65536) {
        out += static_cast<char>(126);
        for (int shift = 8; shift >= 0; shift -= 8) out += static_cast<char>((payload.size() >> shift) & 0xff);
    } else {
        out += static_cast<char>(127);
        for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((payload.size() >> shift) & 0xff);
    }
    out += payload;
    return out;
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
    std::string out{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
    out += reason;
    return out;
}

struct ClientFrame {
    std::uint8_t opcode = 0;
    std::string payload;
};

class WsCodecTest : public testing::Test {
  protected:
    WsCodecTest() { make({.url = "ws://acs.example:8080/ws?a=b+c", .headers = {{"X-Amz-Date", "today"}}}); }

    void make(WsCodecOptions options) {
        WsHandlers handlers;
        handlers.write = [this](std::string_view bytes) { written += bytes; };
        handlers.open = [this] { opened = true; };
        handlers.refused = [this](int status, std::string body) {
            ++ends;
            refused = {status, std::move(body)};
        };
        handlers.message = [this](std::string payload, bool) { messages.push_back(std::move(payload)); };
        handlers.closed = [this](std::uint16_t code, std::string reason) {
            ++ends;
            closed = {code, std::move(reason)};
        };
        handlers.failed = [this](std::string what) {
            ++ends;
            failed = std::move(what);
        };
        codec = std::make_unique<WsCodec>(std::move(options), std::move(handlers));
        codec->start();
    }

    std::string accept_answer() const {
        const std::string name = "Sec-WebSocket-Key: ";
        const auto at = written.find(name) + name.size();
        const std::string keyed =
            written.substr(at, written.find("\r\n", at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        unsigned char digest[SHA_DIGEST_LENGTH];
        SHA1(reinterpret_cast<const unsigned char*>(keyed.data()), keyed.size(), digest);
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\nSec-WebSocket-Accept: " +
               base64_encode(std::string_view(reinterpret_cast<const char*>(digest), sizeof digest)) + "\r\n\r\n";
    }

    void open() {
        codec->feed(accept_answer());
        written.clear();
        ASSERT_TRUE(opened);
    }

    // Takes the frames written since the last call, unmasked.
    std::vector<ClientFrame> sent() {
        std::vector<ClientFrame> out;
        std::size_t at = 0;
        while (at + 6 <= written.size()) {
            ClientFrame frame;
            frame.opcode = static_cast<std::uint8_t>(written[at]) & 0x0fU;
            EXPECT_TRUE(static_cast<std::uint8_t>(written[at + 1]) & 0x80U) << "a client masks";
            std::size_t size = static_cast<std::uint8_t>(written[at + 1]) & 0x7fU;
            at += 2;
            if (size == 126) {
                size = static_cast<std::size_t>(static_cast<std::uint8_t>(written[at])) * 256 +
                       static_cast<std::uint8_t>(written[at + 1]);
                at += 2;
            }
            const std::string mask = written.substr(at, 4);
            at += 4;
            for (std::size_t i = 0; i < size; ++i) frame.payload += static_cast<char>(written[at + i] ^ mask[i % 4]);
            at += size;
            out.push_back(std::move(frame));
        }
        written.clear();
        return out;
    }

    std::string written;
    bool opened = false;
    int ends = 0;
    std::vector<std::string> messages;
    std::optional<std::pair<int, std::string>> refused;
    std::optional<std::pair<std::uint16_t, std::string>> closed;
    std::optional<std::string> failed;
    std::unique_ptr<WsCodec> codec;
};

TEST_F(WsCodecTest, AsksForTheUpgradeWithOurHeadersAndNoExtension) {
    EXPECT_THAT(written, StartsWith("GET /ws?a=b+c HTTP/1.1\r\n"));
    EXPECT_THAT(written, HasSubstr("Host: acs.example:8080\r\n"));
    EXPECT_THAT(written, HasSubstr("X-Amz-Date: today\r\n"));
    EXPECT_THAT(written, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
    EXPECT_THAT(written, testing::Not(HasSubstr("Sec-WebSocket-Extensions")));
    EXPECT_THAT(written, testing::Not(HasSubstr("User-Agent")));
}

TEST_F(WsCodecTest, DeliversAFrameThatCameTogetherWithTheAnswer) {
    codec->feed(accept_answer() + server_frame(kText, "early"));
    EXPECT_THAT(messages, ElementsAre("early"));
}

TEST_F(WsCodecTest, UnderstandsTheSameBytesOneAtATime) {
    const std::string bytes =
        accept_answer() + server_frame(kText, "one") + server_frame(kPing, "p") + server_frame(kBinary, "two");
    written.clear();
    for (const char byte : bytes) codec->feed(std::string_view(&byte, 1));
    EXPECT_THAT(messages, ElementsAre("one", "two"));
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].opcode, kPong);
    EXPECT_EQ(frames[0].payload, "p");
}

TEST_F(WsCodecTest, JoinsFragmentsAndAnswersAPingBetweenThem) {
    open();
    codec->feed(server_frame(kText, "he", false));
    codec->feed(server_frame(kPing, "still there?"));
    codec->feed(server_frame(0, "llo", true));
    EXPECT_THAT(messages, ElementsAre("hello"));
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].payload, "still there?");
}

TEST_F(WsCodecTest, SendsMaskedText) {
    open();
    EXPECT_TRUE(codec->send("{\"type\":\"AckRequest\"}"));
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].opcode, kText);
    EXPECT_EQ(frames[0].payload, "{\"type\":\"AckRequest\"}");
}

TEST_F(WsCodecTest, SendsNothingBeforeItIsOpenAndAfterClosing) {
    written.clear();
    EXPECT_FALSE(codec->send("too early"));
    EXPECT_EQ(written, "");
    codec.reset();
    make({.url = "ws://h/"});
    open();
    codec->close(1000, "bye");
    (void)sent();
    EXPECT_FALSE(codec->send("too late"));
    EXPECT_EQ(written, "");
}

TEST_F(WsCodecTest, EchoesThePeersCloseFrameAndReportsIt) {
    open();
    codec->feed(server_frame(kClose, close_payload(1001, "going away")));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->first, 1001);
    EXPECT_EQ(closed->second, "going away");
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].opcode, kClose);
    EXPECT_EQ(frames[0].payload, close_payload(1001, "going away"));
}

TEST_F(WsCodecTest, ReportsThePeersAnswerToOurCloseFrame) {
    open();
    codec->close(1000, "ConnectionExpired: Reconnect to continue");
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].payload, close_payload(1000, "ConnectionExpired: Reconnect to continue"));
    EXPECT_FALSE(closed);
    codec->feed(server_frame(kClose, close_payload(1000, "")));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->first, 1000);
}

TEST_F(WsCodecTest, TellsACloseFrameWithoutACodeFromOneThatNeverCame) {
    open();
    codec->feed(server_frame(kClose, ""));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->first, kWsNoCodeInClose);
}

TEST_F(WsCodecTest, CallsTheEndOfTheStreamInTheMiddleOfAFrameAbnormal) {
    open();
    codec->feed(server_frame(kText, "a long message").substr(0, 6));
    codec->end_of_stream();
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->first, kWsAbnormalClose);
    EXPECT_TRUE(messages.empty());
    codec->end_of_stream();
    EXPECT_EQ(ends, 1);
}

TEST_F(WsCodecTest, SurfacesARefusedUpgradeWithItsWholeBody) {
    codec->feed("HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\n\r\n{\"type\"");
    EXPECT_FALSE(refused) << "five bytes are still to come";
    codec->feed(":\"x\"}");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->first, 400);
    EXPECT_EQ(refused->second, "{\"type\":\"x\"}");
}

TEST_F(WsCodecTest, JoinsAChunkedRefusal) {
    codec->feed("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nacc");
    codec->feed("\r\n4\r\ness!\r\n");
    EXPECT_FALSE(refused);
    codec->feed("0\r\n\r\n");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->first, 403);
    EXPECT_EQ(refused->second, "access!");
}

TEST_F(WsCodecTest, SurfacesARefusalWithAStatusThatIsNoStandard) {
    for (const int status : {520, 599, 999}) {
        make({.url = "ws://acs.example:8080/"});
        codec->feed("HTTP/1.1 " + std::to_string(status));
        codec->feed(" Web Server Is Down\r\nContent-Length: 4\r\n\r\ndown");
        ASSERT_TRUE(refused) << status;
        EXPECT_EQ(refused->first, status);
        EXPECT_EQ(refused->second, "down");
        refused.reset();
    }
}

TEST_F(WsCodecTest, FailsOnAStatusThatIsNoStatus) {
    for (const char* status : {"5500", "-1", "2x0", "", "99999999999"}) {
        failed.reset();
        make({.url = "ws://acs.example:8080/"});
        codec->feed("HTTP/1.1 " + std::string(status) + " What\r\nContent-Length: 0\r\n\r\n");
        ASSERT_TRUE(failed) << status;
        EXPECT_THAT(*failed, HasSubstr("no HTTP status"));
    }
}

TEST_F(WsCodecTest, EndsARefusalWithoutLengthAtTheEndOfTheStream) {
    codec->feed("HTTP/1.1 500 Oops\r\n\r\nsorry");
    EXPECT_FALSE(refused);
    codec->end_of_stream();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->second, "sorry");
}

TEST_F(WsCodecTest, FailsOnAnAnswerThatIsNotHttp) {
    codec->feed("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    ASSERT_TRUE(failed);
    EXPECT_THAT(*failed, StartsWith("websocket"));
}

TEST_F(WsCodecTest, FailsOnAWrongAcceptKey) {
    codec->feed(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
    EXPECT_FALSE(opened);
    EXPECT_TRUE(failed);
}

TEST_F(WsCodecTest, ClosesWith1009WhenAMessageExceedsTheLimit) {
    codec.reset();
    written.clear();
    make({.url = "ws://h/", .max_message = 1000});
    open();
    codec->feed(server_frame(kText, std::string(1001, 'x')));
    ASSERT_TRUE(failed);
    EXPECT_THAT(*failed, HasSubstr("exceeds 1000 bytes"));
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].opcode, kClose);
    EXPECT_THAT(frames[0].payload, StartsWith(close_payload(1009, "")));
    EXPECT_TRUE(messages.empty());
}

TEST_F(WsCodecTest, TakesAMessageOfTenMegabytes) {
    open();
    const std::string bytes = server_frame(kText, std::string(std::size_t{10} << 20U, 'x'));
    for (std::size_t at = 0; at < bytes.size(); at += 8192) codec->feed(std::string_view(bytes).substr(at, 8192));
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].size(), std::size_t{10} << 20U);
}

TEST_F(WsCodecTest, FailsOnAMaskedFrameFromTheServer) {
    open();
    std::string frame = server_frame(kText, "");
    frame[1] = static_cast<char>(0x81);
    codec->feed(frame + std::string("\0\0\0\0x", 5));
    ASSERT_TRUE(failed);
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_THAT(frames[0].payload, StartsWith(close_payload(1002, "")));
}

TEST_F(WsCodecTest, FailsOnAUrlItCannotUnderstand) {
    codec.reset();
    make({.url = "nonsense"});
    EXPECT_TRUE(failed);
}

TEST_F(WsCodecTest, LetsAHandlerSendAndCloseFromInside) {
    codec.reset();
    written.clear();
    opened = false;
    WsHandlers handlers;
    handlers.write = [this](std::string_view bytes) { written += bytes; };
    handlers.open = [this] { opened = true; };
    handlers.message = [this](std::string payload, bool) {
        codec->send("re: " + payload);
        codec->close(1000, "");
    };
    handlers.closed = [this](std::uint16_t code, std::string) { closed = {code, ""}; };
    codec = std::make_unique<WsCodec>(WsCodecOptions{.url = "ws://h/"}, std::move(handlers));
    codec->start();
    open();
    codec->feed(server_frame(kText, "q") + server_frame(kClose, close_payload(1000, "")));
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].payload, "re: q");
    EXPECT_EQ(frames[1].opcode, kClose);
    EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace nodeagent::net
