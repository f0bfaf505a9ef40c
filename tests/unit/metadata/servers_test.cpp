// The two servers as clients see them, over sockets.

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "metadata/introspection.hpp"
#include "metadata/task_server.hpp"
#include "tests/unit/metadata/trace_snapshot.hpp"
#include "tests/unit/metadata/wire.hpp"

namespace nodeagent::metadata {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

asio::awaitable<Result<std::map<std::string, std::string>>> scripted_tags(std::vector<std::string>* calls,
                                                                          std::string arn, std::string container) {
    calls->push_back(arn.substr(arn.find(":judge") + 1).substr(0, 0) + (arn == kTaskArn ? "task " : "instance ") +
                     container);
    if (arn == kTaskArn) co_return std::map<std::string, std::string>{{"judge", "yes"}};
    co_return Error{.kind = ErrorKind::Denied, .what = "GetResourceTags failed"};
}

asio::awaitable<net::ServiceResult<ProtectionAnswer>> scripted_protection(ProtectionCall call) {
    ProtectionAnswer answer;
    answer.tasks.push_back({.task_arn = call.task_arn,
                            .enabled = call.update.has_value() && call.update->enabled,
                            .expires_at = std::nullopt});
    co_return answer;
}

class TaskServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        TaskView task = i_task();
        task.credentials_id = "cred-1";
        snapshots.publish(snapshot_of({task}));
        who.publish(identity());
        credentials::TaskRoleCredentials role{
            .task_arn = kTaskArn, .role_type = credentials::RoleType::TaskApplication, .role = {}};
        role.role.credentials_id = "cred-1";
        role.role.access_key_id = "ASIATASKCREDS";
        registry.put(role);
        TaskServerOptions options;
        options.listener.port = 0;
        server = std::make_unique<TaskServer>(
            io.get_executor(), clock,
            TaskServerSources{
                .snapshots = snapshots,
                .credentials = registry,
                .identity = who,
                .stats = nullptr,
                .tags = [this](std::string arn,
                               std::string name) { return scripted_tags(&tag_calls, std::move(arn), std::move(name)); },
                .protection = [](ProtectionCall call) { return scripted_protection(std::move(call)); },
                .audit = [this](std::string line) { audit.push_back(std::move(line)); }},
            options);
        server->start();
        turn_until(io, [&] { return server->port() != 0; });
    }
    void TearDown() override {
        bool stopped = false;
        asio::co_spawn(io, server->stop(), [&](const std::exception_ptr&) { stopped = true; });
        turn_until(io, [&] { return stopped; });
    }
    std::string ask(const std::string& request) { return Client(io, server->port()).ask(request); }
    std::string ask_get(const std::string& target) { return ask(get(target)); }

    asio::io_context io;
    fakes::ManualClock clock;
    model::SnapshotBoard snapshots;
    credentials::Registry registry;
    IdentityBoard who;
    std::vector<std::string> audit;
    std::vector<std::string> tag_calls;
    std::unique_ptr<TaskServer> server;
};

TEST_F(TaskServerTest, AnswersWithTheReferencesHeadersInItsOrder) {
    Client client(io, server->port());
    const std::string port = std::to_string(client.port());
    EXPECT_EQ(client.ask(get("/v4/nope", "X-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n")),
              "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nX-Rate-Limit-Duration: "
              "1\r\nX-Rate-Limit-Limit: 40.00\r\n"
              "X-Rate-Limit-Request-Forwarded-For: 1.2.3.4\r\nX-Rate-Limit-Request-Remote-Addr: 127.0.0.1:" +
                  port +
                  "\r\n"
                  "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 123\r\nConnection: close\r\n\r\n"
                  "\"V4 container metadata handler: unable to get container ID from request: unable to get docker ID "
                  "from v3 endpoint ID: nope\"");
}

