// WsConnection over real sockets against FakeAcs.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/base/scope.hpp"
#include "agent/net/ws_connection.hpp"
#include "tests/fakes/fake_acs.hpp"

namespace nodeagent::net {
namespace {

using asio::ip::tcp;
using fakes::FakeAcs;
using fakes::run_until;
using testing::HasSubstr;

class WsConnectionTest : public testing::Test {
  protected:
    ~WsConnectionTest() override {
        connection.reset();
        scope.cancel();
        EXPECT_TRUE(run_until(io, [&] { return scope.size() == 0; }));
    }

    static asio::awaitable<void> do_open(WsConnectionTest* test, std::string url) {
        auto opened = co_await test->dialer->open(std::move(url), {}, &test->refusal);
        if (opened) {
            test->connection = std::move(*opened);
        } else {
            test->failure = std::move(opened).error();
        }
    }
    static asio::awaitable<void> do_read(WsConnectionTest* test) {
        WsEvent event = co_await test->connection->read();
        test->events.push_back(std::move(event));
    }
    static asio::awaitable<void> do_write(WsConnectionTest* test, std::string text) {
        auto sent = co_await test->connection->write(std::move(text));
        if (sent) ++test->writes;
    }

    void open(const std::string& url, WsDialer::Options options = {}) {
        dialer = std::make_unique<WsDialer>(std::move(options));
        scope.spawn(do_open(this, url));
        ASSERT_TRUE(run_until(io, [&] { return connection || failure; }));
    }
    template <class T>
    T read() {
        events.clear();
        scope.spawn(do_read(this));
        EXPECT_TRUE(run_until(io, [&] { return !events.empty(); }));
        if (events.empty() || !std::holds_alternative<T>(events.front())) {
            ADD_FAILURE() << "another event: " << (events.empty() ? 99 : events.front().index());
            return {};
        }
        return std::get<T>(events.front());
    }
    static std::string url(const FakeAcs& server) {
        return (server.ca_file().empty() ? "ws://127.0.0.1:" : "wss://127.0.0.1:") + std::to_string(server.port()) +
               "/acs/ws?x=y";
    }

    asio::io_context io;
    Scope scope{io.get_executor()};
    std::unique_ptr<WsDialer> dialer;
    std::unique_ptr<WsConnection> connection;
    std::optional<Error> failure;
    std::string refusal;
    std::vector<WsEvent> events;
    int writes = 0;
};

TEST_F(WsConnectionTest, CarriesMessagesBothWaysAndAnswersPings) {
    FakeAcs server(io);
    open(url(server));
    EXPECT_EQ(server.target(), "/acs/ws?x=y");
    server.ping("judge");
    server.send("hello");
    EXPECT_EQ(read<WsMessage>().payload, "hello");
    scope.spawn(do_write(this, "one"));
    scope.spawn(do_write(this, std::string(3'000'000, 'b')));
    scope.spawn(do_write(this, "three"));
    ASSERT_TRUE(run_until(io, [&] { return server.received().size() == 3; }));
    EXPECT_EQ(server.received()[0], "one");
    EXPECT_EQ(server.received()[1].size(), 3'000'000U);
    EXPECT_EQ(server.received()[2], "three");
    EXPECT_TRUE(run_until(io, [&] { return writes == 3; }));
    EXPECT_THAT(server.pongs(), testing::ElementsAre("judge"));
}

TEST_F(WsConnectionTest, VerifiesTheServersCertificate) {
    FakeAcs server(io, {.tls = true});
    open(url(server));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::Denied);
    EXPECT_THAT(failure->what, HasSubstr("AWS_CA_BUNDLE"));
}

TEST_F(WsConnectionTest, TrustsACertificateAuthorityItIsGiven) {
    FakeAcs server(io, {.tls = true});
    open(url(server), {.tls = {.ca_file = server.ca_file()}});
    ASSERT_TRUE(connection) << failure->what;
    server.send("over tls");
    EXPECT_EQ(read<WsMessage>().payload, "over tls");
}

TEST_F(WsConnectionTest, ChecksThatTheCertificateIsForTheHost) {
    FakeAcs server(io, {.tls = true});
    open("wss://localhost:" + std::to_string(server.port()) + "/", {.tls = {.ca_file = server.ca_file()}});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::Denied);
}

TEST_F(WsConnectionTest, AcceptsAnyCertificateWhenToldTo) {
    FakeAcs server(io, {.tls = true});
    open(url(server), {.tls = {.insecure = true}});
    EXPECT_TRUE(connection);
}

TEST_F(WsConnectionTest, GivesTheBodyOfARefusedUpgrade) {
    FakeAcs server(io, {.tls = false, .refuse_status = 400, .refuse_body = "{\"InactiveInstanceException\":\"gone\"}"});
    open(url(server));
    ASSERT_TRUE(failure);
    EXPECT_THAT(failure->what, HasSubstr("status 400"));
    EXPECT_EQ(refusal, "{\"InactiveInstanceException\":\"gone\"}");
}

TEST_F(WsConnectionTest, SaysThatNobodyListens) {
    std::uint16_t port = 0;
    {
        tcp::acceptor gone(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        port = gone.local_endpoint().port();
    }
    open("ws://127.0.0.1:" + std::to_string(port) + "/");
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::Unavailable);
    EXPECT_THAT(failure->what, HasSubstr("connect to 127.0.0.1:" + std::to_string(port)));
}

