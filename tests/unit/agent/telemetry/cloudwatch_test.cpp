#include "agent/telemetry/cloudwatch.hpp"

#include <gmock/gmock.h>

#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "tests/fakes/container_readings.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/fixed_credentials.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/metric_form.hpp"

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;
using fakes::ContainerReadings;
using fakes::MetricForm;
using fakes::run_until_idle;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string kDenied =
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: "
    "cloudwatch:PutMetricData</Message></Error><RequestId>r1</RequestId></ErrorResponse>";

std::string error_answer(const std::string& code) {
    return "<ErrorResponse><Error><Code>" + code + "</Code><Message>because</Message></Error></ErrorResponse>";
}

const Error kNoNetwork{.kind = ErrorKind::Unavailable, .what = "no answer"};
const Error kSilence{.kind = ErrorKind::Timeout, .what = "no answer in time"};

class CloudWatchTest : public testing::Test {
  protected:
    void SetUp() override {
        log::set_sink([this](log::Level, std::string_view line) { log_.emplace_back(line); });
        options_.cluster = "shop";
        options_.version = cgroups::Version::V2;
        options_.spread = 0s;
        options_.service.endpoint = "https://monitoring.us-west-2.amazonaws.com";
        options_.service.signing_name = "monitoring";
        options_.service.region = "us-west-2";
    }
    void TearDown() override {
        scope_.cancel();
        run_until_idle(io_);
        log::set_sink([](log::Level, std::string_view) {});
    }

    void run_tasks(int count, int containers) {
        for (int i = 0; i < count; ++i) {
            std::vector<model::ContainerView> parts;
            for (int k = 0; k < containers; ++k)
                parts.push_back(ContainerReadings::container("container-" + std::to_string(k), 256, 512));
            auto& task = host_.run("family-" + std::to_string(i % 10), "service-" + std::to_string(i % 10), parts);
            task.task->arn =
                "arn:aws:ecs:us-west-2:123456789012:task/shop/" + std::string(28, 'a') + std::to_string(1000 + i);
            for (auto& one : task.task->containers) one.docker_id = task.task->arn + one.name;
        }
    }
    void start() {
        const auto readings = [this](const std::function<void(const Reading&)>& visit) { host_.each(visit); };
        cloudwatch_.emplace(io_.get_executor(), options_, readings, board_,
                            net::AwsTransport{.http = http_, .credentials = credentials_, .clock = clock_});
        scope_.spawn(cloudwatch_->look());
        scope_.spawn(cloudwatch_->send());
        run_until_idle(io_);
    }
    void pass(std::chrono::seconds time) {
        for (auto second = 0s; second < time; second += 1s) {
            if (busy_) host_.be_busy();
            host_.work(1'000'000);
            host_.read({.steady = clock_.now().steady + 1s, .wall = clock_.now().wall + 1s});
            board_.publish(host_.snapshot());
            clock_.advance(1s, io_);
        }
    }
    void pass_10s() {
        host_.be_busy();
        host_.read({.steady = clock_.now().steady + 10s, .wall = clock_.now().wall + 10s});
        board_.publish(host_.snapshot());
        clock_.advance(10s, io_);
    }
    /// From now on CloudWatch takes what it gets; taken_ has it.
    void reachable() {
        http_.on("POST", "https://monitoring.us-west-2.amazonaws.com/").answer([this](const net::HttpRequest& request) {
            taken_.emplace_back(request.body);
            return Result<net::HttpResponse>(net::HttpResponse{.status = 200, .headers = {}, .body = "<ok/>"});
        });
    }
    /// How many metrics of each minute were taken.
    std::map<std::string, std::size_t> minutes_taken() const {
        std::map<std::string, std::size_t> minutes;
        for (const MetricForm& form : taken_) {
            for (const auto& metric : form.metrics) ++minutes[metric.timestamp];
        }
        return minutes;
    }
    std::vector<std::string> logged(std::string_view part) const {
        std::vector<std::string> found;
        for (const std::string& line : log_) {
            if (line.find(part) != std::string::npos) found.push_back(line);
        }
        return found;
    }
    asio::awaitable<void> finish(std::chrono::nanoseconds limit) {
        co_await cloudwatch_->finish(limit);
        finished_ = true;
    }

