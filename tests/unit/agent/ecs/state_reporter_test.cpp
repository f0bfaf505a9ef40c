#include "agent/ecs/state_reporter.hpp"

#include "agent/base/time_format.hpp"
#include "tests/unit/agent/ecs/fixture.hpp"

namespace nodeagent::ecs {
namespace {

using namespace std::chrono_literals;
using model::ContainerStatus;
using model::TaskStatus;
using testing::ElementsAre;

model::TaskStateChange task_change(std::string arn, TaskStatus status, std::string reason = {}) {
    model::TaskStateChange change;
    change.task_arn = std::move(arn);
    change.status = status;
    change.reason = std::move(reason);
    return change;
}

model::ContainerStateChange container_change(std::string arn, std::string name, ContainerStatus status) {
    model::ContainerStateChange change;
    change.task_arn = std::move(arn);
    change.container_name = std::move(name);
    change.status = status;
    return change;
}

asio::awaitable<void> stop_reporter(StateReporter& reporter, std::chrono::nanoseconds limit, bool& stopped) {
    co_await reporter.stop(limit);
    stopped = true;
}

class StateReporterTest : public EcsTest {
  protected:
    ~StateReporterTest() override {
        bool stopped = false;
        scope.spawn(stop_reporter(reporter, 0s, stopped));
        let_pass([&stopped] { return stopped; });
        EXPECT_TRUE(stopped);
    }

    /// The engine's view of one task.
    void publish(const std::string& arn, TaskStatus known, TaskStatus sent_status = TaskStatus::None,
                 bool internal = false) {
        auto view = std::make_shared<model::TaskView>();
        view->arn = arn;
        view->known = known;
        view->sent = sent_status;
        view->internal = internal;
        tasks[arn] = view;
        auto snapshot = std::make_shared<model::Snapshot>();
        snapshot->tasks = tasks;
        board.publish(snapshot);
    }

    [[nodiscard]] std::vector<Json> submissions() const { return sent("SubmitTaskStateChange"); }
    [[nodiscard]] std::vector<std::string> statuses() const {
        std::vector<std::string> out;
        for (const Json& body : submissions()) {
            out.push_back(body.at("task").get<std::string>() + " " + body.at("status").get<std::string>());
        }
        return out;
    }