TEST_F(WsConnectionTest, ReportsHowThePeerClosed) {
    FakeAcs server(io);
    open(url(server));
    server.close(1008, "policy");
    const WsClosed closed = read<WsClosed>();
    EXPECT_EQ(closed.code, 1008);
    EXPECT_EQ(closed.reason, "policy");
}

TEST_F(WsConnectionTest, CallsAStreamCutInTheMiddleOfAFrame1006) {
    FakeAcs server(io);
    open(url(server));
    server.send_raw(std::string("\x81\x7e\x01\x00half", 8));
    server.cut();
    EXPECT_EQ(read<WsClosed>().code, 1006);
}

TEST_F(WsConnectionTest, EndsAPendingReadWhenItIsDropped) {
    FakeAcs server(io);
    open(url(server));
    scope.spawn(do_read(this));
    io.restart();
    io.poll();
    connection->drop("no message from acs");
    ASSERT_TRUE(run_until(io, [&] { return !events.empty(); }));
    const auto* why = std::get_if<Error>(&events.front());
    ASSERT_TRUE(why);
    EXPECT_EQ(why->what, "no message from acs");
}

TEST_F(WsConnectionTest, LetsAReadTimeOutAlthoughPingsArrive) {
    FakeAcs server(io);
    WsDialer::Options options;
    options.deadlines.read = std::chrono::milliseconds(50);
    open(url(server), std::move(options));
    server.ping("still here");
    const Error why = read<Error>();
    EXPECT_EQ(why.kind, ErrorKind::Timeout);
    EXPECT_THAT(why.what, HasSubstr("nothing received"));
    EXPECT_EQ(server.pongs().size(), 1U);
}

TEST_F(WsConnectionTest, LetsAHandshakeTimeOut) {
    tcp::acceptor mute(io,
                       tcp::endpoint(asio::ip::address_v4::loopback(), 0));  // connects in the backlog, never answers
    WsDialer::Options options;
    options.deadlines.handshake = std::chrono::milliseconds(50);
    open("ws://127.0.0.1:" + std::to_string(mute.local_endpoint().port()) + "/", std::move(options));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::Timeout);
    EXPECT_THAT(failure->what, HasSubstr("handshake"));
}

TEST_F(WsConnectionTest, TakesTenMegabytes) {
    FakeAcs server(io);
    open(url(server));
    server.send(std::string(std::size_t{10} << 20U, 'm'));
    EXPECT_EQ(read<WsMessage>().payload.size(), std::size_t{10} << 20U);
}

// A proxy that understands one CONNECT and then passes bytes on.
struct FakeProxy {
    FakeProxy(asio::io_context& io, std::string answer)
        : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        asio::co_spawn(io, serve(this, std::move(answer)), asio::detached);
    }
    static asio::awaitable<void> pass(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
        std::array<char, 4096> buffer{};
        boost::system::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        while (!failed) {
            const std::size_t size = co_await from->async_read_some(asio::buffer(buffer), token);
            if (!failed) co_await asio::async_write(*to, asio::buffer(buffer.data(), size), token);
        }
        to->close(failed);
    }
    static asio::awaitable<void> serve(FakeProxy* proxy, std::string answer) {
        auto executor = proxy->acceptor.get_executor();
        auto client = std::make_shared<tcp::socket>(executor);
        boost::system::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await proxy->acceptor.async_accept(*client, token);
        if (failed) co_return;
        auto into = asio::dynamic_buffer(proxy->request);
        co_await asio::async_read_until(*client, into, std::string("\r\n\r\n"), token);
        const std::string port = proxy->request.substr(proxy->request.find(':') + 1, 5);
        auto upstream = std::make_shared<tcp::socket>(executor);
        const tcp::endpoint target(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port)));
        co_await upstream->async_connect(target, token);
        co_await asio::async_write(*client, asio::buffer(answer), token);
        asio::co_spawn(executor, pass(client, upstream), asio::detached);
        co_await pass(upstream, client);
    }
    tcp::acceptor acceptor;
    std::string request;
};

TEST_F(WsConnectionTest, GoesThroughAProxyThatWantsCredentials) {
    FakeAcs server(io);
    FakeProxy proxy(io, "HTTP/1.1 200 Connection established\r\n\r\n");
    const std::string port = std::to_string(proxy.acceptor.local_endpoint().port());
    // an address that is not loopback by NO_PROXY's rules, and that only the proxy can lead to us
    const std::string target = "acs.invalid:" + std::to_string(server.port());
    open("ws://" + target + "/ws", {.proxy = {.http_proxy = "http://u:p@127.0.0.1:" + port}});
    ASSERT_TRUE(connection) << failure->what;
    EXPECT_THAT(proxy.request, testing::StartsWith("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"));
    EXPECT_THAT(proxy.request, HasSubstr("Proxy-Authorization: Basic dTpw\r\n"));
    server.send("through");
    EXPECT_EQ(read<WsMessage>().payload, "through");
}

TEST_F(WsConnectionTest, SaysWhyTheProxyRefused) {
    FakeAcs server(io);
    FakeProxy proxy(io, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const std::string port = std::to_string(proxy.acceptor.local_endpoint().port());
    open("ws://acs.invalid:" + std::to_string(server.port()) + "/", {.proxy = {.http_proxy = "127.0.0.1:" + port}});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::Denied);
    EXPECT_THAT(failure->what, HasSubstr("status 407"));
}

}  // namespace
}  // namespace nodeagent::net