    asio::io_context io_;
    fakes::ManualClock clock_;
    fakes::FakeHttpClient http_;
    fakes::FixedCredentials credentials_;
    ContainerReadings host_;
    model::SnapshotBoard board_;
    CloudWatch::Options options_;
    std::optional<CloudWatch> cloudwatch_;
    Scope scope_{io_.get_executor()};
    std::vector<MetricForm> taken_;
    std::vector<std::string> log_;
    bool finished_ = false;
    bool busy_ = false;  ///< containers do something else every second
};

TEST_F(CloudWatchTest, EveryMinuteIsSentOnce) {
    reachable();
    run_tasks(2, 1);
    start();
    pass(59s);
    EXPECT_THAT(http_.requests, IsEmpty());
    pass(122s);
    ASSERT_EQ(taken_.size(), 3U);
    EXPECT_EQ(http_.requests.size(), 3U);
    const auto* cpu = taken_[1].find("CpuUtilized", {{"ClusterName", "shop"}});
    ASSERT_NE(cpu, nullptr);
    EXPECT_EQ(cpu->timestamp, "2026-01-01T00:01:00Z");
    EXPECT_EQ(cpu->count, 2);
    EXPECT_NEAR(cpu->sum, 2 * 1.024, 1e-6);
    EXPECT_NE(taken_[1].find("CpuUtilized", {{"ClusterName", "shop"}, {"ServiceName", "service-1"}}), nullptr);
    net::HttpResponse headers;
    headers.headers = http_.requests[0].headers;
    EXPECT_THAT(headers.header("Authorization"), HasSubstr("/us-west-2/monitoring/aws4_request"));
    EXPECT_EQ(headers.header("Content-Encoding"), "gzip");
    const CloudWatch::Counters counters = cloudwatch_->counters();
    EXPECT_EQ(counters.requests_sent, 3U);
    EXPECT_EQ(counters.metrics_sent, 3 * taken_[0].metrics.size());
    EXPECT_EQ(counters.queued_requests, 0U);
    EXPECT_EQ(counters.queued_bytes, 0U);
}

TEST_F(CloudWatchTest, NothingIsLostOverAnOutageOfTenMinutes) {
    options_.detailed = true;
    busy_ = true;
    run_tasks(100, 2);
    http_.on("POST", "*")
        .fail(kNoNetwork)
        .fail(kSilence)
        .reply(503)
        .reply(400, error_answer("Throttling"))
        .fail(kNoNetwork);
    start();
    pass(10min);
    const CloudWatch::Counters outage = cloudwatch_->counters();
    EXPECT_EQ(outage.metrics_sent, 0U);
    EXPECT_GT(outage.attempts_failed, 10U);
    EXPECT_LT(outage.attempts_failed, 40U) << "it is not hammered";
    EXPECT_GT(outage.queued_bytes, 0U);
    EXPECT_LT(outage.queued_bytes, options_.queue_bytes);
    RecordProperty("queued_bytes", static_cast<int>(outage.queued_bytes));

    reachable();
    pass(61s);
    const auto minutes = minutes_taken();
    ASSERT_EQ(minutes.size(), 11U);
    EXPECT_EQ(minutes.begin()->first, "2026-01-01T00:00:00Z");
    EXPECT_EQ(minutes.rbegin()->first, "2026-01-01T00:10:00Z");
    for (const auto& [minute, metrics] : minutes) EXPECT_EQ(metrics, minutes.begin()->second) << minute;
    EXPECT_GT(minutes.begin()->second, 3000U);
    std::set<std::tuple<std::string, std::string, std::map<std::string, std::string>>> different;
    std::size_t all = 0;
    for (const MetricForm& form : taken_) {
        EXPECT_LE(form.metrics.size(), 1000U);
        for (const auto& metric : form.metrics) different.emplace(metric.timestamp, metric.name, metric.dimensions);
        all += form.metrics.size();
    }
    EXPECT_EQ(different.size(), all) << "none is there twice";
    const CloudWatch::Counters after = cloudwatch_->counters();
    EXPECT_EQ(after.metrics_sent, all);
    EXPECT_EQ(after.metrics_dropped + after.metrics_refused, 0U);
    EXPECT_EQ(after.queued_requests, 0U);
    EXPECT_EQ(logged("do not reach CloudWatch").size(), 1U);
    EXPECT_EQ(logged("takes metrics again").size(), 1U);
}

