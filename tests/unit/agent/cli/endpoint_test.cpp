#include "agent/cli/endpoint.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "agent/base/fd.hpp"

namespace nodeagent::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A socket on a free port of 127.0.0.1.
struct Listening {
    Fd socket;
    Endpoint endpoint;
};

Listening listening() {
    Listening here{.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                   .endpoint = {.host = "127.0.0.1", .port = ""}};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(here.socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(here.socket.get(), 1), 0);
    ::getsockname(here.socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    here.endpoint.port = std::to_string(ntohs(address.sin_port));
    return here;
}

TEST(EndpointTest, AcceptsTheUsualSpellings) {
    EXPECT_EQ(parse_endpoint("http://127.0.0.1:51678/")->port, "51678");
    EXPECT_EQ(parse_endpoint("node7")->host, "node7");
    EXPECT_EQ(parse_endpoint("node7")->port, "51678");
    EXPECT_EQ(parse_endpoint("[::1]:8080")->host, "::1");
    EXPECT_EQ(parse_endpoint("[::1]:8080")->port, "8080");
    for (const char* bad : {"https://x", "", "http://", ":5", "x:port", "x:0", "x:70000", "[::1", "[::1]8", "x/y"}) {
        EXPECT_FALSE(parse_endpoint(bad)) << bad;
    }
}

TEST(EndpointTest, ReadsAWholeAnswer) {
    Listening here = listening();
    std::string request;
    std::thread server([&] {
        const Fd peer(::accept(here.socket.get(), nullptr, nullptr));
        std::array<char, 1024> buffer{};
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t n = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
            if (n <= 0) return;
            request.append(buffer.data(), static_cast<std::size_t>(n));
        }
        const std::string_view answer = "HTTP/1.0 404 Not Found\r\ncontent-length: 2\r\n\r\n{}";
        ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
    const Result<Reply> got = get(here.endpoint, "/v1/ext/tasks", std::chrono::seconds(30));
    server.join();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->status, 404);
    EXPECT_EQ(got->body, "{}");
    EXPECT_THAT(request, HasSubstr("GET /v1/ext/tasks HTTP/1.0\r\n"));
}

TEST(EndpointTest, SaysWhatToDoWhenNoAgentRuns) {
    Listening here = listening();
    here.socket.reset();
    const Result<Reply> got = get(here.endpoint, "/", std::chrono::seconds(30));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(got.error().what,
                AllOf(HasSubstr("http://127.0.0.1:" + here.endpoint.port), HasSubstr("systemctl status")));
}

TEST(EndpointTest, DoesNotWaitForEver) {
    const Listening here = listening();
    const Result<Reply> got = get(here.endpoint, "/", std::chrono::seconds(0));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::Timeout);
}

TEST(EndpointTest, TellsHalfAnAnswerFromAWholeOne) {
    EXPECT_THAT(parse_reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}").error().what,
                HasSubstr("middle of the answer"));
    EXPECT_THAT(parse_reply("SSH-2.0-OpenSSH\r\n").error().what, HasSubstr("does not speak HTTP"));
    EXPECT_EQ(parse_reply("HTTP/1.1 200 OK\r\n\r\nx")->body, "x");
}

}  // namespace
}  // namespace nodeagent::cli
