#include "metadata/control.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include <boost/asio/local/stream_protocol.hpp>

#include "agent/base/scope.hpp"
#include "metadata/unix_socket.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/unit/metadata/wire.hpp"

namespace nodeagent::metadata {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ControlTest : public testing::Test {
  protected:
    ~ControlTest() override { server.reset(); }

    asio::awaitable<Result<DrainReport>> answer(DrainCall call) {
        calls.push_back(call);
        if (refuses) co_return Error{.kind = ErrorKind::Unavailable, .what = "not registered"};
        DrainReport report;
        report.draining = true;
        report.cause = "the operator";
        report.tasks_left = 3;
        co_return report;
    }
    asio::awaitable<Result<credentials::AwsCredentials>> keys() {
        if (refuses) co_return Error{.kind = ErrorKind::Denied, .what = "no source has credentials"};
        credentials::AwsCredentials out;
        out.access_key_id = "AKID";
        out.secret_access_key = Secret("secret");
        out.expires_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'767'225'600));
        co_return out;
    }
    Result<TaskLogs> logs(const std::string& id) const {
        if (id != "arn:aws:x/1") return Error{.kind = missing, .what = "no task " + id};
        TaskLogs out;
        out.arn = id;
        out.known = "RUNNING";
        out.runtime = "containerd";
        out.containers = {{.name = "web",
                           .container_id = "c1",
                           .known = "RUNNING",
                           .driver = "awslogs",
                           .path = {},
                           .group = "shop",
                           .stream = "web/1",
                           .region = "us-west-2",
                           .endpoint = {},
                           .problem = {}}};
        return out;
    }
    void start() {
        server = std::make_unique<ControlServer>(
            io.get_executor(), clock,
            ControlServer::Calls{.drain = [this](DrainCall call) { return answer(call); },
                                 .credentials = [this] { return keys(); },
                                 .logs = [this](const std::string& id) { return logs(id); }},
            path);
        server->start();
        fakes::run_until_idle(io);
    }
    void stop() {
        Scope scope(io.get_executor());
        bool done = false;
        scope.spawn(stop_server(*server, done));
        test::turn_until(io, [&done] { return done; });
        server.reset();
    }
    static asio::awaitable<void> stop_server(ControlServer& server, bool& done) {
        co_await server.stop();
        done = true;
    }
    std::string ask(const std::string& line, const std::string& body = {}) {
        asio::local::stream_protocol::socket socket(io);
        socket.connect({path});
        asio::write(socket, asio::buffer(line + " HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) +
                                         "\r\n\r\n" + body));
        std::string received;
        bool closed = false;
        asio::async_read(socket, asio::dynamic_buffer(received),
                         [&closed](boost::system::error_code, std::size_t) { closed = true; });
        test::turn_until(io, [&closed] { return closed; });
        return received;
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::TempDirectory directory;
    std::string path = directory + "/deep/control.sock";
    bool refuses = false;
    ErrorKind missing = ErrorKind::NotFound;
    std::vector<DrainCall> calls;
    std::unique_ptr<ControlServer> server;
};

TEST_F(ControlTest, HandsOutTheAgentsKeysInTheFormOfTheCredentialsEndpoint) {
    start();
    const std::string answer = ask("GET /v1/instance-credentials");
    EXPECT_NE(
        answer.find(
            R"({"AccessKeyId":"AKID","SecretAccessKey":"secret","Token":"","Expiration":"2026-01-01T00:00:00Z"})"),
        std::string::npos)
        << answer;
    refuses = true;
    EXPECT_NE(ask("GET /v1/instance-credentials").find("503"), std::string::npos);
    stop();
}

TEST_F(ControlTest, TellsWhereTheContainersOfATaskLogTo) {
    start();
    EXPECT_THAT(
        ask("GET /v1/logs?id=arn%3Aaws%3Ax%2F1"),
        HasSubstr(
            R"({"task":"arn:aws:x/1","known":"RUNNING","runtime":"containerd","containers":[{"name":"web","containerId":"c1",)"
            R"("known":"RUNNING","internal":false,"driver":"awslogs","group":"shop","stream":"web/1","region":"us-west-2"}]})"));
    EXPECT_THAT(ask("GET /v1/logs?id=2"), testing::AllOf(HasSubstr(" 404 "), HasSubstr("no task 2")));
    missing = ErrorKind::Conflict;
    EXPECT_THAT(ask("GET /v1/logs?id=2"), HasSubstr(" 409 "));
}

TEST_F(ControlTest, IsASocketForItsOwnerOnly) {
    start();
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_TRUE(S_ISSOCK(about.st_mode));
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(ControlTest, DrainsUndrainsAndReports) {
    start();
    EXPECT_THAT(ask("POST /v1/drain"), HasSubstr("\"tasksLeft\":3"));
    ask("POST /v1/drain", R"({"tasksOnly":true})");
    ask("GET /v1/drain");
    ask("POST /v1/undrain");
    EXPECT_THAT(calls, ElementsAre(DrainCall::Begin, DrainCall::BeginTasksOnly, DrainCall::Ask, DrainCall::End));
}

TEST_F(ControlTest, SaysWhyItCannot) {
    refuses = true;
    start();
    EXPECT_THAT(ask("POST /v1/drain"), testing::AllOf(HasSubstr(" 503 "), HasSubstr("not registered")));
    EXPECT_THAT(ask("POST /v1/drain", "{"), HasSubstr(" 400 "));
    EXPECT_THAT(ask("POST /v1/status"), HasSubstr(" 404 "));
    EXPECT_THAT(ask("GET /v1/undrain"), HasSubstr(" 405 "));
    EXPECT_THAT(calls, ElementsAre(DrainCall::Begin));
}

TEST_F(ControlTest, DoesNothingOnARequestThatWasCutShort) {
    start();
    asio::local::stream_protocol::socket socket(io);
    socket.connect({path});
    asio::write(socket, asio::buffer(std::string("POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n")));
    socket.shutdown(asio::socket_base::shutdown_send);
    std::string received;
    bool closed = false;
    asio::async_read(socket, asio::dynamic_buffer(received),
                     [&](boost::system::error_code, std::size_t) { closed = true; });
    test::turn_until(io, [&closed] { return closed; });
    EXPECT_THAT(received, HasSubstr(" 400 "));
    EXPECT_THAT(calls, testing::IsEmpty());
}

TEST_F(ControlTest, TakesThePlaceOfASocketWhoseOwnerIsGoneAndGoesWithItsServer) {
    std::filesystem::create_directories(directory + "/deep");
    {
        asio::local::stream_protocol::acceptor dead(io, {path});  // closing it leaves the file
    }
    ASSERT_TRUE(std::filesystem::exists(path));
    start();
    EXPECT_THAT(ask("GET /v1/drain"), HasSubstr(" 200 "));
    stop();
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ControlTest, LeavesTheSocketOfALivingAgentAlone) {
    start();
    const auto second = bound_to_unix(io.get_executor(), path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
    EXPECT_THAT(second.error().what, HasSubstr("another agent"));
    EXPECT_THAT(ask("GET /v1/drain"), HasSubstr(" 200 "));
}

}  // namespace
}  // namespace nodeagent::metadata