TEST_F(CloudWatchTest, AFullQueueDropsTheOldestAndCountsThem) {
    options_.queue_bytes = options_.queue_bytes_at_most = 4'000;
    run_tasks(1, 1);
    http_.on("POST", "*").fail(kNoNetwork);
    start();
    pass(20min);
    const CloudWatch::Counters outage = cloudwatch_->counters();
    EXPECT_LE(outage.queued_bytes, options_.queue_bytes);
    ASSERT_GT(outage.queued_requests, 1U);
    EXPECT_GT(outage.metrics_dropped, 0U);
    reachable();
    pass(40s);
    const auto minutes = minutes_taken();
    ASSERT_EQ(minutes.size(), outage.queued_requests);
    EXPECT_EQ(minutes.rbegin()->first, "2026-01-01T00:19:00Z") << "the newest are kept";
    const std::size_t each = minutes.begin()->second;
    EXPECT_EQ(outage.metrics_dropped, (20 - minutes.size()) * each);
    EXPECT_EQ(logged("are dropped, the oldest first").size(), 1U);
}

TEST_F(CloudWatchTest, WhatIsUnderWayIsNotDropped) {
    options_.queue_bytes = options_.queue_bytes_at_most = 2'000;
    reachable();
    run_tasks(1, 1);
    start();
    http_.hold();
    pass(3min);
    EXPECT_EQ(cloudwatch_->counters().queued_requests, 1U);
    http_.release();
    run_until_idle(io_);
    ASSERT_THAT(minutes_taken(), ElementsAre(Pair("2026-01-01T00:00:00Z", testing::_)));
    EXPECT_EQ(cloudwatch_->counters().metrics_dropped, 2 * taken_[0].metrics.size());
    EXPECT_EQ(cloudwatch_->counters().queued_bytes, 0U);
}

TEST_F(CloudWatchTest, ARequestWithoutAnAnswerIsSentAgainAsItWas) {
    http_.on("POST", "*").fail(kSilence).reply(200);
    run_tasks(1, 1);
    start();
    pass(70s);
    ASSERT_EQ(http_.requests.size(), 2U);
    EXPECT_EQ(http_.requests[0].body, http_.requests[1].body);
    EXPECT_EQ(cloudwatch_->counters().attempts_failed, 1U);
}

TEST_F(CloudWatchTest, WithoutPermissionMetricsAreDroppedAndTheRemedyIsLoggedOnce) {
    http_.on("POST", "*").reply(403, kDenied);
    run_tasks(1, 1);
    start();
    pass(5min);
    EXPECT_EQ(http_.requests.size(), 5U) << "each minute is tried once";
    CloudWatch::Counters counters = cloudwatch_->counters();
    EXPECT_GT(counters.metrics_refused, 0U);
    EXPECT_EQ(counters.queued_requests, 0U);
    EXPECT_EQ(counters.attempts_failed, 0U);
    EXPECT_THAT(logged("CloudWatch refuses metrics"),
                ElementsAre(AllOf(HasSubstr("AccessDenied"), HasSubstr("allow cloudwatch:PutMetricData"))));

    reachable();  // the permission was given
    pass(60s);
    EXPECT_EQ(taken_.size(), 1U);
    http_.on("POST", "*").reply(403, kDenied);
    pass(60s);
    EXPECT_EQ(logged("CloudWatch refuses metrics").size(), 2U) << "and was taken away again";
}

TEST_F(CloudWatchTest, AMinuteThatIsRefusedDoesNotHoldUpTheNext) {
    http_.on("POST", "*").reply(400, error_answer("InvalidParameterValue")).reply(200);
    run_tasks(1, 1);
    start();
    pass(121s);
    EXPECT_EQ(http_.requests.size(), 2U);
    EXPECT_EQ(cloudwatch_->counters().requests_sent, 1U);
    EXPECT_EQ(logged("InvalidParameterValue").size(), 1U);
}

TEST_F(CloudWatchTest, WhatIsNotCloudWatchsAnswerRefusesNothing) {
    http_.on("POST", "*").reply(403, "<html>this proxy says no</html>").reply(200);
    run_tasks(1, 1);
    start();
    pass(70s);
    EXPECT_EQ(cloudwatch_->counters().metrics_refused, 0U);
    EXPECT_EQ(cloudwatch_->counters().requests_sent, 1U);
}

TEST_F(CloudWatchTest, TenMinutesOfALargeHostWait) {
    options_.detailed = true;
    options_.interval = 10s;
    busy_ = true;
    run_tasks(500, 2);
    http_.on("POST", "*").fail(kNoNetwork);
    start();
    for (int i = 0; i < 60; ++i) pass_10s();
    const CloudWatch::Counters outage = cloudwatch_->counters();
    EXPECT_GT(outage.queued_bytes, options_.queue_bytes) << "else this shows nothing";
    EXPECT_LT(outage.queued_bytes, options_.queue_bytes_at_most);
    EXPECT_EQ(outage.metrics_dropped, 0U);
    RecordProperty("queued_bytes", static_cast<int>(outage.queued_bytes));
}

