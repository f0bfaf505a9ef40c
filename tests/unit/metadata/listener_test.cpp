#include "metadata/listener.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tests/unit/metadata/wire.hpp"

namespace nodeagent::metadata {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Answers with method, path and size of the body; "/later" when told to, "/large" with more than one chunk's worth.
struct Echo final : Handler {
    explicit Echo(asio::io_context& io) : gate(io, asio::steady_timer::time_point::max()) {}
    std::optional<asio::awaitable<void>> handle(const Request& request, Response& answer) override {
        handled.push_back(std::string(request.path) + (request.body_whole ? "" : " cut"));
        if (request.path == "/later") return later(*this, request, answer);
        answer = json_response(std::string(request.method) + std::string(request.path) +
                               std::to_string(request.body.size()));
        if (request.path == "/large") answer.body = std::string(100'000, 'L');
        return std::nullopt;
    }
    static asio::awaitable<void> later(Echo& self, const Request& request, Response& answer) {
        boost::system::error_code woken;
        co_await self.gate.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        answer = json_response("late" + std::string(request.path));
    }
    [[nodiscard]] bool reads_body(std::string_view method) const override { return method == "PUT"; }
    asio::steady_timer gate;
    std::vector<std::string> handled;
};

class ListenerTest : public ::testing::Test {
  protected:
    void start(ListenerOptions options = {}) {
        listener = std::make_unique<Listener>(io.get_executor(), clock, echo, "test", std::move(options));
        listener->start();
        turn_until(io, [&] { return listener->port() != 0; });
    }
    ~ListenerTest() override {
        if (!listener) return;
        bool stopped = false;
        asio::co_spawn(io, listener->stop(), [&](const std::exception_ptr&) { stopped = true; });
        turn_until(io, [&] { return stopped; });
        EXPECT_EQ(listener->connections(), 0U);
    }
    Client client() { return {io, listener->port()}; }

