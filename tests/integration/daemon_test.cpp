// Tasks, messages and the end of the daemon, whole, on a real Docker daemon.
#include <csignal>

#include <boost/asio/ip/tcp.hpp>

#include "daemon_fixture.hpp"

namespace nodeagent::daemon_tests {
namespace {

TEST_F(Daemon, RunsATaskAndReportsItsExitCode) {
    start();
    send({task("exits", {container("main", {"sh", "-c", "exit 7"})})});
    const json report = control_plane_.report_of(task_arn("exits"), "STOPPED", 60s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 7);
    EXPECT_TRUE(acknowledged("m1"));
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
}

TEST_F(Daemon, ABadTaskIsReportedWithItsReasonAndItsNeighboursRun) {
    start();
    json negative = container("main", {"sleep", "600"});
    negative["memory"] = -5;
    json not_json = container("main", {"sleep", "600"});
    not_json["dockerConfig"]["hostConfig"] = "{this is not JSON";
    json first = container("first", {"sleep", "600"});
    json second = container("second", {"sleep", "600"});
    first["dependsOn"] = {{{"containerName", "second"}, {"condition", "START"}}};
    second["dependsOn"] = {{{"containerName", "first"}, {"condition", "START"}}};
    send({task("negative", {negative}), task("not-json", {not_json}), task("cycle", {first, second}),
          task("good", {container("main", {"sleep", "600"})})});
    EXPECT_TRUE(runs("good"));
    EXPECT_THAT(reasons("negative"), testing::HasSubstr("UnrecogniedTaskError: Error loading task - "));
    EXPECT_THAT(reasons("negative"), testing::HasSubstr("memory"));
    EXPECT_THAT(reasons("cycle"), testing::HasSubstr("Task dependencies cannot be resolved"));
    EXPECT_THAT(reasons("not-json"), testing::HasSubstr("HostConfigError"));
}

TEST_F(Daemon, AnUnknownImageNamesTheRegistrysAnswer) {
    start({"ECS_IMAGE_PULL_BEHAVIOR=default"});
    json unknown = container("main", {"sleep", "600"});
    unknown["image"] = "127.0.0.1:9/nosuch:1";
    send({task("unknown-image", {unknown}), task("good", {container("main", {"sleep", "600"})})});
    EXPECT_THAT(reasons("unknown-image"), testing::HasSubstr("CannotPull"));
    EXPECT_TRUE(runs("good")) << "the cached image is used though the registry does not answer";
}

TEST_F(Daemon, AHostPortInUseStopsOnlyThatTask) {
    start();
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor taken(io, {boost::asio::ip::tcp::v4(), 0});
    json clash = container("main", {"sleep", "600"});
    clash["portMappings"] = {{{"containerPort", 80}, {"hostPort", taken.local_endpoint().port()}, {"protocol", "tcp"}}};
    send({task("clash", {clash}), task("good", {container("main", {"sleep", "600"})})});
    EXPECT_THAT(reasons("clash"), testing::HasSubstr("CannotStartContainerError"));
    EXPECT_TRUE(runs("good"));
}

TEST_F(Daemon, ATenMegabyteMessageIsTaken) {
    start();
    json large = container("main", {"sh", "-c", "exit 0"});
    json message = task("large", {large});
    message["group"] = std::string(10U << 20U, 'x');
    send({message});
    EXPECT_TRUE(acknowledged("m1"));
    EXPECT_FALSE(control_plane_.report_of(task_arn("large"), "STOPPED", 60s).is_null());
}

TEST_F(Daemon, AConnectionCutInTheMiddleOfAFrameIsOpenedAgain) {
    start();
    const auto cut_at = ControlPlane::Clock::now();
    control_plane_.cut(std::string("\x81\x7e\x01\x00{\"type\":\"Payl", 17));
    ASSERT_TRUE(control_plane_.session_since(cut_at, 30s)) << "not connected again";
    send({task("after", {container("main", {"sh", "-c", "exit 0"})})});
    EXPECT_FALSE(control_plane_.report_of(task_arn("after"), "STOPPED", 60s).is_null());
}

TEST_F(Daemon, ABadConfigurationEndsWithOneAndNamesTheSetting) {
    start_without_session({"ECS_AVAILABLE_LOGGING_DRIVERS=[\"bogus\"]"});
    EXPECT_EQ(agent_->finish(0), 1);
    EXPECT_THAT(agent_log(), testing::HasSubstr("bogus"));
}

TEST_F(Daemon, EndsWithinASecondOfSigtermWithFiftyTasksAndADeadControlPlaneAndLeavesThemRunning) {
    auto control_plane = std::make_unique<ControlPlane>();
    agent_ = std::make_unique<AgentProcess>(NODEAGENT_AGENT, control_plane->endpoint(), directory_,
                                            "unix://" + docker_socket());
    ASSERT_TRUE(control_plane->session_since(ControlPlane::Clock::time_point{}, 30s));
    std::vector<json> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(task("t" + std::to_string(i), {container("main", {"sleep", "600"})}));
    control_plane->send(json{{"type", "PayloadMessage"},
                             {"message",
                              {{"messageId", "m1"},
                               {"clusterArn", "bench"},
                               {"containerInstanceArn", kInstance},
                               {"seqNum", 1},
                               {"tasks", tasks}}}}
                            .dump());
    ASSERT_TRUE(control_plane->reported("RUNNING", 50, 240s));
    control_plane.reset();
    const auto asked = std::chrono::steady_clock::now();
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(containers_of("t" + std::to_string(i)).size(), 1U);
}

TEST_F(Daemon, AnOrderlyStopWritesNoWarning) {
    start();
    send({task("runs", {container("main", {"sleep", "600"})})});
    ASSERT_TRUE(runs("runs"));
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    const std::string text = agent_log();
    const std::string after = text.substr(text.find("stopping"));
    EXPECT_THAT(after, testing::Not(testing::ContainsRegex("level=(warn|error|crit)")));
}

}  // namespace
}  // namespace nodeagent::daemon_tests