TEST_F(CloudWatchTest, AWrongKeyOrClockLosesNothing) {
    for (const auto& [code, status] : std::map<std::string, int>{{"InvalidClientTokenId", 403},
                                                                 {"SignatureDoesNotMatch", 403},
                                                                 {"RequestExpired", 400},
                                                                 {"IncompleteSignature", 400},
                                                                 {"ExpiredToken", 400}}) {
        http_.on("POST", "*").reply(status, error_answer(code)).reply(status, error_answer(code)).reply(200);
        const int invalidations = credentials_.invalidations;
        if (!cloudwatch_) {
            run_tasks(1, 1);
            start();
        }
        const std::uint64_t sent = cloudwatch_->counters().requests_sent;
        pass(90s);
        EXPECT_EQ(credentials_.invalidations, invalidations + 2) << code;
        EXPECT_EQ(cloudwatch_->counters().requests_sent, sent + 1) << code;
        pass(30s);
    }
    EXPECT_EQ(cloudwatch_->counters().metrics_refused, 0U);
}

TEST_F(CloudWatchTest, AServiceThatTheAccountHasNotMayNotWait) {
    http_.on("POST", "*").reply(403, error_answer("OptInRequired"));
    run_tasks(1, 1);
    start();
    pass(61s);
    EXPECT_EQ(http_.requests.size(), 1U);
    EXPECT_GT(cloudwatch_->counters().metrics_refused, 0U);
    EXPECT_EQ(credentials_.invalidations, 0);
}

TEST_F(CloudWatchTest, WhatIsTooLargeForAProxyIsSentInParts) {
    run_tasks(20, 1);
    options_.detailed = true;
    http_.on("POST", "*").answer([this](const net::HttpRequest& request) {
        const MetricForm form(request.body);
        if (form.metrics.size() <= 100) taken_.push_back(form);
        const int status = form.metrics.size() <= 100 ? 200 : 413;
        return Result<net::HttpResponse>(
            net::HttpResponse{.status = status, .headers = {}, .body = "<html>too large</html>"});
    });
    start();
    pass(119s);
    std::set<std::tuple<std::string, std::map<std::string, std::string>>> different;
    std::size_t all = 0;
    for (const MetricForm& form : taken_) {
        for (const auto& metric : form.metrics) different.emplace(metric.name, metric.dimensions);
        all += form.metrics.size();
    }
    EXPECT_GT(all, 400U);
    EXPECT_EQ(different.size(), all);
    const CloudWatch::Counters counters = cloudwatch_->counters();
    EXPECT_EQ(counters.metrics_sent, all);
    EXPECT_EQ(counters.metrics_refused + counters.metrics_dropped, 0U);
    EXPECT_EQ(counters.queued_requests, 0U);
    EXPECT_EQ(counters.queued_bytes, 0U);
    EXPECT_EQ(logged("is sent in parts").size(), 1U);
}

TEST_F(CloudWatchTest, AProxyThatFindsEverythingTooLargeIsNotHammered) {
    http_.on("POST", "*").reply(413, "<html>too large</html>");
    run_tasks(1, 1);
    start();
    pass(20min);
    EXPECT_LT(http_.requests.size(), 80U);
    EXPECT_GT(cloudwatch_->counters().metrics_refused, 0U);
    EXPECT_EQ(logged("CloudWatch refuses metrics").size(), 1U);
}

TEST_F(CloudWatchTest, WhatAProxyAlwaysRefusesDoesNotHoldUpTheRest) {
    std::string refused;
    http_.on("POST", "*").answer([&](const net::HttpRequest& request) {
        if (refused.empty()) refused = request.body;
        const int status = request.body == refused ? 403 : 200;
        return Result<net::HttpResponse>(net::HttpResponse{.status = status, .headers = {}, .body = "<html>no</html>"});
    });
    run_tasks(1, 1);
    start();
    pass(10min);
    EXPECT_EQ(cloudwatch_->counters().requests_sent, 0U) << "for so long it is tried";
    pass(10min);
    const CloudWatch::Counters counters = cloudwatch_->counters();
    EXPECT_EQ(counters.metrics_refused, MetricForm(refused).metrics.size());
    EXPECT_GE(counters.requests_sent, 18U);
    EXPECT_THAT(logged("CloudWatch refuses metrics"), ElementsAre(HasSubstr("check the proxy")));
}

