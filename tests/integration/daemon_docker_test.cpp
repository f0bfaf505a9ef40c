// A Docker daemon that starts late, or restarts under running tasks.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "own_dockerd.hpp"
#include "tests/harness/await_file.hpp"

namespace nodeagent::daemon_tests {
namespace {

json on_host_network(const std::string& name, const std::string& script, std::vector<std::string> binds = {}) {
    json one = container("main", {"sh", "-c", script});
    one["dockerConfig"]["hostConfig"] = json{{"NetworkMode", "host"}, {"Binds", binds}}.dump();
    json made = task(name, {one});
    made["networkMode"] = "host";
    return made;
}

TEST_F(Daemon, WaitsForADockerThatStartsLater) {
    const std::string socket = directory_ + "/late.sock";
    start_without_session({}, socket);
    EXPECT_FALSE(control_plane_.session_since(asked_, 1s)) << "an instance without a runtime must not register";
    std::filesystem::create_symlink(docker_socket(), socket);
    ASSERT_TRUE(control_plane_.session_since(asked_, 30s));
    send({task("late", {container("main", {"sh", "-c", "exit 0"})})});
    EXPECT_FALSE(control_plane_.report_of(task_arn("late"), "STOPPED", 60s).is_null());
}

TEST_F(Daemon, ADockerRestartThatStopsContainersIsReportedWithTheirExitCodes) {
    OwnDockerd docker(directory_ + "/own", false);
    start_without_session({}, docker.socket());
    ASSERT_TRUE(control_plane_.session_since(asked_, 30s));
    const std::string marks = directory_ + "/marks";
    std::filesystem::create_directories(marks);
    send({on_host_network("restart", "trap 'exit 5' TERM; touch /marks/ready; sleep 600 & wait $!",
                          {marks + ":/marks"})});
    ASSERT_TRUE(runs("restart"));
    ASSERT_TRUE(harness::await_file(marks + "/ready", 20s)) << "the container does not answer to SIGTERM yet";
    docker.stop();
    docker.start();
    const json report = control_plane_.report_of(task_arn("restart"), "STOPPED", 90s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 5);
    agent_.reset();
}

TEST_F(Daemon, ContainersLiveThroughADockerRestartWithLiveRestoreAndTheirEndIsNoticed) {
    OwnDockerd docker(directory_ + "/own", true);
    start_without_session({}, docker.socket());
    ASSERT_TRUE(control_plane_.session_since(asked_, 30s));
    send({on_host_network("lives", "sleep 600"), on_host_network("dies", "sleep 600 & wait $!; exit 6")});
    ASSERT_TRUE(runs("lives"));
    ASSERT_TRUE(runs("dies"));
    pid_t main_process = 0;
    std::string child;
    for (const auto& found : DockerClient(docker.socket()).call("GET", "/containers/json")) {
        if (found.at("Labels").at("com.amazonaws.ecs.task-arn") != task_arn("dies")) continue;
        const std::string id = found.at("Id");
        main_process = DockerClient(docker.socket()).call("GET", "/containers/" + id + "/json").at("State").at("Pid");
    }
    const std::string pid = std::to_string(main_process);
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> child;
    ASSERT_FALSE(child.empty());
    docker.stop();
    ::kill(static_cast<pid_t>(std::stol(child)), SIGKILL);  // its parent ends with 6 while the daemon is away
    docker.start();
    const json report = control_plane_.report_of(task_arn("dies"), "STOPPED", 90s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 6);
    EXPECT_TRUE(control_plane_.report_of(task_arn("lives"), "STOPPED", 1s).is_null());
    agent_.reset();
}

}  // namespace
}  // namespace nodeagent::daemon_tests