TEST_F(TaskServerTest, ServesTheTaskDocumentToAnyMethod) {
    const std::string answer = ask_get("/v4/" + std::string(kWebEndpoint) + "/task");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("\"Cluster\":\"judge\""));
    EXPECT_THAT(ask("POST /v4/" + std::string(kWebEndpoint) +
                    "/task HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
                StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(TaskServerTest, RoutesEveryPathOfTheTable) {
    const std::string id = kWebEndpoint;
    const std::vector<std::pair<std::string, unsigned>> rows{{"/v1/credentials", 400},
                                                             {"/v1/credentials?id=cred-1", 200},
                                                             {"/v1/credentials/", 404},
                                                             {"/v2/credentials/cred-1", 200},
                                                             {"/v2/credentials/", 400},
                                                             {"/v2/credentials", 404},
                                                             {"/v2/credentials/none", 400},
                                                             {"/v2/metadata", 400},
                                                             {"/v2/metadata/", 400},
                                                             {"/v2/metadata/x", 400},
                                                             {"/v2/metadataWithTags", 400},
                                                             {"/v2/metadataWithTags/", 400},
                                                             {"/v2/stats", 400},
                                                             {"/v2/stats/", 400},
                                                             {"/v2/stats/x", 400},
                                                             {"/v2/meta", 404},
                                                             {"/v2/statss", 404},
                                                             {"/v3", 404},
                                                             {"/v3/", 500},
                                                             {"/v3/task", 500},
                                                             {"/v3/" + id, 200},
                                                             {"/v3/" + id + "/", 404},
                                                             {"/v3/" + id + "/task", 200},
                                                             {"/v3/" + id + "/task/", 404},
                                                             {"/v3/" + id + "/taskWithTags", 200},
                                                             {"/v3/" + id + "/stats", 200},
                                                             {"/v3/" + id + "/task/stats", 200},
                                                             {"/v3/" + id + "/associations/gpu", 200},
                                                             {"/v3/" + id + "/associations/gpu/", 400},
                                                             {"/v3/" + id + "/associations/gpu/a", 400},
                                                             {"/v4", 404},
                                                             {"/v4/", 404},
                                                             {"/v4/" + id, 200},
                                                             {"/v4/" + id + "/task", 200},
                                                             {"/v4/" + id + "/task/", 404},
                                                             {"/v4/" + id + "/tasks", 404},
                                                             {"/v4/" + id + "/taskWithTags", 200},
                                                             {"/v4/" + id + "/stats", 200},
                                                             {"/v4/" + id + "/task/stats", 200},
                                                             {"/v4/" + id + "/task/stats/", 404},
                                                             {"/v4/" + id + "/associations/gpu", 200},
                                                             {"/api/" + id + "/task-protection/v1/state", 200},
                                                             {"/", 404},
                                                             {"/v5", 404}};
    for (const auto& [target, status] : rows) {
        EXPECT_THAT(ask_get(target), StartsWith("HTTP/1.1 " + std::to_string(status) + " ")) << target;
    }
}

TEST_F(TaskServerTest, AnswersUnknownPathsLikeGo) {
    const std::string answer = ask_get("/nonsense");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; "
                                   "charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nX-Rate-Limit-Duration: 1\r\n"));
    EXPECT_EQ(body_of(answer), "404 page not found\n");
}

TEST_F(TaskServerTest, AnswersAWrongMethodWithNothing) {
    const std::string answer =
        ask("POST /api/x/task-protection/v1/state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\nX-Rate-Limit-Duration: 1\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 0\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Type")));
    EXPECT_THAT(answer, Not(HasSubstr("Allow:")));
}

