// The whole daemon against a real Docker daemon and the harness's control plane. Fixed ports, so one at a time.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <boost/asio/ip/tcp.hpp>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::ControlPlane;
using harness::DockerClient;
using nlohmann::json;

constexpr const char* kInstance =
    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef";

std::string docker_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    std::string host = given != nullptr ? given : "unix:///var/run/docker.sock";
    return host.substr(std::string("unix://").size());
}

std::string task_arn(const std::string& name) {
    return "arn:aws:ecs:us-west-2:123456789012:task/bench/" + hex((name + std::string(16, '-')).substr(0, 16));
}

json container(const std::string& name, std::vector<std::string> command) {
    const json host_config{{"NetworkMode", "bridge"}};
    return {{"name", name},
            {"image", "busybox:latest"},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"command", command},
            {"dockerConfig", {{"config", "{}"}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
}

json task(const std::string& name, std::vector<json> containers) {
    return {{"arn", task_arn(name)},      {"family", "it"},          {"version", "1"},
            {"desiredStatus", "RUNNING"}, {"networkMode", "bridge"}, {"containers", containers}};
}

class Daemon : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = "/tmp/nodeagent-it.XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }

    void TearDown() override {
        agent_.reset();
        DockerClient docker(docker_socket());
        for (const auto& found : docker.call(
                 "GET",
                 "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.amazonaws.ecs.cluster%3Dbench%22%5D%7D")) {
            docker.call("DELETE", "/containers/" + found.at("Id").get<std::string>() + "?force=1&v=1");
        }
        if (HasFailure()) {
            std::ifstream log(directory_ + "/agent.log");
            std::cerr << log.rdbuf();
        }
        std::filesystem::remove_all(directory_);
    }

    void start_without_session(std::vector<std::string> extra = {}, const std::string& docker = {}) {
        asked_ = ControlPlane::Clock::now();
        agent_ =
            std::make_unique<AgentProcess>(NODEAGENT_AGENT, control_plane_.endpoint(), directory_,
                                           "unix://" + (docker.empty() ? docker_socket() : docker), std::move(extra));
    }
    void start(std::vector<std::string> extra = {}) {
        start_without_session(std::move(extra));
        ASSERT_TRUE(control_plane_.session_since(asked_, 30s)) << "no session";
    }

    void send(const std::vector<json>& tasks) {
        const std::string id = "m" + std::to_string(++messages_);
        control_plane_.send(json{{"type", "PayloadMessage"},
                                 {"message",
                                  {{"messageId", id},
                                   {"clusterArn", "bench"},
                                   {"containerInstanceArn", kInstance},
                                   {"seqNum", messages_},
                                   {"tasks", tasks}}}}
                                .dump());
    }
    bool acknowledged(const std::string& message_id) {
        return !control_plane_
                    .frame(
                        [&](const json& frame) {
                            return frame.value("type", "") == "AckRequest" &&
                                   frame["message"].value("messageId", "") == message_id;
                        },
                        10s)
                    .is_null();
    }

    /// The task's STOPPED report; everything a person would see of it in one text.
    std::string reasons(const std::string& name) {
        const json report = control_plane_.report_of(task_arn(name), "STOPPED", 60s);
        std::string text = report.is_null() ? "no report" : report.value("reason", "");
        if (report.is_object() && report.contains("containers")) {
            for (const json& one : report["containers"]) text += "; " + one.value("reason", "");
        }
        return text;
    }
    bool runs(const std::string& name) { return !control_plane_.report_of(task_arn(name), "RUNNING", 60s).is_null(); }

    std::vector<std::string> containers_of(const std::string& name) {
        DockerClient docker(docker_socket());
        std::vector<std::string> ids;
        for (const auto& found : docker.call(
                 "GET", "/containers/json?filters=" +
                            percent_encode(json{{"label", {"com.amazonaws.ecs.task-arn=" + task_arn(name)}}}.dump()))) {
            ids.push_back(found.at("Id"));
        }
        return ids;
    }

    std::string directory_;
    ControlPlane control_plane_;
    std::unique_ptr<AgentProcess> agent_;
    ControlPlane::Clock::time_point asked_;
    int messages_ = 0;
};

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

TEST_F(Daemon, WaitsForADockerThatStartsLater) {
    const std::string socket = directory_ + "/late.sock";
    start_without_session({}, socket);
    EXPECT_FALSE(control_plane_.session_since(asked_, 1s)) << "an instance without a runtime must not register";
    std::filesystem::create_symlink(docker_socket(), socket);
    ASSERT_TRUE(control_plane_.session_since(asked_, 30s));
    send({task("late", {container("main", {"sh", "-c", "exit 0"})})});
    EXPECT_FALSE(control_plane_.report_of(task_arn("late"), "STOPPED", 60s).is_null());
}

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
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
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

/// A Docker daemon that a test may stop, in a network namespace of its own: one without a bridge removes docker0, which
/// is the other daemon's. Its containers have that namespace's network.
class OwnDockerd {
  public:
    explicit OwnDockerd(std::string directory, bool live_restore)
        : directory_(std::move(directory)), live_restore_(live_restore) {
        std::filesystem::create_directories(directory_);
        start();
        const std::string load = "docker -H unix://" + docker_socket() + " save busybox:latest | docker -H unix://" +
                                 socket() + " load >/dev/null";
        if (std::system(load.c_str()) != 0) throw std::runtime_error("busybox:latest cannot be copied");
    }
    ~OwnDockerd() {
        std::system(
            ("docker -H unix://" + socket() + " ps -aq | xargs -r docker -H unix://" + socket() + " rm -f >/dev/null")
                .c_str());
        stop();
        for (const char* mount : {"/exec/netns/default", "/data"}) {  // the latter with live-restore
            ::umount2((directory_ + mount).c_str(), MNT_DETACH);
        }
    }
    OwnDockerd(const OwnDockerd&) = delete;
    OwnDockerd& operator=(const OwnDockerd&) = delete;

    [[nodiscard]] std::string socket() const { return directory_ + "/docker.sock"; }
    void stop() {
        if (pid_ > 0) ::kill(pid_, SIGTERM);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void start() {
        pid_ = ::fork();
        if (pid_ == 0) {
            const int log = ::open((directory_ + "/dockerd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            if (::unshare(CLONE_NEWNET) != 0) ::_exit(126);
            const std::string host = "unix://" + socket(), data = directory_ + "/data", exec = directory_ + "/exec",
                              file = directory_ + "/docker.pid";
            ::execlp("dockerd", "dockerd", "--host", host.c_str(), "--data-root", data.c_str(), "--exec-root",
                     exec.c_str(), "--pidfile", file.c_str(), "--bridge=none", "--iptables=false",
                     live_restore_ ? "--live-restore=true" : "--live-restore=false", nullptr);
            ::_exit(127);
        }
        for (int i = 0; i < 600; ++i) {
            try {
                DockerClient(socket()).call("GET", "/version");
                return;
            } catch (const std::exception&) {
                std::this_thread::sleep_for(100ms);
            }
        }
        throw std::runtime_error("dockerd did not start: see " + directory_ + "/dockerd.log");
    }

  private:
    std::string directory_;
    bool live_restore_;
    pid_t pid_ = -1;
};

json on_host_network(const std::string& name, const std::string& script, std::vector<std::string> binds = {}) {
    json one = container("main", {"sh", "-c", script});
    one["dockerConfig"]["hostConfig"] = json{{"NetworkMode", "host"}, {"Binds", binds}}.dump();
    json made = task(name, {one});
    made["networkMode"] = "host";
    return made;
}

TEST_F(Daemon, ADockerRestartThatStopsContainersIsReportedWithTheirExitCodes) {
    OwnDockerd docker(directory_ + "/own", false);
    start_without_session({}, docker.socket());
    ASSERT_TRUE(control_plane_.session_since(asked_, 30s));
    const std::string marks = directory_ + "/marks";
    std::filesystem::create_directories(marks);
    send({on_host_network("restart", "trap 'exit 5' TERM; touch /marks/ready; while :; do sleep 0.1; done",
                          {marks + ":/marks"})});
    ASSERT_TRUE(runs("restart"));
    for (int i = 0; i < 1000 && !std::filesystem::exists(marks + "/ready"); ++i) std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(std::filesystem::exists(marks + "/ready"));
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
    send({on_host_network("lives", "while :; do sleep 0.1; done"),
          on_host_network("dies", "sleep 600 & wait $!; exit 6")});
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

TEST_F(Daemon, RefusesTheStateOfAnotherCluster) {
    start();
    EXPECT_EQ(agent_->finish(SIGTERM), 0);
    start_without_session({"ECS_CLUSTER=other"});
    EXPECT_EQ(agent_->finish(0), 5);
}

TEST_F(Daemon, ABadConfigurationEndsWithOneAndNamesTheSetting) {
    start_without_session({"ECS_AVAILABLE_LOGGING_DRIVERS=[\"bogus\"]"});
    EXPECT_EQ(agent_->finish(0), 1);
    std::ifstream log(directory_ + "/agent.log");
    const std::string text((std::istreambuf_iterator<char>(log)), {});
    EXPECT_THAT(text, testing::HasSubstr("bogus"));
}

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
    std::ifstream file(directory_ + "/agent.log");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::string after = text.substr(text.find("stopping"));
    EXPECT_THAT(after, testing::Not(testing::ContainsRegex("level=(warn|error|crit)")));
}

}  // namespace
}  // namespace nodeagent
