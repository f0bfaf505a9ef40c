// What is left of the state and of the tasks when the agent, its database or its disk goes away.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "daemon_fixture.hpp"

namespace nodeagent::daemon_tests {
namespace {

TEST_F(Daemon, SurvivesBeingKilledWithoutTouchingContainers) {
    start();
    send({task("stays", {container("main", {"sleep", "600"})}),
          task("ends", {container("main", {"sh", "-c", "while [ ! -e /stop ]; do sleep 0.1; done; exit 9"})})});
    ASSERT_TRUE(runs("stays"));
    ASSERT_TRUE(runs("ends"));
    const auto before = containers_of("stays");
    ASSERT_EQ(before.size(), 1U);
    const auto ending = containers_of("ends");
    agent_->finish(SIGKILL);
    {
        DockerClient docker(docker_socket());
        const std::string exec =
            docker.call("POST", "/containers/" + ending.at(0) + "/exec", {{"Cmd", {"touch", "/stop"}}}).at("Id");
        docker.call("POST", "/exec/" + exec + "/start", {{"Detach", true}});
        docker.call("POST", "/containers/" + ending.at(0) + "/wait");
    }
    start();
    const json report = control_plane_.report_of(task_arn("ends"), "STOPPED", 60s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 9);
    EXPECT_EQ(containers_of("stays"), before);
    const auto registrations = control_plane_.calls("RegisterContainerInstance");
    ASSERT_EQ(registrations.size(), 2U);
    EXPECT_EQ(registrations[1].value("containerInstanceArn", ""), kInstance);
}

TEST_F(Daemon, ADamagedStateIsMadeAgainFromTheContainersAndNeverHoldsCredentials) {
    start();
    json with_role = task("lost", {container("main", {"sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.1; done"})});
    with_role["roleCredentials"] = {{"credentialsId", "11111111-2222-3333-4444-555555555555"},
                                    {"accessKeyId", "ASIATHEKEYOFTHEROLE"},
                                    {"secretAccessKey", "the-secret-of-the-role"},
                                    {"sessionToken", "the-token-of-the-role"},
                                    {"expiration", "2099-01-01T00:00:00Z"},
                                    {"roleArn", "arn:aws:iam::123456789012:role/app"}};
    send({with_role});
    ASSERT_TRUE(runs("lost"));
    const auto before = containers_of("lost");
    ASSERT_EQ(before.size(), 1U);
    agent_->finish(SIGKILL);

    const std::string database = directory_ + "/ecs-node-agent.db";
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
        if (!entry.is_regular_file()) continue;
        const std::string name = entry.path().filename();
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), {});
        for (const char* secret : {"ASIATHEKEYOFTHEROLE", "the-secret-of-the-role", "the-token-of-the-role"}) {
            EXPECT_EQ(bytes.find(secret), std::string::npos) << name;
        }
        if (!name.starts_with("ecs-node-agent.db")) continue;
        using std::filesystem::perms;
        EXPECT_EQ(entry.status().permissions(), perms::owner_read | perms::owner_write) << name;
    }
    std::ofstream(database, std::ios::binary) << std::string(16384, 'x');

    start();
    json stop = with_role;
    stop["desiredStatus"] = "STOPPED";
    send({stop});
    const json report = control_plane_.report_of(task_arn("lost"), "STOPPED", 60s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 4) << "the container that ran before was stopped, no other";
    EXPECT_EQ(report["containers"][0]["runtimeId"], before[0]);
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
}

TEST_F(Daemon, WaitsForAStateThatAnotherAgentHolds) {
    start();
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    // the lock that SQLite takes on a database: from its first lock byte on
    const int held = ::open((directory_ + "/ecs-node-agent.db").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(held, 0);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    ASSERT_EQ(::fcntl(held, F_SETLK, &lock), 0);
    start_without_session();
    EXPECT_FALSE(control_plane_.session_since(asked_, 4s)) << "its state is not its own";
    ::close(held);
    EXPECT_TRUE(control_plane_.session_since(asked_, 30s));
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
}

TEST_F(Daemon, RefusesTheStateOfAnotherCluster) {
    start();
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    start_without_session({"ECS_CLUSTER=other"});
    EXPECT_EQ(agent_->finish(0), 5);
}

}  // namespace
}  // namespace nodeagent::daemon_tests