    asio::io_context io;
    fakes::ManualClock clock;
    Echo echo{io};
    std::unique_ptr<Listener> listener;
};

TEST_F(ListenerTest, KeepsAConnectionForFurtherRequests) {
    start();
    auto one = client();
    one.send(get("/a", ""));
    EXPECT_THAT(one.until("GET/a0"), StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 "
                                                "Jan 2026 00:00:00 GMT\r\nContent-Length: 6\r\n\r\n"));
    EXPECT_FALSE(one.closed());
    EXPECT_THAT(one.ask(get("/b")), HasSubstr("Connection: close\r\n\r\nGET/b0"));
}

TEST_F(ListenerTest, AnswersPipelinedRequestsInOrder) {
    start();
    auto one = client();
    one.send(get("/a", "") + get("/later", "") + get("/large", "") + get("/c"));
    EXPECT_THAT(one.until("GET/a0"), HasSubstr("GET/a0")) << "the first does not wait for the second";
    echo.gate.cancel();
    const std::string all = one.until_closed();
    const auto at = [&](const std::string& text) { return all.find(text); };
    EXPECT_LT(at("GET/a0"), at("late/later"));
    EXPECT_LT(at("late/later"), at("LLLL"));
    EXPECT_LT(at("LLLL"), at("GET/c0"));
}

TEST_F(ListenerTest, ReadsBodiesByLengthAndByChunks) {
    start();
    EXPECT_THAT(client().ask("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n12345"),
                HasSubstr("PUT/x5"));
    EXPECT_THAT(client().ask("PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: "
                             "close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
                HasSubstr("PUT/x5"));
}

TEST_F(ListenerTest, ReadsChunksThatComeByteByByte) {
    start();
    for (const std::string chunks : {"3\r\nabc\r\n0\r\n\r\n", "0\r\n\r\n"}) {
        auto one = client();
        one.send("PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        for (const char c : chunks) {
            fakes::run_until_idle(io);
            one.send(std::string(1, c));
        }
        EXPECT_THAT(one.until_closed(), HasSubstr("PUT/x" + chunks.substr(0, 1)));
    }
}

TEST_F(ListenerTest, InvitesTheBodyOfAClientThatAsksFirst) {
    start();
    auto one = client();
    one.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(one.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(one.ask("ab"), HasSubstr("PUT/x2"));
}

TEST_F(ListenerTest, RefusesWhatIsNoRequest) {
    start({.body_limit = 1000});
    const std::vector<std::pair<std::string, std::string>> rows{
        {"nonsense\r\n\r\n", "400 Bad Request"},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"},
        {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"},
        {"GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"},
        {"GET nopath HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"},
        {std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), "400 Bad Request"},
        {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400 Bad Request: too many Host headers"},
        {"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417 Expectation Failed"},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version"},
        {"GET / a HTTP/2.0\r\nHost: x\r\n\r\n", "400 Bad Request"},
        {"GET /\nHost: x\n\n", "400 Bad Request"},
        {std::string("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 35), "400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n", "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413 Request Entity Too Large"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
         "413 Request Entity Too Large"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + std::string(1024, 'b'),
         "413 Request Entity Too Large"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
         "501 Not Implemented: Unsupported transfer encoding"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x'),
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: " + std::string(100'000, 'x'),
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"}};
    for (const auto& [request, text] : rows) {
        auto one = client();
        one.send(request);
        const std::string answer = one.until(text);
        EXPECT_THAT(answer,
                    StartsWith("HTTP/1.1 " + text.substr(0, text.find(':')) +
                               "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + text))
            << request;
    }
    EXPECT_THAT(echo.handled, ::testing::IsEmpty());
}

TEST_F(ListenerTest, RefusesAHugeHeaderWithoutStoringIt) {
    start({.header_limit = 64 * 1024});
    auto one = client();
    one.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(100 * 1024, 'x'));
    EXPECT_THAT(one.until("431 R"), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(ListenerTest, RefusesHeadersWithoutEnd) {
    start({.header_limit = 64 * 1024});
    auto one = client();
    std::string endless = "GET / HTTP/1.1\r\nHost: x\r\n";
    while (endless.size() < 200 * 1024) endless += "a: b\r\n";
    one.send(endless);
    EXPECT_THAT(one.until("431 R"), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(ListenerTest, AcceptsAHeaderBelowTheLimit) {
    start({.header_limit = 64 * 1024});
    EXPECT_THAT(client().ask("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + std::string(50 * 1024, 'x') +
                             "\r\n\r\n"),
                HasSubstr("GET/a0"));
}

TEST_F(ListenerTest, ReadsHeadersOfAnyShapeBelowTheLimit) {
    start();
    const auto with = [](const std::string& headers) {
        return "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n";
    };
    const std::string long_value(900'000, 'x');
    EXPECT_THAT(client().ask(with("X: " + long_value + "\r\n")), HasSubstr("GET/a0"));
    EXPECT_THAT(client().ask(with("User-Agent: " + long_value + "\r\n")), HasSubstr("GET/a0"));
    EXPECT_THAT(client().ask(with(long_value + ": x\r\n")), HasSubstr("GET/a0"));
    std::string short_ones;
    for (int i = 0; i < 200'000; ++i) short_ones += "a:\r\n";
    EXPECT_THAT(client().ask(with(short_ones)), HasSubstr("GET/a0"));
    EXPECT_THAT(client().ask("GET /" + long_value + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                HasSubstr("GET/xxxx"));
}

TEST_F(ListenerTest, AnswersBeforeABodyThatNobodyReadsAndThenEnds) {
    start({.body_limit = 1000});
    auto large = client();
    large.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + std::string(100'000, 'b'));
    EXPECT_THAT(large.until("POST/x"), HasSubstr("Connection: close\r\n\r\nPOST/x"));
    auto invited = client();
    invited.send("POST /y HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(invited.until("POST/y"), StartsWith("HTTP/1.1 200 OK\r\n")) << "it was not asked for";
    auto small = client();
    small.send("POST /z HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + get("/next"));
    EXPECT_THAT(small.until_closed(), HasSubstr("GET/next0")) << "the connection can go on";
}

TEST_F(ListenerTest, AnswersAClientThatEndsWithinTheBodyButStillListens) {
    start();
    auto one = client();
    one.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    turn_until(io, [&] { return listener->connections() == 1; });
    one.finish_sending();
    EXPECT_THAT(one.until_closed(), HasSubstr("Connection: close\r\n\r\nPUT/x3"));
    auto other = client();
    other.send("PUT /y HTTP/1.1\r\nHost: x\r\nContent-Len");
    other.finish_sending();
    EXPECT_EQ(other.until_closed(), "");
    EXPECT_THAT(echo.handled, ::testing::ElementsAre("/x cut"));
}

TEST_F(ListenerTest, DoesNothingForAClientWhoseBodyDoesNotComeInTime) {
    start();
    auto one = client();
    one.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    turn_until(io, [&] { return listener->connections() == 1; });
    fakes::run_until_idle(io);
    for (int i = 0; i < 12; ++i) clock.advance(std::chrono::milliseconds(500), io);
    EXPECT_EQ(one.until_closed(), "");
    EXPECT_THAT(echo.handled, ::testing::IsEmpty());
}

TEST_F(ListenerTest, AnswersWhatCameBeforeNonsense) {
    start();
    auto one = client();
    one.send(get("/a", "") + "nonsense\r\n\r\n");
    EXPECT_THAT(one.until("400 Bad Request\r\n"), HasSubstr("GET/a0HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(ListenerTest, GivesOthersTheirTurnBetweenPipelinedRequests) {
    start();
    auto greedy = client();
    auto other = client();
    turn_until(io, [&] { return listener->connections() == 2; });
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += "GET /g HTTP/1.1\r\nHost: x\r\n\r\n";
    greedy.send(requests);
    other.send(get("/o"));
    turn_until(io, [&] { return echo.handled.size() == 101; });
    const auto place = std::find(echo.handled.begin(), echo.handled.end(), "/o") - echo.handled.begin();
    EXPECT_LT(place, 50);
}

TEST_F(ListenerTest, ClosesAClientThatAsksAndAsksButDoesNotRead) {
    start();
    asio::ip::tcp::socket deaf(io);
    deaf.open(asio::ip::tcp::v4());
    deaf.set_option(asio::socket_base::receive_buffer_size(4096));
    deaf.connect({asio::ip::address_v4::loopback(), listener->port()});
    std::string requests;
    for (int i = 0; i < 2000; ++i) requests += get("/large", "");
    asio::async_write(deaf, asio::buffer(requests), [](boost::system::error_code, std::size_t) {});
    fakes::run_until_idle(io);
    EXPECT_EQ(listener->connections(), 1U);
    EXPECT_LT(echo.handled.size(), 1000U) << "what it does not take is not made";
    EXPECT_THAT(client().ask(get("/b")), HasSubstr("GET/b0"));
    for (int i = 0; i < 12; ++i) clock.advance(std::chrono::milliseconds(500), io);
    turn_until(io, [&] { return listener->connections() == 0; });
}

TEST_F(ListenerTest, BoundsWhatAllUnfinishedRequestsHold) {
    start({.buffer_limit = 100'000});
    auto first = client();
    first.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + std::string(80'000, 'b'));
    auto second = client();
    second.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + std::string(80'000, 'b'));
    turn_until(io, [&] { return first.has("503") || second.has("503"); });
    EXPECT_THAT(client().ask(get("/a")), HasSubstr("GET/a0")) << "small requests pass";
}

TEST_F(ListenerTest, ClosesASlowClientAndServesOthersMeanwhile) {
    start();
    auto slow = client();
    slow.send("GET /a HTT");
    EXPECT_THAT(client().ask(get("/b")), HasSubstr("GET/b0"));
    clock.advance(std::chrono::milliseconds(4900), io);
    EXPECT_FALSE(slow.closed());
    clock.advance(std::chrono::milliseconds(700), io);
    EXPECT_EQ(slow.until_closed(), "") << "without an answer, as the reference";
}

TEST_F(ListenerTest, ClosesAnIdleConnectionAfterTheReadTimeout) {
    start();
    auto one = client();
    one.send(get("/a", ""));
    one.until("GET/a0");
    for (int i = 0; i < 12; ++i) clock.advance(std::chrono::milliseconds(500), io);
    one.until_closed();
    EXPECT_TRUE(one.closed());
}

TEST_F(ListenerTest, GivesARequestItsWholeTimeHoweverLongTheConnectionIdled) {
    start();
    auto one = client();
    clock.advance(std::chrono::milliseconds(4500), io);
    one.send("GET /a HTTP/1.1\r\n");
    fakes::run_until_idle(io);
    for (int i = 0; i < 8; ++i) clock.advance(std::chrono::milliseconds(500), io);
    EXPECT_THAT(one.ask("Host: x\r\nConnection: close\r\n\r\n"), HasSubstr("GET/a0"));
}

TEST_F(ListenerTest, EndsTheConnectionWhenAnAnswerComesTooLate) {
    start();
    auto one = client();
    one.send(get("/later", ""));
    turn_until(io, [&] { return listener->connections() == 1; });
    fakes::run_until_idle(io);
    for (int i = 0; i < 12; ++i) clock.advance(std::chrono::milliseconds(500), io);
    EXPECT_EQ(one.until_closed(), "");
    echo.gate.cancel();
    turn_until(io, [&] { return listener->connections() == 0; });
}

TEST_F(ListenerTest, MakesRoomForNewConnectionsAtTheCostOfTheOldestSilentOne) {
    start({.max_connections = 2});
    auto first = client();
    turn_until(io, [&] { return listener->connections() == 1; });
    clock.advance(std::chrono::milliseconds(10), io);
    auto second = client();
    turn_until(io, [&] { return listener->connections() == 2; });
    EXPECT_THAT(client().ask(get("/a")), HasSubstr("GET/a0"));
    EXPECT_EQ(first.until_closed(), "");
    EXPECT_FALSE(second.closed());
}

TEST_F(ListenerTest, SurvivesClientsThatLeaveAtAnyPoint) {
    start();
    for (const std::string part : {"", "G", "GET /later HTTP/1.1\r\nHost: x\r\n\r\n",
                                   "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"}) {
        auto leaving = std::make_unique<Client>(io, listener->port());
        if (!part.empty()) leaving->send(part);
        fakes::run_until_idle(io);
        leaving->leave();
        fakes::run_until_idle(io);
    }
    echo.gate.cancel();
    turn_until(io, [&] { return listener->connections() == 0; });
    EXPECT_THAT(client().ask(get("/a")), HasSubstr("GET/a0"));
}

TEST_F(ListenerTest, TriesAgainWithAGrowingPauseWhileThePortIsTaken) {
    asio::ip::tcp::acceptor other(io, {asio::ip::address_v4::loopback(), 0});
    ListenerOptions options;
    options.port = other.local_endpoint().port();
    listener = std::make_unique<Listener>(io.get_executor(), clock, echo, "test", options);
    listener->start();
    fakes::run_until_idle(io);
    EXPECT_EQ(listener->port(), 0);
    other.close();
    clock.advance(std::chrono::milliseconds(900), io);
    EXPECT_EQ(listener->port(), 0);
    clock.advance(std::chrono::milliseconds(400), io);
    EXPECT_EQ(listener->port(), options.port);
    EXPECT_THAT(client().ask(get("/a")), HasSubstr("GET/a0"));
}

TEST_F(ListenerTest, AnswersOldClientsInTheirVersion) {
    start();
    EXPECT_THAT(client().ask("GET /a HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 200 OK\r\n"));
    EXPECT_THAT(client().ask("GET /large HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HasSubstr("GMT\r\n\r\nLLLL"));
}

}  // namespace
}  // namespace nodeagent::metadata