TEST_F(TaskServerTest, RedirectsToTheCleanPathBeforeTheLimit) {
    const std::string answer = ask_get("//v3/./x/../%41%20b/?q=1&r");
    EXPECT_EQ(answer,
              "HTTP/1.1 301 Moved Permanently\r\nLocation: /v3/A%20b/?q=1&r\r\nDate: Thu, 01 Jan 2026 00:00:00 "
              "GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST_F(TaskServerTest, DecodesThePathBeforeItMatches) {
    EXPECT_THAT(ask_get("/v4/a%00b"), EndsWith("endpoint ID: a\\u0000b\""));
    EXPECT_THAT(ask_get("/%764/" + std::string(kWebEndpoint)), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(ask_get("/v4/a%2Fb"), StartsWith("HTTP/1.1 404")) << "an escaped slash is a slash";
}

TEST_F(TaskServerTest, LimitsEachPathAndWritesItDown) {
    Client client(io, server->port());
    std::string requests;
    for (int i = 0; i < 60; ++i) requests += get("/v4/x?" + std::to_string(i), "");
    client.send(requests);
    const std::string port = std::to_string(client.port());
    EXPECT_THAT(client.ask(get("/v4/x")), EndsWith("\r\n\r\nYou have reached maximum request limit."));
    EXPECT_THAT(client.until_closed(), HasSubstr("HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; "
                                                 "charset=utf-8\r\nX-Rate-Limit-Duration: 1\r\n"));
    EXPECT_THAT(audit, ElementsAre("2026-01-01T00:00:00Z 429 127.0.0.1:" + port + " \"/v4/x\" \"\" - "));
    EXPECT_THAT(ask_get("/v4/y"), StartsWith("HTTP/1.1 404"));
    clock.advance(std::chrono::seconds(1), io);
    EXPECT_THAT(ask_get("/v4/x"), StartsWith("HTTP/1.1 404"));
}

TEST_F(TaskServerTest, AuditsCredentialRequests) {
    ask(get("/v2/credentials/cred-1", "User-Agent: sdk/1\r\nConnection: close\r\n"));
    ask(get("/v2/credentials/none"));
    ASSERT_EQ(audit.size(), 2U);
    EXPECT_THAT(audit[0], EndsWith(" \"/v2/credentials\" \"sdk/1\" " + kTaskArn + " GetCredentials 2 judge " +
                                   identity().container_instance_arn));
    EXPECT_THAT(audit[1], StartsWith("2026-01-01T00:00:00Z 400 127.0.0.1:"));
    EXPECT_THAT(audit[1], EndsWith(" - "));
}

TEST_F(TaskServerTest, AsksForTheInstancesTagsThenTheTasks) {
    const std::string answer = ask_get("/v4/" + std::string(kWebEndpoint) + "/taskWithTags");
    EXPECT_THAT(answer, HasSubstr(R"("TaskTags":{"judge":"yes"},"LaunchType")"));
    EXPECT_THAT(
        answer,
        HasSubstr(
            R"("Errors":[{"ErrorField":"ContainerInstanceTags","ErrorMessage":"GetResourceTags failed","ResourceARN":)"));
    ask_get("/v3/" + std::string(kWebEndpoint) + "/taskWithTags");
    EXPECT_THAT(tag_calls, ElementsAre("instance web", "task web", "instance ", "task "))
        << "only v4 names the container";
}

TEST_F(TaskServerTest, ProtectsATaskThroughItsRole) {
    EXPECT_EQ(body_of(ask("PUT /api/" + std::string(kWebEndpoint) +
                          "/task-protection/v1/state HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\nConnection: "
                          "close\r\n\r\n{\"ProtectionEnabled\":true}")),
              R"({"protection":{"ExpirationDate":null,"ProtectionEnabled":true,"TaskArn":")" + kTaskArn + "\"}}");
    EXPECT_EQ(body_of(ask_get("/api/" + std::string(kWebEndpoint) + "/task-protection/v1/state")),
              R"({"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":")" + kTaskArn + "\"}}");
}

