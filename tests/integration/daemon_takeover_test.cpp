// The place of amazon-ecs-agent taken on a machine where it ran tasks: its database, its containers, and everything
// that can be wrong with them.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "agent/base/fd.hpp"
#include "daemon_fixture.hpp"
#include "tests/fakes/bolt_writer.hpp"
#include "tests/fakes/reference_records.hpp"
#include "tests/harness/await_file.hpp"

namespace nodeagent::daemon_tests {
namespace {

using fakes::reference_container;
using fakes::reference_docker_container;
using fakes::reference_task;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kEndpointId = "9cd43f50-acff-42fe-829e-3ed4aa68f637";

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {(std::istreambuf_iterator<char>(file)), {}};
}

std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
    const int status = ::pclose(pipe);
    return text + "exit " + std::to_string(WEXITSTATUS(status));
}

class Takeover : public Daemon {
  protected:
    Takeover() {
        for (const char* name : {"runs", "ended", "gone"})
            ids_[name] = task_arn(name).substr(task_arn(name).rfind('/') + 1);
    }
    ~Takeover() override {
        if (reference_.empty()) return;
        DockerClient(docker_socket()).call("DELETE", "/containers/" + reference_ + "?force=1");
    }

    /// As the reference made them: names, labels, environment and cgroup of the recorded traces.
    std::string make(const std::string& name, const std::string& script) {
        DockerClient docker(docker_socket());
        const std::string uri = std::string("http://169.254.170.2/v4/") + kEndpointId;
        const std::string id =
            docker
                .call("POST", "/containers/create?name=ecs-it-1-main-" + name + "0123456789ab",
                      {{"Image", "busybox:latest"},
                       {"Cmd", {"sh", "-c", script}},
                       {"Env", {"AWS_EXECUTION_ENV=AWS_ECS_EC2", "ECS_CONTAINER_METADATA_URI_V4=" + uri}},
                       {"Labels",
                        {{"com.amazonaws.ecs.cluster", "bench"},
                         {"com.amazonaws.ecs.container-name", "main"},
                         {"com.amazonaws.ecs.task-arn", task_arn(name)},
                         {"com.amazonaws.ecs.task-definition-family", "it"},
                         {"com.amazonaws.ecs.task-definition-version", "1"}}},
                       {"HostConfig",
                        {{"NetworkMode", "bridge"},
                         {"Memory", 64 << 20},
                         {"CpuShares", 10},
                         {"Binds", {std::string(directory_) + ":/marks"}},
                         {"CgroupParent", "/ecs/" + ids_.at(name)}}}})
                .at("Id");
        docker.call("POST", "/containers/" + id + "/start");
        return id;
    }
    void record(const std::string& name, const std::string& docker_id) {
        json one = reference_container(task_arn(name), "main", "RUNNING");
        one["portMappings"] = one["KnownPortBindings"] = nullptr;
        if (name != "runs") one["V3EndpointID"] = name;
        json whole = reference_task(task_arn(name), "RUNNING", {one});
        whole["MemoryCPULimitsEnabled"] = true;
        whole["resources"] = {{"cgroup", json::array({{{"cgroupRoot", "/ecs/" + ids_.at(name)},
                                                       {"cgroupMountPath", "/sys/fs/cgroup"},
                                                       {"createdAt", fakes::kZeroTime},
                                                       {"desiredStatus", "CREATED"},
                                                       {"knownStatus", "CREATED"},
                                                       {"resourceSpec", json::object()}}})}};
        fakes::add_task(root_, whole,
                        {reference_docker_container(docker_id, "ecs-it-1-main-" + name + "0123456789ab", one)});
    }
    void write() { fakes::BoltWriter().write_to(database_, root_); }

    /// The exit code of an agent that must not start; nothing was registered.
    int refused(std::vector<std::string> extra = {}) {
        start_without_session(std::move(extra));
        const int code = agent_->finish(0);
        EXPECT_TRUE(control_plane_.calls("RegisterContainerInstance").empty());
        return code;
    }
    std::string check_config() {
        return output_of(
            "env ECS_CLUSTER=bench AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-west-2 ECS_DATADIR=" +
            directory_.path() + " DOCKER_HOST=unix://" + docker_socket() + " " NODEAGENT_AGENT " --check-config");
    }

    std::map<std::string, std::string> ids_;
    const std::string database_ = directory_ + "/agent.db";
    takeover::BoltBucket root_ = fakes::reference_database("bench", kInstance, "i-0123456789abcdef0");
    std::string reference_;
};

