#include "runtime/docker/api_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ssl/context.hpp>

#include "tests/unit/runtime/docker/raw_daemon.hpp"

namespace nodeagent::runtime::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Then = RawDaemon::Answer::Then;
using std::chrono::milliseconds;

class ApiClientTest : public ::testing::Test {
  protected:
    Result<ApiResponse> call(std::string target = "/x", std::chrono::nanoseconds timeout = std::chrono::seconds(20)) {
        ApiRequest request;
        request.target = std::move(target);
        request.timeout = timeout;
        return run_on(io, client.call(std::move(request)));
    }
    StreamEnd stream(StreamTimeouts timeouts = {}) {
        lines.clear();
        opened = 0;
        ApiRequest request;
        request.target = "/events";
        return run_on(io, client.stream(
                              std::move(request), timeouts, [this] { ++opened; },
                              [this](std::string_view line) { lines.emplace_back(line); }));
    }
    asio::io_context io;
    RawDaemon daemon{io};
    ApiClient client{io.get_executor(), *parse_endpoint(daemon.address(), false), nullptr};
    std::vector<std::string> lines;
    int opened = 0;
};

TEST_F(ApiClientTest, UsesAConnectionAgain) {
    for (int i = 0; i < 3; ++i) daemon.answer(http_answer(200, "{}"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(call()->body, "{}");
    EXPECT_EQ(daemon.accepted, 1);
    EXPECT_EQ(client.idle_connections(), 1U);
}

TEST_F(ApiClientTest, GivesEveryStatusAsAValue) {
    daemon.answer(http_answer(404, R"({"message":"no"})"));
    EXPECT_EQ(call()->status, 404);
    daemon.answer("HTTP/1.1 304 Not Modified\r\n\r\n");
    EXPECT_EQ(call()->status, 304);
}

TEST_F(ApiClientTest, DoesNotKeepAConnectionTheDaemonCloses) {
    daemon.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", Then::Close);
    EXPECT_EQ(call()->body, "{}");
    EXPECT_EQ(client.idle_connections(), 0U);
}

TEST_F(ApiClientTest, RepeatsTheRequestWhenAKeptConnectionIsDead) {
    daemon.answer(http_answer(200, "1"));
    EXPECT_EQ(call()->body, "1");
    daemon.drop_connections();
    daemon.answer(http_answer(200, "2"));
    EXPECT_EQ(call()->body, "2");
    EXPECT_EQ(daemon.accepted, 2);
}

TEST_F(ApiClientTest, DoesNotRepeatWhenAFreshConnectionBreaks) {
    daemon.answer("", Then::Close);
    const auto response = call();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(daemon.requests.size(), 1U);
}

TEST_F(ApiClientTest, IsUnavailableWhileThereIsNoDaemonAndWorksWhenOneComes) {
    const std::string address = daemon.address();
    daemon.leave();
    const auto response = call();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(response.error().what,
              "Cannot connect to the Docker daemon at " + address + ". Is the docker daemon running?");
}

TEST_F(ApiClientTest, TimesOutWhenNobodyAnswers) {
    daemon.answer("", Then::Hang);
    const auto response = call("/x", milliseconds(20));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::Timeout);
}

TEST_F(ApiClientTest, DoesNotTakeAnAnswerThatIsCutShort) {
    daemon.answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\"", Then::Close);
    EXPECT_EQ(call().error().kind, ErrorKind::Unavailable);
}

TEST_F(ApiClientTest, RefusesWhatIsNoHttp) {
    daemon.answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    EXPECT_EQ(call().error().kind, ErrorKind::Unavailable);
}

TEST_F(ApiClientTest, CutsAStreamIntoLinesWhereverThePiecesEnd) {
    daemon.answers.push_back({{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "6\r\none\ntw\r\n",
                               "6\r\no\n\r\nth\r\n", "4\r\nree\n\r\n", "4\r\nlast\r\n", "0\r\n\r\n"},
                              Then::KeepOpen});
    const StreamEnd end = stream();
    EXPECT_FALSE(end.error);
    EXPECT_EQ(opened, 1);
    EXPECT_THAT(lines, ElementsAre("one", "two", "three", "last"));
}