TEST_F(TaskServerTest, JudgesABodyThatEndsEarlyByWhatCame) {
    const auto cut = [this](const std::string& body) {
        Client client(io, server->port());
        client.send("PUT /api/" + std::string(kWebEndpoint) +
                    "/task-protection/v1/state HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + body);
        client.finish_sending();
        return client.until_closed();
    };
    EXPECT_THAT(cut("{\"Prot"), HasSubstr("UpdateTaskProtection: failed to decode request"));
    EXPECT_THAT(cut("{\"ProtectionEnabled\":true}"), StartsWith("HTTP/1.1 200 OK\r\n")) << "the first value is whole";
}

TEST_F(TaskServerTest, ReadsABodyOnlyWhereOneBelongs) {
    const std::string large = "Content-Length: 2000000\r\nConnection: close\r\n\r\n";
    Client post(io, server->port());
    post.send("POST /v4/" + std::string(kWebEndpoint) + "/task HTTP/1.1\r\nHost: x\r\n" + large);
    EXPECT_THAT(post.until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
    Client put(io, server->port());
    put.send("PUT /api/" + std::string(kWebEndpoint) + "/task-protection/v1/state HTTP/1.1\r\nHost: x\r\n" + large);
    EXPECT_THAT(put.until("\r\n\r\n"), StartsWith("HTTP/1.1 413 Request Entity Too Large\r\n"));
}

class IntrospectionServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        snapshots.publish(snapshot_of({i_task()}));
        who.publish(identity());
        IntrospectionOptions options;
        options.listener.port = 0;
        server = std::make_unique<IntrospectionServer>(
            io.get_executor(), clock,
            IntrospectionSource{
                .snapshots = snapshots,
                .identity = who,
                .status =
                    [] {
                        return AgentStatus{.acs_connected = true,
                                           .acs_connected_since = kStarted,
                                           .runtime_name = "docker",
                                           .runtime_version = "20.10.24",
                                           .runtime_reachable = true};
                    },
                .events =
                    [] {
                        return std::vector<AgentEvent>{
                            {.when = kStarted, .task_arn = "arn", .container = "web", .what = "PULLED -> CREATED"}};
                    },
                .settings = {},
                .license_directory = "/nonexistent"},
            options);
        server->start();
        turn_until(io, [&] { return server->port() != 0; });
    }
    void TearDown() override {
        bool stopped = false;
        asio::co_spawn(io, server->stop(), [&](const std::exception_ptr&) { stopped = true; });
        turn_until(io, [&] { return stopped; });
    }
    std::string ask_get(const std::string& target) { return Client(io, server->port()).ask(get(target)); }

    asio::io_context io;
    fakes::ManualClock clock;
    model::SnapshotBoard snapshots;
    IdentityBoard who;
    std::unique_ptr<IntrospectionServer> server;
};

TEST_F(IntrospectionServerTest, AnswersUnknownPathsWithTheCommandsAndAGuessedType) {
    for (const std::string target :
         {"/", "/foo", "/v1/tasks/", "/v1/metadata/", "/v1", "/debug/pprof/", "/v1/ext/none"}) {
        EXPECT_EQ(ask_get(target),
                  "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 61\r\nContent-Type: "
                  "text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
                  R"({"AvailableCommands":["/v1/metadata","/v1/tasks","/license"]})")
            << target;
    }
}

TEST_F(IntrospectionServerTest, ServesMetadataTasksAndLicense) {
    EXPECT_THAT(ask_get("/v1/metadata"), StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(ask_get("/v1/tasks?taskarn=none"),
                StartsWith("HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(ask_get("/license"), StartsWith("HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n"));
}

TEST_F(IntrospectionServerTest, RedirectsWithALink) {
    EXPECT_EQ(ask_get("//v1//tasks"),
              "HTTP/1.1 301 Moved Permanently\r\nContent-Type: text/html; charset=utf-8\r\nLocation: "
              "/v1/tasks\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
              "Content-Length: 44\r\nConnection: close\r\n\r\n<a href=\"/v1/tasks\">Moved Permanently</a>.\n\n");
}

TEST_F(IntrospectionServerTest, AnswersTheOperatorsCommand) {
    const OrderedJson status = OrderedJson::parse(body_of(ask_get("/v1/ext/status")));
    EXPECT_EQ(status["runtime"]["version"], "20.10.24");
    EXPECT_EQ(status["acsConnectedSince"], "2026-01-01T00:00:02Z");
    EXPECT_GT(status["openDescriptors"].get<int>(), 3);
    EXPECT_EQ(
        body_of(ask_get("/v1/ext/events")),
        R"({"events":[{"time":"2026-01-01T00:00:02Z","task":"arn","container":"web","what":"PULLED -\u003e CREATED"}]})");
    EXPECT_EQ(body_of(ask_get("/v1/ext/config")), R"({"settings":[]})");
    EXPECT_THAT(ask_get("/v1/ext/task?id=30947"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(ask_get("/v1/ext/task?id=ffff"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(ask_get("/v1/ext/tasks"), HasSubstr(R"("family":"fam-i1")"));
}

}  // namespace
}  // namespace nodeagent::metadata