TEST_F(Takeover, GoesOnAsTheSameInstanceWithTheSameContainers) {
    const std::string id = make("runs", "trap 'exit 7' TERM; touch /marks/ready; while :; do sleep 0.1; done");
    const std::string ended = make("ended", "exit 9");
    record("runs", id);
    record("ended", ended);
    record("gone", std::string(64, 'e'));
    write();
    const std::string before = bytes_of(database_);
    DockerClient docker(docker_socket());
    docker.call("POST", "/containers/" + ended + "/wait");
    ASSERT_TRUE(harness::await_file(directory_ + "/ready", 20s));
    const json state = docker.call("GET", "/containers/" + id + "/json").at("State");
    EXPECT_THAT(check_config(), AllOf(HasSubstr("Taking over from amazon-ecs-agent, at the next start"),
                                      HasSubstr(std::string(kInstance) + ", kept"), HasSubstr("3, of which 3"),
                                      HasSubstr(task_arn("runs")), HasSubstr("exit 0")));
    EXPECT_EQ(bytes_of(database_), before) << "--check-config changes nothing";

    start();
    const auto registrations = control_plane_.calls("RegisterContainerInstance");
    ASSERT_EQ(registrations.size(), 1U);
    EXPECT_EQ(registrations[0].value("containerInstanceArn", ""), kInstance);
    EXPECT_FALSE(std::filesystem::exists(database_));
    EXPECT_EQ(bytes_of(database_ + ".migrated"), before);

    const json end = control_plane_.report_of(task_arn("ended"), "STOPPED", 60s);
    ASSERT_TRUE(end.is_object());
    EXPECT_EQ(end["containers"][0]["exitCode"], 9);
    EXPECT_THAT(reasons("gone"), HasSubstr("ContainerVanishedError: No container matching saved ID found"));
    EXPECT_EQ(docker.call("GET", "/containers/" + id + "/json").at("State"), state) << "it runs on, untouched";
    EXPECT_THAT(output_of("curl -s http://127.0.0.1:51678/v1/tasks"),
                AllOf(HasSubstr(task_arn("runs")), HasSubstr(id)));
    EXPECT_THAT(output_of(std::string("curl -s http://127.0.0.1:51679/v4/") + kEndpointId + "/task"),
                AllOf(HasSubstr(task_arn("runs")), HasSubstr(id)));

    json stop = task("runs", {container("main", {"true"})});
    stop["desiredStatus"] = "STOPPED";
    send({stop});
    const json report = control_plane_.report_of(task_arn("runs"), "STOPPED", 60s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"][0]["exitCode"], 7);
    EXPECT_EQ(report["containers"][0]["runtimeId"], id);
    EXPECT_EQ(control_plane_.calls("RegisterContainerInstance").size(), 1U);
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
}

TEST_F(Takeover, IsRefusedWhileTheReferenceRunsOrItsStateCannotBeRead) {
    write();
    {
        const Fd writer(::open(database_.c_str(), O_RDWR | O_CLOEXEC));
        ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
        EXPECT_EQ(refused(), 5);
        EXPECT_THAT(agent_log(),
                    AllOf(HasSubstr("agent.db is in use by another process"), HasSubstr("systemctl stop ecs")));
    }
    DockerClient docker(docker_socket());
    docker.call("POST", "/images/busybox:latest/tag?repo=amazon/amazon-ecs-agent&tag=latest");
    reference_ =
        docker
            .call("POST", "/containers/create?name=ecs-agent",
                  {{"Image", "amazon/amazon-ecs-agent:latest"}, {"Cmd", {"sleep", "600"}}, {"StopSignal", "SIGKILL"}})
            .at("Id");
    docker.call("POST", "/containers/" + reference_ + "/start");
    EXPECT_EQ(refused(), 5);
    EXPECT_THAT(agent_log(), AllOf(HasSubstr("the container ecs-agent"), HasSubstr("docker stop ecs-agent")));
    EXPECT_THAT(check_config(), AllOf(HasSubstr("the container ecs-agent"), HasSubstr("exit 1")));
    docker.call("POST", "/containers/" + reference_ + "/stop");

    EXPECT_EQ(refused({"ECS_CLUSTER=prod"}), 5);
    EXPECT_THAT(agent_log(), HasSubstr("belongs to cluster bench, but ECS_CLUSTER is prod"));

    const std::string whole = bytes_of(database_);
    for (const auto& [bytes, why] :
         {std::pair<std::string, std::string>(whole.substr(0, whole.size() / 2), "is truncated"),
          {std::string(30'000, 'x'), "is no bbolt file"},
          {whole.substr(0, 16) + std::string(60, 'y') + whole.substr(76, 4020) + std::string(100, 'z') +
               whole.substr(4196),
           "agent.db is"}}) {
        std::ofstream(database_, std::ios::binary | std::ios::trunc) << bytes;
        EXPECT_EQ(refused(), 5) << why;
        EXPECT_THAT(agent_log(), AllOf(HasSubstr(why), HasSubstr("move it away to join as a new instance")));
        EXPECT_EQ(bytes_of(database_), bytes) << "it is left as it is";
        EXPECT_THAT(check_config(), AllOf(HasSubstr("is not possible"), HasSubstr(why), HasSubstr("exit 1")));
    }
    EXPECT_FALSE(std::filesystem::exists(directory_ + "/agent.db.migrated"));
    std::filesystem::remove(database_);
    start();
    EXPECT_EQ(control_plane_.calls("RegisterContainerInstance").at(0).value("containerInstanceArn", ""), "");
}

}  // namespace
}  // namespace nodeagent::daemon_tests