TEST_F(ApiClientTest, SaysWhyAStreamBroke) {
    daemon.answers.push_back(
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\none\n\r\n"}, Then::Close});
    const StreamEnd end = stream();
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->kind, ErrorKind::Unavailable);
    EXPECT_THAT(lines, ElementsAre("one"));
}

TEST_F(ApiClientTest, HandsOverARefusedStream) {
    daemon.answer(http_answer(404, R"({"message":"no such image"})"));
    const StreamEnd end = stream();
    ASSERT_TRUE(end.refusal);
    EXPECT_EQ(end.refusal->status, 404);
    EXPECT_EQ(end.refusal->body, R"({"message":"no such image"})");
    EXPECT_EQ(opened, 0);
    EXPECT_TRUE(lines.empty());
}

TEST_F(ApiClientTest, TellsWhichLimitOfAStreamWasReached) {
    using Expired = StreamEnd::Expired;
    StreamTimeouts limits{
        .begin = milliseconds(20), .inactivity = std::chrono::seconds(20), .total = std::chrono::seconds(20)};
    daemon.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Then::Hang);
    EXPECT_EQ(stream(limits).expired, Expired::Begin);
    limits = {.begin = std::chrono::seconds(20), .inactivity = milliseconds(20), .total = std::chrono::seconds(20)};
    daemon.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n", Then::Hang);
    EXPECT_EQ(stream(limits).expired, Expired::Inactivity);
    limits = {.begin = std::chrono::seconds(20), .inactivity = std::chrono::seconds(20), .total = milliseconds(20)};
    daemon.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n", Then::Hang);
    const StreamEnd end = stream(limits);
    EXPECT_EQ(end.expired, Expired::Total);
    EXPECT_EQ(end.error->kind, ErrorKind::Timeout);
}

TEST_F(ApiClientTest, StopsAStreamWhenItsCoroutineIsCancelled) {
    daemon.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n", Then::Hang);
    asio::cancellation_signal cancel;
    bool ended = false;
    ApiRequest request;
    request.target = "/events";
    auto work = client.stream(std::move(request), {}, {},
                              [&cancel](std::string_view) { cancel.emit(asio::cancellation_type::terminal); });
    asio::co_spawn(
        io, std::move(work),
        asio::bind_cancellation_slot(cancel.slot(), [&ended](std::exception_ptr, StreamEnd) { ended = true; }));
    while (!ended) ASSERT_GT(io.run_one(), 0U);
    EXPECT_TRUE(ended);
}

TEST(DockerEndpoint, IsAUnixSocketOrAHostAndPort) {
    EXPECT_EQ(parse_endpoint("unix:///var/run/docker.sock", false)->path, "/var/run/docker.sock");
    EXPECT_EQ(parse_endpoint("tcp://10.0.0.1", false)->port, "2375");
    EXPECT_EQ(parse_endpoint("tcp://10.0.0.1/", true)->port, "2376");
    EXPECT_EQ(parse_endpoint("tcp://[::1]:99", false)->host, "::1");
    EXPECT_EQ(parse_endpoint("tcp://[::1]:99", false)->port, "99");
    EXPECT_EQ(parse_endpoint("http://h:1", false)->host, "h");
}

TEST(DockerEndpoint, NamesDockerHostWhenItIsNone) {
    for (const char* bad :
         {"", "docker.sock", "unix://", "tcp://", "tcp://h:", "tcp://h:0", "tcp://h:x", "tcp://[::1", "ssh://h"}) {
        const auto endpoint = parse_endpoint(bad, false);
        ASSERT_FALSE(endpoint) << bad;
        EXPECT_THAT(endpoint.error().what, HasSubstr("DOCKER_HOST"));
    }
}

}  // namespace
}  // namespace nodeagent::runtime::docker
