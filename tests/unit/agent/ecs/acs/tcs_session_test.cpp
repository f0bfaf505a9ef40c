// The telemetry session and what it publishes (control-plane.md 8).
#include "agent/ecs/tcs_session.hpp"

#include <boost/asio/co_spawn.hpp>

#include "agent/base/json.hpp"
#include "agent/ecs/telemetry_requests.hpp"
#include "agent/net/sigv4.hpp"
#include "tests/unit/agent/ecs/acs/acs_rig.hpp"

namespace nodeagent::ecs {
namespace {

using fakes::FakeAcs;
using fakes::run_until;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

struct ScriptedSource final : TelemetrySource {
    std::optional<std::vector<model::TaskMetric>> take(bool service_connect) override {
        asked.push_back(service_connect);
        return answer;
    }
    std::vector<bool> asked;
    std::optional<std::vector<model::TaskMetric>> answer;
};

model::TaskMetric task_metric(std::string arn) {
    model::TaskMetric out;
    out.task_arn = std::move(arn);
    return out;
}

struct Frame {
    std::vector<std::string> header_lines;
    std::string body;
    Json document;
};

Frame parse_frame(const std::string& text) {
    Frame out;
    const auto blank = text.find("\r\n\r\n");
    EXPECT_NE(blank, std::string::npos) << text;
    std::string_view head = std::string_view(text).substr(0, blank);
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        out.header_lines.emplace_back(head.substr(0, end));
        head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 2);
    }
    out.body = text.substr(blank + 4);
    out.document = Json::parse(out.body);
    return out;
}

class TcsSessionTest : public SessionTest {
  protected:
    static asio::awaitable<Result<std::string>> discover(TcsSessionTest* test) { co_return test->server->endpoint(); }
    static asio::awaitable<Result<void>> ping(TcsSessionTest* test) {
        if (test->runtime_gone) co_return Error{.kind = ErrorKind::Unavailable, .what = "gone"};
        co_return Result<void>{};
    }
    void start(TcsSession::Options options = {}) {
        options.identity = test_identity();
        session = std::make_unique<TcsSession>(io.get_executor(), std::move(options), clock, dialer, credentials,
                                               [this] { return discover(this); });
        scope.spawn(session->run());
        ASSERT_TRUE(run_until(io, [&] { return session->status().connected && server->connected(); }));
    }
    bool received(std::size_t count) {
        return wait([&] { return server->received().size() >= count; });
    }
    Frame frame(std::size_t index) { return parse_frame(server->received().at(index)); }

    net::WsDialer dialer{net::WsDialer::Options{}};
    bool runtime_gone = false;
    std::unique_ptr<TcsSession> session;
};

