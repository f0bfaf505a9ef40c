#include "agent/telemetry/metrics_server.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "agent/telemetry/lifecycle_steps.hpp"
#include "tests/fakes/gunzipped.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/unit/agent/telemetry/prometheus/a_scene.hpp"
#include "tests/unit/metadata/wire.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using metadata::test::Client;
using metadata::test::get;
using metadata::test::turn_until;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class MetricsServerTest : public testing::Test {
  protected:
    void SetUp() override {
        auto task = task_view({container_view("app", "aaa")});
        task.containers[0].labels = {{"prometheus.io/scrape", "true"}};
        task.containers[0].ports = {{.container_port = 80, .host_port = 8080, .bind_ip = "0.0.0.0", .protocol = "tcp"}};
        scene_.show({task});
        board_.publish(std::make_shared<const model::Snapshot>(scene_.snapshot));
        MetricsSources sources{.snapshots = board_,
                               .collector = nullptr,
                               .steps = scene_.steps,
                               .figures = [this] { return figures(); },
                               .host =
                                   [this] {
                                       ++looked_;
                                       return model::HostConditions{};
                                   }};
        server_.emplace(io_.get_executor(), clock_, std::move(sources), metrics_listener("127.0.0.1", 0));
        server_->start();
        turn_until(io_, [&] { return server_->port() != 0; });
    }
    void TearDown() override {
        bool stopped = false;
        asio::co_spawn(io_, server_->stop(), [&](const std::exception_ptr&) { stopped = true; });
        turn_until(io_, [&] { return stopped; });
    }
    asio::awaitable<AgentFigures> figures() {
        AgentFigures now;
        now.cluster = "prod";
        co_return now;
    }
    std::string ask(const std::string& request) { return Client(io_, server_->port()).ask(request); }
    std::string request(const std::string& method, const std::string& path, const std::string& host = "node:51680") {
        return method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    }

    std::string ask_encoded(const std::string& encodings) {
        return ask("GET /metrics HTTP/1.0\r\nAccept-Encoding: " + encodings + "\r\n\r\n");
    }
    static std::string body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

    AScene scene_;
    asio::io_context io_;
    fakes::ManualClock clock_;
    model::SnapshotBoard board_;
    int looked_ = 0;
    std::optional<MetricsServer> server_;
};

TEST_F(MetricsServerTest, ServesTheMetricsInPrometheusFormat) {
    const std::string answer = ask(get("/metrics"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(answer, HasSubstr("# TYPE ecs_agent_build_info gauge\n"));
    EXPECT_THAT(answer, HasSubstr("ecs_task_info{"));
}

TEST_F(MetricsServerTest, CompressesTheMetricsForThoseWhoAskForGzip) {
    const std::string plain = body(ask_encoded("identity"));
    for (const char* asked : {"gzip", "deflate, GZIP;q=0.5", "br,gzip ; q=1"}) {
        const std::string answer = ask_encoded(asked);
        EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n")) << asked;
        EXPECT_THAT(answer, HasSubstr("Content-Encoding: gzip\r\n")) << asked;
        EXPECT_THAT(answer, HasSubstr("Vary: Accept-Encoding\r\n")) << asked;
        EXPECT_EQ(fakes::gunzipped(body(answer)), plain) << asked;
    }
    EXPECT_EQ(looked_, 1) << "both forms are of one text";
    clock_.advance(2s);
    EXPECT_THAT(fakes::gunzipped(body(ask_encoded("gzip"))), HasSubstr("ecs_task_info{"));
    EXPECT_EQ(looked_, 2) << "what is compressed is forgotten with the text";
}

TEST_F(MetricsServerTest, CompressesForNobodyElse) {
    for (const char* asked : {"", "deflate", "gzip;q=0", "gzip; q=0.000", "*", "gzipped", "x-gzip"}) {
        const std::string answer = ask_encoded(asked);
        EXPECT_THAT(answer, Not(HasSubstr("Content-Encoding"))) << asked;
        EXPECT_THAT(answer, HasSubstr("# TYPE ecs_agent_build_info gauge\n")) << asked;
        EXPECT_THAT(answer, HasSubstr("Vary: Accept-Encoding\r\n")) << asked << ": caches must tell them apart";
    }
}

TEST_F(MetricsServerTest, ServesTheTargetsAtTheAddressThatTheScraperUses) {
    const std::string answer = ask(request("GET", "/sd", "10.0.0.5:51680"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(answer, HasSubstr(R"("targets":["10.0.0.5:8080"])"));
    EXPECT_THAT(ask(request("GET", "/sd", "no host")), StartsWith("HTTP/1.1 400 "));
}

TEST_F(MetricsServerTest, AnswersNothingElse) {
    EXPECT_THAT(ask(get("/")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(ask(get("/metrics/x")), StartsWith("HTTP/1.1 404 "));
    const std::string refused = ask(request("POST", "/metrics"));
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(refused, HasSubstr("Allow: GET, HEAD\r\n"));
    const std::string head = ask(request("HEAD", "/metrics"));
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("ecs_agent_build_info")));
}

TEST_F(MetricsServerTest, ComputesNothingUnaskedAndNotMoreOftenThanOnceASecond) {
    EXPECT_EQ(looked_, 0);
    (void)ask(get("/metrics"));
    (void)ask(get("/metrics"));
    EXPECT_EQ(looked_, 1);
    clock_.advance(2s);
    (void)ask(get("/metrics"));
    EXPECT_EQ(looked_, 2);
}

}  // namespace
}  // namespace nodeagent::telemetry