    model::SnapshotBoard board;
    std::map<std::string, std::shared_ptr<const model::TaskView>> tasks;
    std::vector<model::StateChangeAck> acks;
    ApiClient api = api_client();
    StateReporter reporter{
        api, board, clock, io.get_executor(), {.cluster = "judge", .filter = {}}, [this](model::StateChangeAck ack) {
            acks.push_back(std::move(ack));
        }};
};

TEST_F(StateReporterTest, ContainersRideWithTheirTaskInOrder) {
    http.on("POST", "*").reply(200, "{}");
    reporter.submit(container_change("arn:1", "worker", ContainerStatus::Running));
    reporter.submit(container_change("arn:1", "boss", ContainerStatus::Running));
    run_until_idle(io);
    EXPECT_TRUE(submissions().empty()) << "a container change waits for its task's";
    reporter.submit(task_change("arn:1", TaskStatus::Running));
    run_until_idle(io);
    ASSERT_EQ(submissions().size(), 1U);
    EXPECT_EQ(submissions()[0], Json::parse(R"({"cluster":"judge","containers":[
        {"containerName":"worker","status":"RUNNING"},{"containerName":"boss","status":"RUNNING"}],
        "reason":"","status":"RUNNING","task":"arn:1"})"));
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_EQ(acks[0].task_arn, "arn:1");
    EXPECT_EQ(acks[0].task_status, TaskStatus::Running);
    EXPECT_THAT(acks[0].containers, ElementsAre(std::pair("worker", ContainerStatus::Running),
                                                std::pair("boss", ContainerStatus::Running)));
}

TEST_F(StateReporterTest, StoppedCarriesExitCodeTimesAndReasons) {
    http.on("POST", "*").reply(200, "{}");
    model::ContainerStateChange web = container_change("arn:1", "web", ContainerStatus::Stopped);
    web.exit_code = 137;
    web.reason = std::string(2000, 'r');
    web.runtime_id = std::string(300, 'i');
    web.image_digest = "sha256:ab";
    reporter.submit(web);
    model::TaskStateChange stopped = task_change("arn:1", TaskStatus::Stopped, std::string(2000, 't'));
    stopped.pull_started_at = *parse_rfc3339("2026-01-01T00:00:00.1239Z");
    stopped.pull_stopped_at = *parse_rfc3339("2026-01-01T00:00:10.5Z");
    stopped.execution_stopped_at = *parse_rfc3339("2026-01-01T00:01:00Z");
    reporter.submit(stopped);
    run_until_idle(io);
    ASSERT_EQ(submissions().size(), 1U);
    const Json body = submissions()[0];
    EXPECT_EQ(body.at("reason").get<std::string>().size(), 1024U);
    EXPECT_EQ(body.at("pullStartedAt"), 1767225600.123);
    EXPECT_EQ(body.at("pullStoppedAt"), 1767225610.5);
    EXPECT_EQ(body.at("executionStoppedAt"), 1767225660.0);
    const Json& container = body.at("containers").at(0);
    EXPECT_EQ(container.at("exitCode"), 137);
    EXPECT_EQ(container.at("reason").get<std::string>().size(), 1024U);
    EXPECT_EQ(container.at("runtimeId").get<std::string>().size(), 255U);
    EXPECT_EQ(container.at("imageDigest"), "sha256:ab");
}

TEST_F(StateReporterTest, KeepsTheOrderOfATaskWhileTheServiceFails) {
    http.on("POST", "*").reply(400, error_body("AccessDeniedException")).reply(200, "{}");
    reporter.submit(task_change("arn:1", TaskStatus::Running));
    reporter.submit(task_change("arn:1", TaskStatus::Stopped));
    run_until_idle(io);
    EXPECT_THAT(statuses(), ElementsAre("arn:1 RUNNING"));
    ASSERT_TRUE(clock.until_next());
    EXPECT_GE(*clock.until_next(), 1s);
    EXPECT_LT(*clock.until_next(), 1200ms);
    clock.advance(*clock.until_next(), io);
    EXPECT_THAT(statuses(), ElementsAre("arn:1 RUNNING", "arn:1 RUNNING", "arn:1 STOPPED"));
    EXPECT_EQ(acks.size(), 2U);
    EXPECT_EQ(reporter.queued(), 0U);
}

TEST_F(StateReporterTest, NeverGivesUpOnAnyOtherErrorThanInvalidParameter) {
    http.on("POST", "*").reply(400, error_body("ClientException"));
    reporter.submit(task_change("arn:1", TaskStatus::Running));
    run_until_idle(io);
    std::vector<std::chrono::nanoseconds> waits;
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(clock.until_next());
        waits.push_back(*clock.until_next());
        clock.advance(waits.back(), io);
    }
    EXPECT_EQ(submissions().size(), 41U);
    EXPECT_GE(waits.back(), 30s);
    EXPECT_LT(waits.back(), 36s);
    EXPECT_EQ(reporter.queued(), 1U);
    EXPECT_TRUE(acks.empty());
}

TEST_F(StateReporterTest, DropsWhatTheServiceCallsInvalidAndGoesOn) {
    http.on("POST", "*").reply(400, error_body("InvalidParameterException")).reply(200, "{}");
    reporter.submit(task_change("arn:1", TaskStatus::Running));
    reporter.submit(task_change("arn:1", TaskStatus::Stopped));
    run_until_idle(io);
    EXPECT_THAT(statuses(), ElementsAre("arn:1 RUNNING"));
    clock.advance(1200ms, io);
    EXPECT_THAT(statuses(), ElementsAre("arn:1 RUNNING", "arn:1 STOPPED"));
    ASSERT_EQ(acks.size(), 2U);
    EXPECT_EQ(acks[0].task_status, TaskStatus::Running);
    EXPECT_THAT(acks[0].refused, testing::HasSubstr("InvalidParameterException"));
    EXPECT_EQ(acks[1].task_status, TaskStatus::Stopped);
    EXPECT_EQ(acks[1].refused, "");
}

TEST_F(StateReporterTest, SubmitsForTenTasksAtOnceAndLetsTheEleventhWait) {
    http.on("POST", "*").reply(200, "{}");
    http.hold();
    for (int i = 0; i < 12; ++i) reporter.submit(task_change("arn:" + std::to_string(i), TaskStatus::Running));
    run_until_idle(io);
    EXPECT_EQ(submissions().size(), 10U);
    http.release();
    run_until_idle(io);
    EXPECT_EQ(submissions().size(), 12U);
    EXPECT_EQ(acks.size(), 12U);
}

