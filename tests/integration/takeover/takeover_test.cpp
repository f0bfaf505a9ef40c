// The swap as a cluster sees it: ecs-local knows the container instance and its task, and a user stops the task after
// the agent has been replaced. Fixed ports, so one at a time.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/strings.hpp"
#include "tests/fakes/bolt_writer.hpp"
#include "tests/fakes/reference_records.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/docker_client.hpp"
#include "tests/harness/local_plane.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::DockerClient;
using harness::LocalPlane;

std::string docker_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    const std::string host = given != nullptr ? given : "unix:///var/run/docker.sock";
    return host.substr(std::string("unix://").size());
}

class TakeoverInACluster : public testing::Test {
  protected:
    void SetUp() override { plane_.call("CreateCluster", {{"clusterName", "swap"}}); }
    void TearDown() override {
        agent_.reset();
        const std::string ours = percent_encode(R"({"label":["com.amazonaws.ecs.cluster=swap"]})");
        for (const Json& found : docker_.call("GET", "/containers/json?all=1&filters=" + ours)) {
            docker_.call("DELETE", "/containers/" + found.at("Id").get<std::string>() + "?force=1&v=1");
        }
        if (!HasFailure()) return;
        for (const char* data : {"/before", "/after"})
            std::cerr << std::ifstream(directory_ + data + "/agent.log").rdbuf();
    }

    void start(const std::string& data) {
        std::filesystem::create_directories(data);
        agent_ = std::make_unique<AgentProcess>(
            NODEAGENT_AGENT, plane_.endpoint(), data, "unix://" + docker_socket(),
            std::vector<std::string>{"ECS_CLUSTER=swap", std::string("AWS_ACCESS_KEY_ID=") + LocalPlane::kKey,
                                     std::string("AWS_SECRET_ACCESS_KEY=") + LocalPlane::kSecretKey});
    }
    /// Asks until `wanted` accepts the answer; null after a minute.
    Json ask(const std::string& operation, const Json& request, const std::function<bool(const Json&)>& wanted) {
        for (int i = 0; i < 600; ++i) {
            Json answer = plane_.call(operation, request);
            if (!answer.is_null() && wanted(answer)) return answer;
            boost::asio::io_context io;
            boost::asio::steady_timer(io, 100ms).wait();  // the service tells nobody when something has changed
        }
        return nullptr;
    }
    Json task_with(const std::string& status) {
        const Json answer = ask("DescribeTasks", {{"cluster", "swap"}, {"tasks", {task_}}}, [&](const Json& tasks) {
            return tasks["tasks"].size() == 1 && tasks["tasks"][0].value("lastStatus", "") == status;
        });
        return answer.is_null() ? answer : answer["tasks"][0];
    }
    /// The one instance of the cluster, once its agent is connected, or is not any more.
    Json instance(bool connected) {
        const Json arns = plane_.call("ListContainerInstances", {{"cluster", "swap"}});
        if (!arns.contains("containerInstanceArns") || arns["containerInstanceArns"].size() != 1) return nullptr;
        const Json request{{"cluster", "swap"}, {"containerInstances", arns["containerInstanceArns"]}};
        const Json answer = ask("DescribeContainerInstances", request, [connected](const Json& found) {
            return found["containerInstances"][0].value("agentConnected", false) == connected;
        });
        return answer.is_null() ? answer : answer["containerInstances"][0];
    }
    void run_task() {
        plane_.call("RegisterTaskDefinition",
                    {{"family", "it"},
                     {"containerDefinitions",
                      {{{"name", "main"},
                        {"image", "busybox:latest"},
                        {"memory", 32},
                        {"command", {"sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"}}}}}});
        const Json started = ask("RunTask", {{"cluster", "swap"}, {"taskDefinition", "it"}},
                                 [](const Json& answer) { return answer["tasks"].size() == 1; });
        ASSERT_FALSE(started.is_null()) << plane_.last_error;
        task_ = started["tasks"][0]["taskArn"];
    }
    [[nodiscard]] Json container() {
        const std::string ours = percent_encode(Json{{"label", {"com.amazonaws.ecs.task-arn=" + task_}}}.dump());
        const Json found = docker_.call("GET", "/containers/json?all=1&filters=" + ours);
        if (found.size() != 1) return nullptr;
        return docker_.call("GET", "/containers/" + found[0].at("Id").get<std::string>() + "/json");
    }

    fakes::TempDirectory directory_;
    LocalPlane plane_{NODEAGENT_LOCAL, directory_ + "/plane", ""};
    DockerClient docker_{docker_socket()};
    std::unique_ptr<AgentProcess> agent_;
    std::string task_;
};

TEST_F(TakeoverInACluster, KeepsTheInstanceAndItsTaskAndAUserStopsIt) {
    start(directory_ + "/before");  // in the part of the reference, whose containers look the same
    run_task();
    ASSERT_FALSE(task_with("RUNNING").is_null());
    const Json before = container();
    ASSERT_TRUE(before.is_object());
    const std::string arn = instance(true).value("containerInstanceArn", "");
    ASSERT_NE(arn, "");
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    ASSERT_FALSE(instance(false).is_null());

    const std::string id = before["Id"], name = before["Name"].get<std::string>().substr(1);
    Json record = fakes::reference_container(task_, "main", "RUNNING");
    record["portMappings"] = record["KnownPortBindings"] = nullptr;
    record["startedAt"] = before["State"]["StartedAt"];
    record["StopTimeout"] = 0;
    Json whole = fakes::reference_task(task_, "RUNNING", {record});
    whole["MemoryCPULimitsEnabled"] = true;
    whole["resources"] = {{"cgroup", Json::array({{{"cgroupRoot", "/ecs"}, {"knownStatus", "CREATED"}}})}};
    takeover::BoltBucket root = fakes::reference_database("swap", arn, "");
    fakes::add_task(root, whole, {fakes::reference_docker_container(id, name, record)});
    const std::string after = directory_ + "/after";
    std::filesystem::create_directories(after);
    fakes::BoltWriter().write_to(after + "/agent.db", root);

    start(after);
    EXPECT_EQ(instance(true).value("containerInstanceArn", ""), arn) << "one instance, the same";
    EXPECT_TRUE(std::filesystem::exists(after + "/agent.db.migrated"));
    EXPECT_FALSE(task_with("RUNNING").is_null());
    EXPECT_EQ(container()["State"], before["State"]) << "it runs on, untouched";

    plane_.call("StopTask", {{"cluster", "swap"}, {"task", task_}, {"reason", "the swap is done"}});
    const Json ended = task_with("STOPPED");
    ASSERT_FALSE(ended.is_null());
    EXPECT_EQ(ended["containers"][0].value("exitCode", -1), 7) << ended;
    EXPECT_EQ(ended["containers"][0].value("runtimeId", ""), id);
    EXPECT_EQ(ended.value("stoppedReason", ""), "the swap is done");
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
}

}  // namespace
}  // namespace nodeagent
