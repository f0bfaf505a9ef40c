// The real libcurl against servers on loopback.
#include "agent/net/curl_http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "agent/base/scope.hpp"
#include "tests/fakes/fake_acs.hpp"

namespace nodeagent::net {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using testing::HasSubstr;
namespace http = boost::beast::http;

/// Echoes method, target and body; answers of "/long" never end, "/silent" never begin.
struct Server {
    explicit Server(asio::io_context& io) : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
    tcp::acceptor acceptor;
    int connections = 0;
    std::vector<http::request<http::string_body>> requests;
    std::vector<std::shared_ptr<tcp::socket>> open;

    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + path;
    }
};

asio::awaitable<void> converse(Server& server, std::shared_ptr<tcp::socket> socket) {
    boost::beast::flat_buffer buffer;
    try {
        for (;;) {
            http::request<http::string_body> request;
            co_await http::async_read(*socket, buffer, request, asio::use_awaitable);
            server.requests.push_back(request);
            if (request.target() == "/silent") continue;
            http::response<http::string_body> response(http::status::ok, 11);
            response.set("X-Seen", "yes");
            response.body() =
                std::string(request.method_string()) + " " + std::string(request.target()) + " " + request.body();
            if (request.target() == "/long") response.body().assign(100'000, 'x');
            if (request.target() == "/moved") response.result(http::status::found);
            if (request.target() == "/moved") response.set("Location", "/elsewhere");
            response.prepare_payload();
            co_await http::async_write(*socket, response, asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) {
        // the client hung up
    }
}

asio::awaitable<void> serve(Server& server, Scope& scope) {
    for (;;) {
        auto socket = std::make_shared<tcp::socket>(co_await server.acceptor.async_accept(asio::use_awaitable));
        ++server.connections;
        server.open.push_back(socket);
        scope.spawn(converse(server, socket));
    }
}

using Outcome = std::optional<Result<HttpResponse>>;

asio::awaitable<void> ask(CurlHttpClient& client, HttpRequest request, Outcome& outcome) {
    outcome = co_await client.send(std::move(request));
}

class CurlHttpClientTest : public testing::Test {
  protected:
    CurlHttpClientTest() { scope.spawn(serve(server, scope)); }
    ~CurlHttpClientTest() override { scope.cancel(); }

    Result<HttpResponse> fetch(CurlHttpClient& client, HttpRequest request) {
        Outcome outcome;
        scope.spawn(ask(client, std::move(request), outcome));
        EXPECT_TRUE(fakes::run_until(io, [&outcome] { return outcome.has_value(); }));
        if (!outcome) return Error{.what = "the request never ended"};
        return *outcome;
    }
    static HttpRequest get(std::string url) {
        HttpRequest request;
        request.url = std::move(url);
        return request;
    }

    asio::io_context io;
    BlockingPool pool{2};
    Scope scope{io.get_executor()};
    Server server{io};
};

TEST_F(CurlHttpClientTest, SendsWhatItIsGivenAndNothingOfItsOwn) {
    CurlHttpClient client(pool, {});
    HttpRequest request = get(server.url("/things?a=b%20c"));
    request.method = "POST";
    request.headers = {{"X-Amz-Target", "T.Op"}, {"Content-Length", "5"}, {"X-Empty", ""}};
    request.body = "hello";
    const auto response = fetch(client, request);
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /things?a=b%20c hello");
    EXPECT_EQ(response->header("x-seen"), "yes");
    const auto& seen = server.requests.at(0);
    EXPECT_EQ(seen["X-Amz-Target"], "T.Op");
    EXPECT_EQ(seen.count("Content-Length"), 1U);
    EXPECT_EQ(seen.count("X-Empty"), 1U);
    EXPECT_EQ(seen.count("Content-Type"), 0U);
    EXPECT_EQ(seen.count("Expect"), 0U);
}

TEST_F(CurlHttpClientTest, KeepsItsConnectionBetweenRequests) {
    CurlHttpClient client(pool, {});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(fetch(client, get(server.url("/"))));
    HttpRequest put = get(server.url("/latest/api/token"));
    put.method = "PUT";
    EXPECT_EQ(fetch(client, put)->body, "PUT /latest/api/token ");
    EXPECT_EQ(server.connections, 1);
}

TEST_F(CurlHttpClientTest, LeavesRedirectsToTheCaller) {
    CurlHttpClient client(pool, {});
    const auto response = fetch(client, get(server.url("/moved")));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 302);
    EXPECT_EQ(response->header("location"), "/elsewhere");
}

TEST_F(CurlHttpClientTest, RefusesAnAnswerThatIsTooLong) {
    CurlHttpClient client(pool, {});
    HttpRequest request = get(server.url("/long"));
    request.max_body = 1000;
    const auto response = fetch(client, request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(response.error().what, HasSubstr("more than 1000 bytes"));
}

TEST_F(CurlHttpClientTest, EndsASilentAttemptAtItsDeadline) {
    CurlHttpClient client(pool, {});
    HttpRequest request = get(server.url("/silent"));
    request.total_timeout = 30ms;
    const auto response = fetch(client, request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Timeout);
    EXPECT_THAT(response.error().what, HasSubstr("127.0.0.1:"));
}

TEST_F(CurlHttpClientTest, NamesTheHostNobodyListensOn) {
    tcp::acceptor closed(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = std::to_string(closed.local_endpoint().port());
    closed.close();
    CurlHttpClient client(pool, {});
    const auto response = fetch(client, get("http://127.0.0.1:" + port + "/"));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(response.error().what, HasSubstr("no answer from 127.0.0.1:" + port));
}

TEST_F(CurlHttpClientTest, SpeaksHttpOnly) {
    CurlHttpClient client(pool, {});
    const auto response = fetch(client, get("file:///etc/hostname"));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Malformed);
}

TEST_F(CurlHttpClientTest, GoesThroughTheProxyUnlessToldOtherwise) {
    CurlOptions options;
    options.proxy.http_proxy = server.url("");
    options.proxy.no_proxy = "direct.invalid";
    CurlHttpClient client(pool, options);
    const auto proxied = fetch(client, get("http://ecs.invalid/x"));
    ASSERT_TRUE(proxied) << proxied.error().what;
    EXPECT_EQ(proxied->body, "GET http://ecs.invalid/x ") << "a proxy gets the whole URL";
    EXPECT_FALSE(fetch(client, get("http://direct.invalid/x")));
    HttpRequest own_way = get("http://ecs.invalid/x");
    own_way.use_proxy = false;
    EXPECT_FALSE(fetch(client, own_way));
    EXPECT_EQ(fetch(client, get(server.url("/local")))->body, "GET /local ") << "loopback is never proxied";
}

TEST_F(CurlHttpClientTest, TrustsOnlyTheCertificatesItIsGiven) {
    fakes::FakeAcs::Options tls;
    tls.tls = true;
    tls.refuse_status = 400;
    tls.refuse_body = "over TLS";
    fakes::FakeAcs secure(io, tls);
    CurlHttpClient strict(pool, {});
    const auto refused = fetch(strict, get(secure.endpoint()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Denied);
    EXPECT_THAT(refused.error().what, HasSubstr("AWS_CA_BUNDLE"));

    CurlOptions with_ca;
    with_ca.ca_file = secure.ca_file();
    CurlHttpClient trusting(pool, with_ca);
    const auto accepted = fetch(trusting, get(secure.endpoint()));
    ASSERT_TRUE(accepted) << accepted.error().what;
    EXPECT_EQ(accepted->body, "over TLS");

    CurlOptions dash_k;
    dash_k.insecure = true;
    CurlHttpClient careless(pool, dash_k);
    EXPECT_TRUE(fetch(careless, get(secure.endpoint())));
}

}  // namespace
}  // namespace nodeagent::net
