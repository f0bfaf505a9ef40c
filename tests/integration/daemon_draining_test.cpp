// Draining by ecs-node and by a spot interruption.
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "agent/base/time_format.hpp"
#include "daemon_fixture.hpp"

namespace nodeagent::daemon_tests {
namespace {

/// `ecs-node` with the test's control socket: its exit code and what it printed.
std::pair<int, std::string> ecs_node(const std::string& directory, const std::string& words) {
    const std::string command =
        std::string(NODEAGENT_NODE) + " " + words + " --socket " + directory + "/control.sock 2>&1";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::string output;
    for (char line[256]; std::fgets(line, sizeof line, pipe) != nullptr;) output += line;
    const int status = ::pclose(pipe);
    return {WEXITSTATUS(status), output};
}

TEST_F(Daemon, DrainStopsItsTasksRefusesNewOnesAlsoAfterARestartAndUndrainEndsIt) {
    start();
    send({task("one", {container("main", {"sleep", "600"})}), task("two", {container("main", {"sleep", "600"})})});
    ASSERT_TRUE(runs("one"));
    ASSERT_TRUE(runs("two"));
    const auto [code, output] = ecs_node(directory_, "drain --wait");
    EXPECT_EQ(code, 0) << output;
    EXPECT_THAT(output, testing::HasSubstr("0 tasks left"));
    EXPECT_FALSE(control_plane_.report_of(task_arn("one"), "STOPPED", 60s).is_null());
    EXPECT_FALSE(control_plane_.report_of(task_arn("two"), "STOPPED", 60s).is_null());
    ASSERT_EQ(control_plane_.calls("UpdateContainerInstancesState").size(), 1U);
    const json told = control_plane_.calls("UpdateContainerInstancesState")[0];
    EXPECT_EQ(told, json({{"cluster", "bench"}, {"containerInstances", {kInstance}}, {"status", "DRAINING"}}));

    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    start();
    send({task("late", {container("main", {"sleep", "600"})})});
    EXPECT_THAT(reasons("late"), testing::HasSubstr("draining"));

    EXPECT_EQ(ecs_node(directory_, "undrain").first, 0);
    send({task("welcome", {container("main", {"sleep", "600"})})});
    EXPECT_TRUE(runs("welcome"));
    EXPECT_EQ(control_plane_.calls("UpdateContainerInstancesState").back().value("status", ""), "ACTIVE");
}

TEST_F(Daemon, ASpotNoticeDrainsTheInstanceAndTasksThatEcsLeavesRunningAreStoppedInTime) {
    const auto when = std::chrono::system_clock::now() + 20s;
    control_plane_.serve_document("/latest/dynamic/instance-identity/document",
                                  R"({"region":"us-west-2","instanceId":"i-0123456789abcdef0"})");
    control_plane_.serve_document("/latest/dynamic/instance-identity/signature", "signed");
    control_plane_.serve_document("/latest/meta-data/instance-id", "i-0123456789abcdef0");
    start({"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + control_plane_.endpoint(),
           "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true", "ECS_CONTAINER_STOP_TIMEOUT=2s"});
    send({task("spot", {container("main", {"sleep", "600"})})});
    ASSERT_TRUE(runs("spot"));
    EXPECT_TRUE(control_plane_.calls("UpdateContainerInstancesState").empty());
    control_plane_.serve_document("/latest/meta-data/spot/instance-action",
                                  R"({"action":"terminate","time":")" + rfc3339_nanos(when) + "\"}");
    const json report = control_plane_.report_of(task_arn("spot"), "STOPPED", 30s);
    EXPECT_LT(std::chrono::system_clock::now(), when);
    ASSERT_TRUE(report.is_object());
    ASSERT_EQ(control_plane_.calls("UpdateContainerInstancesState").size(), 1U);
    EXPECT_EQ(control_plane_.calls("UpdateContainerInstancesState")[0].value("status", ""), "DRAINING");
}

}  // namespace
}  // namespace nodeagent::daemon_tests