TEST_F(StateReporterTest, ATaskThatFailsDoesNotHoldUpTheOthers) {
    http.on("POST", "*").answer([](const net::HttpRequest& request) -> Result<net::HttpResponse> {
        net::HttpResponse response;
        response.status = request.body.find("arn:good") == std::string::npos ? 400 : 200;
        response.body = response.status == 200 ? "{}" : error_body("ClientException");
        return response;
    });
    for (int i = 0; i < 10; ++i) reporter.submit(task_change("arn:bad" + std::to_string(i), TaskStatus::Running));
    run_until_idle(io);
    reporter.submit(task_change("arn:good", TaskStatus::Running));
    run_until_idle(io);
    EXPECT_EQ(acks.size(), 1U) << "a task that waits to try again holds no place among the ten";
}

TEST_F(StateReporterTest, FlushesLeftOverContainersWithTheTasksCurrentStatus) {
    http.on("POST", "*").reply(200, "{}");
    publish("arn:1", TaskStatus::Running, TaskStatus::Running);
    reporter.start();
    model::ContainerStateChange helper = container_change("arn:1", "helper", ContainerStatus::Stopped);
    helper.exit_code = 9;
    reporter.submit(helper);
    run_until_idle(io);
    ASSERT_TRUE(clock.until_next());
    EXPECT_GE(*clock.until_next(), 10s);
    EXPECT_LT(*clock.until_next(), 30s);
    clock.advance(30s, io);
    ASSERT_EQ(submissions().size(), 1U);
    EXPECT_EQ(submissions()[0], Json::parse(R"({"cluster":"judge","containers":[
        {"containerName":"helper","exitCode":9,"status":"STOPPED"}],"reason":"","status":"RUNNING","task":"arn:1"})"));
    clock.advance(30s, io);
    EXPECT_EQ(submissions().size(), 1U) << "once";
}

TEST_F(StateReporterTest, SendsNoPendingThatTellsNothing) {
    http.on("POST", "*").reply(200, "{}");
    publish("arn:1", TaskStatus::None);
    reporter.start();
    run_until_idle(io);
    reporter.submit(container_change("arn:1", "web", ContainerStatus::ManifestPulled));
    clock.advance(30s, io);
    EXPECT_EQ(submissions().size(), 1U) << "the ticker takes the digest along";
    reporter.submit(task_change("arn:1", TaskStatus::ManifestPulled));
    run_until_idle(io);
    EXPECT_EQ(submissions().size(), 1U);
    ASSERT_EQ(acks.size(), 2U);
    EXPECT_EQ(acks[1].task_status, TaskStatus::ManifestPulled) << "the task need not report it again";
}

TEST_F(StateReporterTest, LeavesTheBatchOfAStoppedTaskToItsOwnChange) {
    http.on("POST", "*").reply(200, "{}");
    publish("arn:1", TaskStatus::Stopped);
    reporter.start();
    reporter.submit(container_change("arn:1", "web", ContainerStatus::Stopped));
    clock.advance(30s, io);
    clock.advance(30s, io);
    EXPECT_TRUE(submissions().empty());
    reporter.submit(task_change("arn:1", TaskStatus::Stopped));
    run_until_idle(io);
    ASSERT_EQ(submissions().size(), 1U);
    EXPECT_EQ(submissions()[0].at("containers").size(), 1U);
}

TEST_F(StateReporterTest, DoesNotRepeatWhatTheServiceKnows) {
    http.on("POST", "*").reply(200, "{}");
    publish("arn:1", TaskStatus::Running, TaskStatus::Running);
    reporter.submit(task_change("arn:1", TaskStatus::Running));
    publish("arn:internal", TaskStatus::Running, TaskStatus::None, true);
    reporter.submit(task_change("arn:internal", TaskStatus::Running));
    reporter.submit(task_change("arn:2", TaskStatus::Running));
    reporter.submit(task_change("arn:2", TaskStatus::Running));
    run_until_idle(io);
    EXPECT_THAT(statuses(), ElementsAre("arn:2 RUNNING"));
}