TEST_F(TcsSessionTest, SendsAnIdleRequestFirstInASignedFrame) {
    credentials.token = "tok";
    start();
    EXPECT_EQ(
        server->target(),
        "/acs/ws?agentHash=a8b3e7d3&agentVersion=1.105.1&cluster=prod&containerInstance=arn%3Aaws%3Aecs%3Aus-west-2%3A"
        "123456789012%3Acontainer-instance%2Fprod%2F0123&dockerVersion=25.0.8");
    ASSERT_TRUE(received(1));
    const Frame first = frame(0);
    ASSERT_EQ(first.header_lines.size(), 4U);
    EXPECT_THAT(first.header_lines[0], testing::StartsWith("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    EXPECT_EQ(first.header_lines[1], "Host: 127.0.0.1:" + std::to_string(server->port()));
    EXPECT_EQ(first.header_lines[2], "X-Amz-Date: 20260101T000000Z");
    EXPECT_EQ(first.header_lines[3], "X-Amz-Security-Token: tok");
    EXPECT_EQ(first.document["type"], "PublishMetricsRequest");
    const Json& message = first.document["message"];
    EXPECT_EQ(message["metadata"]["idle"], true);
    EXPECT_EQ(message["metadata"]["fin"], true);
    EXPECT_EQ(message["metadata"]["cluster"], "prod");
    EXPECT_EQ(message["timestamp"], 1767225600);
    EXPECT_FALSE(message.contains("taskMetrics"));
}

TEST_F(TcsSessionTest, SignsTheBytesOfTheEnvelope) {
    start();
    ASSERT_TRUE(received(1));
    const Frame first = frame(0);
    net::SigningRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server->port()) + server->target();
    request.payload_hash = net::sha256_hex(first.body);
    credentials::AwsCredentials key;
    key.access_key_id = "AKIDEXAMPLE";
    key.secret_access_key = Secret("secret");
    net::SigningContext context;
    context.region = "us-west-2";
    context.service = "ecs";
    context.time = clock.now().wall;
    net::Signature signature;
    (void)net::sign_headers(request, key, context, &signature);
    EXPECT_THAT(first.header_lines[0], HasSubstr("Signature=" + signature.value));
}

TEST_F(TcsSessionTest, PublishesEveryTwentySecondsAndServiceConnectEveryMinute) {
    ScriptedSource source;
    source.answer = std::vector{task_metric("t")};
    start({.source = &source});
    for (std::size_t tick = 1; tick <= 6; ++tick) {
        ASSERT_TRUE(received(tick));
        server->send(R"({"type":"AckPublishMetric","message":{"message":"ok"}})");
        clock.advance(20s, io);
    }
    EXPECT_THAT(source.asked, testing::ElementsAre(false, false, false, true, false, false, true));
}

TEST_F(TcsSessionTest, PublishesNothingWhileNothingCanBeToldYet) {
    ScriptedSource source;
    source.answer.emplace();
    start({.source = &source});
    clock.advance(20s, io);
    source.answer->push_back(task_metric("t"));
    clock.advance(20s, io);
    ASSERT_TRUE(received(1));
    EXPECT_EQ(frame(0).document["message"]["taskMetrics"][0]["taskArn"], "t");
    EXPECT_EQ(frame(0).document["message"]["metadata"]["idle"], false);
}

TEST_F(TcsSessionTest, IsIdleWhenMetricsAreDisabled) {
    ScriptedSource source;
    source.answer = std::vector{task_metric("t")};
    start({.metrics_disabled = true, .source = &source});
    ASSERT_TRUE(received(1));
    EXPECT_EQ(frame(0).document["message"]["metadata"]["idle"], true);
    EXPECT_THAT(source.asked, IsEmpty());
}

TEST_F(TcsSessionTest, ReportsTheRuntimesHealthOncePerCheck) {
    Doctor doctor([this](std::chrono::nanoseconds) { return ping(this); }, clock);
    const auto check = [&] {
        scope.spawn(doctor.check());
        io.restart();
        io.poll();
    };
    start({.doctor = &doctor});
    ASSERT_TRUE(received(1));
    clock.advance(20s);
    ASSERT_TRUE(received(3));
    std::vector<std::string> reports;
    const auto collect = [&] {
        reports.clear();
        for (const std::string& text : server->received()) {
            const Frame one = parse_frame(text);
            if (one.document["type"] != "PublishInstanceStatusRequest") continue;
            const Json& status = one.document["message"]["statuses"][0];
            reports.push_back(status["type"].get<std::string>() + " " + status["status"].get<std::string>());
        }
    };
    collect();
    EXPECT_THAT(reports, testing::ElementsAre("ContainerRuntime INITIALIZING"));
    runtime_gone = true;
    check();
    clock.advance(20s);
    ASSERT_TRUE(received(5));
    clock.advance(20s);
    ASSERT_TRUE(received(6));
    collect();
    EXPECT_THAT(reports, testing::ElementsAre("ContainerRuntime INITIALIZING", "ContainerRuntime IMPAIRED"));
}

TEST_F(TcsSessionTest, ClosesAConnectionWithoutAcksAndReconnects) {
    start();
    ASSERT_TRUE(received(1));
    for (int i = 0; i < 7 && server->upgrades() == 1; ++i) {
        server->send(R"({"type":"StopTelemetrySessionMessage","message":{"message":"does not count"}})");
        clock.advance(20s, io);
    }
    ASSERT_TRUE(wait([&] { return server->upgrades() == 2 && session->status().connected; }));
    EXPECT_EQ(server->close_code(), 1000);
    EXPECT_EQ(server->close_reason(), "ConnectionExpired: Reconnect to continue");
}

TEST_F(TcsSessionTest, KeepsFiveMinutesOfSnapshotsWhileDisconnected) {
    start();
    ASSERT_TRUE(received(1));
    server->refuse(500, "");
    server->close(1000, "");
    ASSERT_TRUE(wait([&] { return !session->status().connected && !session->status().last_error.empty(); }));
    for (int i = 0; i < 20; ++i) clock.advance(20s, io);
    server->refuse(0, "");
    ASSERT_TRUE(wait([&] {
        clock.advance(2s);
        return session->status().connected;
    }));
    ASSERT_TRUE(received(16));
    EXPECT_LE(server->received().size(), 17U);
}

TEST_F(TcsSessionTest, LosesOnlyTheMessageItCannotSign) {
    start();
    ASSERT_TRUE(received(1));
    credentials.missing = true;
    clock.advance(20s, io);
    credentials.missing = false;
    clock.advance(20s, io);
    ASSERT_TRUE(received(2));
    EXPECT_EQ(server->upgrades(), 1U);
    EXPECT_EQ(frame(1).document["message"]["timestamp"], 1767225640);
}

TEST_F(TcsSessionTest, LetsGoOfTheConnectionWhenTold) {
    start();
    session->disconnect("the instance is inactive");
    ASSERT_TRUE(wait([&] { return !session->status().last_error.empty(); }));
    EXPECT_EQ(session->status().last_error, "the instance is inactive");
    clock.advance(2s);
    EXPECT_TRUE(wait([&] { return server->upgrades() == 2; }));
}

// ---- cutting into requests, pure ----

const TelemetryAddress kAddress{"prod", "arn"};
const WallTime kNow{std::chrono::milliseconds(1'767'225'600'120)};

TEST(TelemetryRequests, PutTenTasksIntoARequestAndMarkTheLast) {
    std::vector<model::TaskMetric> tasks(23);
    const auto requests = metrics_requests(std::move(tasks), kAddress, "id", kNow);
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].task_metrics.size(), 10U);
    EXPECT_EQ(requests[2].task_metrics.size(), 3U);
    EXPECT_FALSE(requests[1].metadata.fin);
    EXPECT_TRUE(requests[2].metadata.fin);
    EXPECT_EQ(encode(requests[0].timestamp), "1767225600.12");
    EXPECT_THAT(metrics_requests(std::vector<model::TaskMetric>{}, kAddress, "id", kNow), IsEmpty());
}