TEST_F(CloudWatchTest, CredentialsThatExpiredOrAreMissingAreAskedForAgain) {
    http_.on("POST", "*").reply(403, error_answer("ExpiredToken")).reply(200);
    credentials_.refusal = "no credentials: tried environment, EC2 role";
    run_tasks(1, 1);
    start();
    pass(65s);
    EXPECT_THAT(http_.requests, IsEmpty());
    EXPECT_THAT(logged("do not reach CloudWatch"), Contains(HasSubstr("tried environment, EC2 role")));
    credentials_.refusal.clear();
    pass(30s);
    EXPECT_EQ(credentials_.invalidations, 1);
    EXPECT_EQ(cloudwatch_->counters().requests_sent, 1U);
    EXPECT_EQ(cloudwatch_->counters().metrics_refused, 0U);
}

TEST_F(CloudWatchTest, TheAgentsOfAClusterDoNotComeAllAtOnce) {
    reachable();
    options_.spread = 10s;
    run_tasks(1, 1);
    std::set<std::int64_t> waits;
    for (int agent = 0; agent < 20; ++agent) {
        start();
        while (http_.requests.size() <= static_cast<std::size_t>(agent)) pass(1s);
        waits.insert((clock_.now().wall - std::chrono::floor<std::chrono::minutes>(clock_.now().wall)).count());
        scope_.cancel();
        run_until_idle(io_);
    }
    EXPECT_GT(waits.size(), 2U);
    EXPECT_LE(*waits.rbegin(), WallTime::duration(10s).count());
}

TEST_F(CloudWatchTest, AtTheEndTheMinuteUnderWayIsSentAtOnce) {
    reachable();
    options_.spread = 10s;
    run_tasks(1, 1);
    start();
    pass(45s);
    scope_.spawn(finish(1s));
    run_until_idle(io_);
    EXPECT_TRUE(finished_);
    ASSERT_EQ(taken_.size(), 1U);
    EXPECT_EQ(taken_[0].metrics.at(0).timestamp, "2026-01-01T00:00:00Z");
}

TEST_F(CloudWatchTest, AtTheEndWhatWaitsForItsNextAttemptIsSentAtOnce) {
    http_.on("POST", "*").fail(kNoNetwork);
    run_tasks(1, 1);
    start();
    pass(310s);
    reachable();
    scope_.spawn(finish(1s));
    run_until_idle(io_);
    EXPECT_TRUE(finished_);
    EXPECT_EQ(minutes_taken().size(), 5U) << "the sixth was watched for ten seconds only";
}

TEST_F(CloudWatchTest, TheEndIsNotWaitedForLongerThanItsLimit) {
    reachable();
    run_tasks(1, 1);
    start();
    pass(45s);
    http_.hold();
    scope_.spawn(finish(1s));
    run_until_idle(io_);
    EXPECT_FALSE(finished_);
    clock_.advance(1s, io_);
    EXPECT_TRUE(finished_);
    http_.release();
    run_until_idle(io_);
}

TEST_F(CloudWatchTest, AtTheEndOneFailureIsEnough) {
    http_.on("POST", "*").fail(kNoNetwork);
    run_tasks(1, 1);
    start();
    pass(190s);
    const std::size_t before = http_.requests.size();
    scope_.spawn(finish(1s));
    run_until_idle(io_);
    EXPECT_TRUE(finished_);
    EXPECT_EQ(http_.requests.size(), before + 1);
}

TEST_F(CloudWatchTest, WithNothingToSendTheEndIsNow) {
    reachable();
    start();
    pass(20s);
    scope_.spawn(finish(1s));
    run_until_idle(io_);
    EXPECT_TRUE(finished_);
    EXPECT_THAT(http_.requests, IsEmpty());
}

TEST_F(CloudWatchTest, CancellingEndsBothCoroutines) {
    http_.on("POST", "*").fail(kNoNetwork);
    run_tasks(1, 1);
    start();
    pass(70s);
    EXPECT_EQ(scope_.size(), 2U);
    scope_.cancel();
    run_until_idle(io_);
    EXPECT_EQ(scope_.size(), 0U);
}

}  // namespace
}  // namespace nodeagent::telemetry