TEST_F(StateReporterTest, StopsWhenEverythingIsSent) {
    http.on("POST", "*").reply(500).reply(200, "{}");
    publish("arn:1", TaskStatus::Running, TaskStatus::Running);
    reporter.start();
    reporter.submit(container_change("arn:1", "web", ContainerStatus::Stopped));
    reporter.submit(task_change("arn:2", TaskStatus::Running));
    bool stopped = false;
    scope.spawn(stop_reporter(reporter, 5s, stopped));
    run_until_idle(io);
    EXPECT_FALSE(stopped);
    reporter.submit(task_change("arn:3", TaskStatus::Running));
    clock.advance(1s, io);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(acks.size(), 2U) << "the left-over batch went along; what came after stop() did not";
}

TEST_F(StateReporterTest, StopsAtTheLimitWhenTheServiceIsGone) {
    http.on("POST", "*").fail({.kind = ErrorKind::Unavailable, .what = "no answer"});
    reporter.start();
    reporter.submit(task_change("arn:1", TaskStatus::Stopped));
    bool stopped = false;
    scope.spawn(stop_reporter(reporter, 5s, stopped));
    run_until_idle(io);
    clock.advance(4999ms, io);
    EXPECT_FALSE(stopped);
    clock.advance(1ms, io);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(reporter.queued(), 1U);
}

// ---- network bindings
// --------------------------------------------------------------------------------------------------

Json bindings_sent(const std::vector<model::NetworkBinding>& bindings, const BindingFilter& filter) {
    model::ContainerStateChange change = container_change("arn:1", "web", ContainerStatus::Running);
    change.network_bindings = bindings;
    const auto request = build_submission("judge", filter, task_change("arn:1", TaskStatus::Running), {change});
    if (!request) return request.error().what;
    const Json container = Json::parse(encode(*request)).at("containers").at(0);
    return container.value("networkBindings", Json());
}

model::NetworkBinding binding(std::string ip, int container_port, int host_port) {
    model::NetworkBinding out;
    out.bind_ip = std::move(ip);
    out.container_port = container_port;
    out.host_port = host_port;
    out.protocol = "tcp";
    return out;
}

TEST(Submission, TellsPortsOfTheFamiliesThatCount) {
    const std::vector<model::NetworkBinding> both{binding("0.0.0.0", 80, 32768), binding("::", 80, 32768)};
    EXPECT_EQ(bindings_sent(both, {}),
              Json::parse(R"([{"bindIP":"0.0.0.0","containerPort":80,"hostPort":32768,"protocol":"tcp"}])"));
    EXPECT_EQ(bindings_sent(both, {.ipv4_any = true, .ipv6_any = false}),
              Json::parse(R"([{"bindIP":"::","containerPort":80,"hostPort":32768,"protocol":"tcp"}])"));
    EXPECT_EQ(bindings_sent(both, {.ipv4_any = false, .ipv6_any = false}).size(), 2U);
}

TEST(Submission, AnEmptyListIsLeftOutOnlyWhenSomethingIsFiltered) {
    EXPECT_EQ(bindings_sent({}, {}), Json());
    EXPECT_EQ(bindings_sent({binding("::", 80, 1)}, {}), Json());
    EXPECT_EQ(bindings_sent({}, {.ipv4_any = false, .ipv6_any = false}), Json::array());
}

TEST(Submission, TakesAHundredBindingsBesideAPortRange) {
    model::NetworkBinding range;
    range.bind_ip = "0.0.0.0";
    range.container_port_range = "8000-8010";
    range.host_port_range = "49153-49163";
    range.protocol = "tcp";
    EXPECT_EQ(bindings_sent({range}, {}),
              Json::parse(R"([{"bindIP":"0.0.0.0","containerPortRange":"8000-8010","hostPortRange":"49153-49163",
                               "protocol":"tcp"}])"));
    std::vector<model::NetworkBinding> many{range};
    for (int i = 0; i < 99; ++i) many.push_back(binding("0.0.0.0", i + 1, i + 1));
    EXPECT_EQ(bindings_sent(many, {}).size(), 100U);
    many.push_back(binding("0.0.0.0", 100, 100));
    EXPECT_THAT(bindings_sent(many, {}).get<std::string>(), testing::HasSubstr("101 network bindings"));
    many.erase(many.begin());
    many.push_back(binding("0.0.0.0", 101, 101));
    EXPECT_EQ(bindings_sent(many, {}).size(), 101U) << "without a range there is no limit of ours";
}

}  // namespace
}  // namespace nodeagent::ecs