TEST(TelemetryRequests, StayBelowOneMebibyte) {
    std::vector<model::TaskMetric> tasks(9);
    for (model::TaskMetric& task : tasks) task.task_arn = std::string(300'000, 'a');
    model::GeneralMetricsWrapper wrapper;
    wrapper.dimensions = {{.key = "k", .value = std::string(200'000, 'v')}};
    tasks[4].service_connect_metrics_wrapper.assign(7, wrapper);
    const auto requests = metrics_requests(tasks, kAddress, "id", kNow);
    std::size_t wrappers = 0;
    for (const auto& request : requests) {
        EXPECT_LE(encode(request).size(), kMaxMetricsRequest);
        for (const auto& task : request.task_metrics) wrappers += task.service_connect_metrics_wrapper.size();
    }
    EXPECT_EQ(wrappers, 7U);
    EXPECT_TRUE(requests.back().metadata.fin);
}

TEST(TelemetryRequests, TellTheHealthOfCheckedContainersThatRun) {
    auto task = std::make_shared<model::TaskView>();
    task->arn = "t";
    task->family = "web";
    task->version = "3";
    task->containers.resize(4);
    task->containers[0].name = "checked";
    task->containers[0].health_checked = true;
    task->containers[0].health = {
        .status = model::HealthStatus::Healthy, .since = kNow - 1s, .exit_code = {}, .output = {}};
    task->containers[1].name = "unchecked";
    task->containers[2].name = "stopped";
    task->containers[2].health_checked = true;
    task->containers[2].known = model::ContainerStatus::Stopped;
    task->containers[3].name = "starting";
    task->containers[3].health_checked = true;
    model::Snapshot snapshot;
    snapshot.tasks["t"] = task;
    const auto requests = health_requests(container_health(snapshot, kNow), kAddress, "id", kNow);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(
        model::encode_tcs_envelope(requests[0]),
        R"({"type":"PublishHealthRequest","message":{"metadata":{"cluster":"prod","containerInstance":"arn","fin":true,"messageId":"id"},)"
        R"("tasks":[{"containers":[{"containerName":"checked","healthStatus":"HEALTHY","statusSince":1767225599.12},)"
        R"({"containerName":"starting","healthStatus":"UNKNOWN","statusSince":1767225600.12}],"taskArn":"t",)"
        R"("taskDefinitionFamily":"web","taskDefinitionVersion":"3"}],"timestamp":1767225600.12}})");
    EXPECT_THAT(health_requests({}, kAddress, "id", kNow), IsEmpty());
}

}  // namespace
}  // namespace nodeagent::ecs
