// What the fields of a task definition come to: the whole agent on a real Docker daemon, `docker inspect` of what it
// made, and what the processes inside see. Privileged containers, SELinux labels, devices and raised limits need more
// of the host than a test may ask for; tests/unit/agent/engine/spec/payload_fields_test.cpp has those.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "agent/base/strings.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/await_file.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::ControlPlane;
using harness::DockerClient;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kInstance =
    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef";

std::string docker_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    const std::string host = given != nullptr ? given : "unix:///var/run/docker.sock";
    return host.substr(std::string("unix://").size());
}

std::string task_arn(const std::string& name) {
    return "arn:aws:ecs:us-west-2:123456789012:task/bench/" + hex((name + std::string(16, '-')).substr(0, 16));
}

std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// GET from a port of the agent's own; null when that gives no JSON.
json get(std::uint16_t port, const std::string& target) {
    namespace http = boost::beast::http;
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    socket.connect({boost::asio::ip::address_v4::loopback(), port});
    http::request<http::empty_body> request{http::verb::get, target, 11};
    request.set(http::field::host, "localhost");
    http::write(socket, request);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    const json document = json::parse(response.body(), nullptr, false);
    return document.is_discarded() ? json() : document;
}

json container(const std::string& name, const std::string& script, const json& host_config = json::object(),
               const json& config = json::object()) {
    json host = host_config;
    if (!host.contains("NetworkMode")) host["NetworkMode"] = "bridge";
    json own = config.is_object() ? config : json::object();
    if (!own.contains("StopSignal")) own["StopSignal"] = "SIGKILL";  // a shell as first process ignores SIGTERM
    return {{"name", name},
            {"image", "busybox:latest"},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"command", {"sh", "-c", script}},
            {"mountPoints", {{{"sourceVolume", "out"}, {"containerPath", "/out"}, {"readOnly", false}}}},
            {"dockerConfig", {{"config", own.dump()}, {"hostConfig", host.dump()}, {"version", "1.21"}}}};
}

class PayloadFields : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directory(out_);
        std::filesystem::permissions(out_, std::filesystem::perms::all);
        start();
    }

    void TearDown() override {
        agent_.reset();
        DockerClient docker(docker_socket());
        const std::string ours = percent_encode(json{{"label", {"com.amazonaws.ecs.cluster=bench"}}}.dump());
        for (const auto& found : docker.call("GET", "/containers/json?all=1&filters=" + ours)) {
            docker.call("DELETE", "/containers/" + found.at("Id").get<std::string>() + "?force=1&v=1");
        }
        if (HasFailure()) std::cerr << content(directory_ + "/agent.log");
    }

    void start() {
        const auto asked = ControlPlane::Clock::now();
        agent_ = std::make_unique<AgentProcess>(NODEAGENT_AGENT, control_plane_.endpoint(), directory_,
                                                "unix://" + docker_socket());
        ASSERT_TRUE(control_plane_.session_since(asked, 30s)) << "no session";
    }

    /// A task with the volume "out", a folder of the host that the test reads.
    json task(const std::string& name, std::vector<json> containers) const {
        return {{"arn", task_arn(name)},
                {"family", "it"},
                {"version", "1"},
                {"desiredStatus", "RUNNING"},
                {"networkMode", "bridge"},
                {"volumes", {{{"name", "out"}, {"type", "host"}, {"host", {{"sourcePath", out_}}}}}},
                {"containers", containers}};
    }
    void send(const json& one) {
        control_plane_.send(json{{"type", "PayloadMessage"},
                                 {"message",
                                  {{"messageId", "m" + std::to_string(++messages_)},
                                   {"clusterArn", "bench"},
                                   {"containerInstanceArn", kInstance},
                                   {"seqNum", messages_},
                                   {"tasks", {one}}}}}
                                .dump());
    }
    void stop(json one) {
        one["desiredStatus"] = "STOPPED";
        send(one);
    }
    bool runs(const std::string& name) { return !control_plane_.report_of(task_arn(name), "RUNNING", 60s).is_null(); }
    /// What was reported of the container's end once the task has ended; it may have been told before the task's end.
    json end_of(const std::string& name, const std::string& container) {
        if (control_plane_.report_of(task_arn(name), "STOPPED", 60s).is_null()) return json::object();
        for (const json& report : control_plane_.calls("SubmitTaskStateChange")) {
            if (report.value("task", "") != task_arn(name)) continue;
            for (const json& one : report.value("containers", json::array())) {
                if (one.value("containerName", "") == container && one.value("status", "") == "STOPPED") return one;
            }
        }
        return json::object();
    }

    /// For what the agent's endpoints say: nothing tells when that changes.
    static bool soon(const std::function<bool()>& reached) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (!reached()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(50ms);
        }
        return true;
    }
    /// What a container has written under this name, once it has renamed it there.
    std::string fact(const std::string& name) {
        EXPECT_TRUE(harness::await_file(out_ + "/" + name, 30s)) << name << " was never written";
        return content(out_ + "/" + name);
    }
    void touch(const std::string& name) const { std::ofstream(out_ + "/" + name) << "now"; }

    /// docker inspect of a container, which may have ended; null when there is none.
    static json inspect(const std::string& name, const std::string& container) {
        DockerClient docker(docker_socket());
        const json labels{"com.amazonaws.ecs.task-arn=" + task_arn(name),
                          "com.amazonaws.ecs.container-name=" + container};
        const json found =
            docker.call("GET", "/containers/json?all=1&filters=" + percent_encode(json{{"label", labels}}.dump()));
        if (found.empty()) return {};
        return docker.call("GET", "/containers/" + found[0].at("Id").get<std::string>() + "/json");
    }
    /// The container's own document of the task metadata endpoint, version 4.
    static json metadata(const std::string& name, const std::string& container) {
        constexpr std::string_view kUri = "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2";
        const json made = inspect(name, container);
        for (const std::string entry : made.at("Config").at("Env")) {
            if (!entry.starts_with(kUri)) continue;
            const json document = get(51679, entry.substr(kUri.size()));
            return document.is_object() ? document : json::object();
        }
        return json::object();
    }

    fakes::TempDirectory directory_;
    std::string out_ = directory_ + "/out";
    ControlPlane control_plane_;
    std::unique_ptr<AgentProcess> agent_;
    int messages_ = 0;
};

TEST_F(PayloadFields, WhatTheTaskDefinitionSaysIsWhatTheProcessSees) {
    const std::string facts =
        "{ id; pwd; echo files $(ulimit -n); hostname; cat /etc/hosts /etc/resolv.conf /proc/mounts;"
        " grep -E 'CapBnd|NoNewPrivs' /proc/self/status; echo init $(cat /proc/1/comm); env;"
        " touch /forbidden 2>&1; ls /data /shared; touch /data/x 2>&1; } > /out/facts.part 2>&1;"
        " mv /out/facts.part /out/facts; sleep 600";
    json db = container("db", "echo mine > /data/written; sleep 600");
    db["mountPoints"].push_back({{"sourceVolume", "task-volume"}, {"containerPath", "/data"}, {"readOnly", false}});
    db["mountPoints"].push_back({{"sourceVolume", "nodeagent-it"}, {"containerPath", "/shared"}, {"readOnly", false}});
    db["mountPoints"].push_back({{"sourceVolume", "empty"}, {"containerPath", "/empty"}, {"readOnly", true}});
    json app = container(
        "app", facts,
        {{"ReadonlyRootfs", true},
         {"Init", true},
         {"ShmSize", 8 << 20},
         {"Tmpfs", {{"/scratch", "size=4m,noexec"}}},
         {"Ulimits", {{{"Name", "nofile"}, {"Soft", 300}, {"Hard", 400}}}},
         {"CapDrop", {"ALL"}},
         {"CapAdd", {"NET_BIND_SERVICE"}},
         {"SecurityOpt", {"no-new-privileges"}},
         {"ExtraHosts", {"far:10.9.8.7"}},
         {"Dns", {"10.0.0.2"}},
         {"DnsSearch", {"corp.example"}},
         {"MemoryReservation", 8 << 20}},
        {{"User", "1000:1001"}, {"Hostname", "web-1"}, {"WorkingDir", "/scratch"}, {"Labels", {{"team", "x"}}}});
    app["links"] = {"db:database"};
    app["volumesFrom"] = {{{"sourceContainer", "db"}, {"readOnly", true}}};
    app["memory"] = 32;
    app["cpu"] = 128;
    app["environment"] = {{"MINE", "yes"}, {"ECS_AGENT_URI", "forged"}};
    json payload = task("everything", {db, app});
    payload["volumes"].push_back({{"name", "empty"}, {"type", "host"}, {"host", json::object()}});
    payload["volumes"].push_back({{"name", "task-volume"},
                                  {"type", "docker"},
                                  {"dockerVolumeConfiguration",
                                   {{"scope", "task"},
                                    {"autoprovision", false},
                                    {"driver", "local"},
                                    {"driverOpts", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=2m"}}},
                                    {"labels", {{"of", "the task"}}}}}});
    payload["volumes"].push_back(
        {{"name", "nodeagent-it"},
         {"type", "docker"},
         {"dockerVolumeConfiguration",
          {{"scope", "shared"}, {"autoprovision", true}, {"driver", "local"}, {"labels", {{"of", "all"}}}}}});
    send(payload);
    ASSERT_TRUE(runs("everything"));

    const std::string seen = fact("facts");
    EXPECT_THAT(seen, HasSubstr("uid=1000 gid=1001"));
    EXPECT_THAT(seen, HasSubstr("\n/scratch\n"));
    EXPECT_THAT(seen, HasSubstr("files 300"));
    EXPECT_THAT(seen, HasSubstr("\nweb-1\n"));
    EXPECT_THAT(seen, HasSubstr("10.9.8.7\tfar"));
    EXPECT_THAT(seen, HasSubstr("\tdatabase ")) << "a link is a host name";
    EXPECT_THAT(seen, HasSubstr("nameserver 10.0.0.2"));
    EXPECT_THAT(seen, HasSubstr("search corp.example"));
    EXPECT_THAT(seen, HasSubstr("CapBnd:\t0000000000000400"));
    EXPECT_THAT(seen, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(seen, HasSubstr(" /scratch tmpfs"));
    EXPECT_THAT(seen, HasSubstr("size=4096k"));
    EXPECT_THAT(seen, HasSubstr("size=8192k")) << "/dev/shm";
    EXPECT_THAT(seen, HasSubstr("init docker-init"));
    EXPECT_THAT(seen, HasSubstr("MINE=yes"));
    EXPECT_THAT(seen, Not(HasSubstr("forged"))) << "what the agent injects wins";
    EXPECT_THAT(seen, HasSubstr("touch: /forbidden: Read-only file system"));
    EXPECT_THAT(seen, HasSubstr("written")) << "volumesFrom";
    EXPECT_THAT(seen, HasSubstr("touch: /data/x: Read-only file system"));

    const json made = inspect("everything", "app");
    EXPECT_EQ(made["HostConfig"]["Memory"], 32 << 20);
    EXPECT_EQ(made["HostConfig"]["MemoryReservation"], 8 << 20);
    EXPECT_EQ(made["HostConfig"]["CpuShares"], 128);
    EXPECT_EQ(made["Config"]["Labels"]["team"], "x");
    EXPECT_EQ(made["Config"]["Labels"]["com.amazonaws.ecs.container-name"], "app");
    DockerClient docker(docker_socket());
    const json shared = docker.call("GET", "/volumes/nodeagent-it");
    EXPECT_EQ(shared["Labels"]["of"], "all");
    const json made_db = inspect("everything", "db");
    for (const json& mount : made_db["Mounts"]) {
        if (mount["Destination"] != "/data") continue;
        const json volume = docker.call("GET", "/volumes/" + mount["Name"].get<std::string>());
        EXPECT_EQ(volume["Labels"]["of"], "the task");
        EXPECT_EQ(volume["Options"]["o"], "size=2m");
        EXPECT_THAT(volume["Name"].get<std::string>(), HasSubstr("ecs-it-1-task-volume-"));
    }
    stop(payload);
    EXPECT_FALSE(end_of("everything", "app").empty());
}

TEST_F(PayloadFields, ContainersMayShareThePidAndIpcNamespacesOfTheirTask) {
    json payload = task("shared", {container("first", "exec sleep 4321"),
                                   container("second",
                                             "until ps | grep -q '[s]leep 4321'; do sleep 0.1; done;"
                                             " ps > /out/ps.part; mv /out/ps.part /out/ps; exec sleep 600")});
    payload["pidMode"] = "task";
    payload["ipcMode"] = "task";
    send(payload);
    ASSERT_TRUE(runs("shared"));

    const std::string processes = fact("ps");
    EXPECT_THAT(processes, HasSubstr("/pause"));
    EXPECT_THAT(processes, HasSubstr("sleep 4321")) << "a process of the other container";
    const json pause = inspect("shared", "~internal~ecs~pause~namespace");
    ASSERT_TRUE(pause.is_object());
    const std::string joined = "container:" + pause["Id"].get<std::string>();
    for (const char* name : {"first", "second"}) {
        const json made = inspect("shared", name);
        EXPECT_EQ(made["HostConfig"]["PidMode"], joined);
        EXPECT_EQ(made["HostConfig"]["IpcMode"], joined);
    }
    EXPECT_EQ(pause["HostConfig"]["NetworkMode"], "none");
    EXPECT_EQ(pause["HostConfig"]["IpcMode"], "shareable");

    stop(payload);
    const json report = control_plane_.report_of(task_arn("shared"), "STOPPED", 60s);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["containers"].size(), 2U) << "the pause container is nobody's business";
    const json ended = inspect("shared", "~internal~ecs~pause~namespace");
    EXPECT_EQ(ended["State"]["ExitCode"], 0) << "it ends by itself on SIGTERM";
    EXPECT_GE(ended["State"]["FinishedAt"], inspect("shared", "first")["State"]["FinishedAt"]);
}

TEST_F(PayloadFields, ARestartPolicyUndoesEndsUntilOneIsIgnoredAndTheCountIsShownAndSaved) {
    json payload =
        task("restarts", {container("main",
                                    "echo run >> /out/runs; [ $(wc -l < /out/runs) -lt 3 ] && exit 1;"
                                    " touch /out/third; until [ -e /out/end ]; do sleep 0.1; done; exit 7")});
    payload["containers"][0]["restartPolicy"] = {
        {"enabled", true}, {"ignoredExitCodes", {7}}, {"restartAttemptPeriod", 0}};
    send(payload);
    ASSERT_TRUE(runs("restarts"));
    fact("third");
    ASSERT_TRUE(soon([&] { return metadata("restarts", "main").value("RestartCount", 0) == 2; }))
        << metadata("restarts", "main");
    agent_->finish(SIGKILL);
    start();
    ASSERT_TRUE(soon([&] { return metadata("restarts", "main").value("RestartCount", 0) == 2; }))
        << metadata("restarts", "main");
    touch("end");
    EXPECT_EQ(end_of("restarts", "main").value("exitCode", -1), 7);
    EXPECT_EQ(content(out_ + "/runs"), "run\nrun\nrun\n");
}

TEST_F(PayloadFields, ARestartPolicyLeavesAnEndWithinItsAttemptPeriod) {
    json payload = task("too-soon", {container("main", "echo run >> /out/runs; exit 1")});
    payload["containers"][0]["restartPolicy"] = {{"enabled", true}, {"restartAttemptPeriod", 300}};
    send(payload);
    EXPECT_EQ(end_of("too-soon", "main").value("exitCode", -1), 1);
    EXPECT_EQ(content(out_ + "/runs"), "run\n");
}

TEST_F(PayloadFields, HealthGatesDependentsButEndsNothing) {
    const auto check = [](const std::string& command) {
        return json{{"Healthcheck", {{"Test", {"CMD-SHELL", command}}, {"Interval", 1000000000}, {"Retries", 1}}}};
    };
    json well = container("well", "touch /out/up; sleep 600", {}, check("test -e /out/healthy"));
    json sick = container("sick", "sleep 600", {}, check("echo no; exit 3"));
    json after = container("after", "touch /out/after; sleep 600");
    well["healthCheckType"] = sick["healthCheckType"] = "docker";
    after["dependsOn"] = {{{"containerName", "well"}, {"condition", "HEALTHY"}}};
    const json payload = task("health", {well, sick, after});
    send(payload);
    fact("up");
    ASSERT_TRUE(soon([&] {
        return inspect("health", "sick").at("State").value("Health", json::object()).value("Status", "") == "unhealthy";
    }));
    EXPECT_TRUE(inspect("health", "after").is_null()) << "it waits";
    touch("healthy");
    EXPECT_TRUE(runs("health"));
    EXPECT_EQ(inspect("health", "sick")["State"]["Status"], "running");
    ASSERT_TRUE(soon([&] { return metadata("health", "sick").contains("Health"); }));
    const json health = metadata("health", "sick")["Health"];
    EXPECT_EQ(health.value("status", ""), "UNHEALTHY");
    EXPECT_EQ(health.value("exitCode", 0), 3);
    EXPECT_THAT(health.value("output", ""), HasSubstr("no"));
    stop(payload);
    EXPECT_FALSE(end_of("health", "sick").empty());
}

TEST_F(PayloadFields, AStartTimeoutEndsTheWaitForADependency) {
    json never = container("never", "sleep 600");
    never["startTimeout"] = 1;
    json after = container("after", "sleep 600");
    after["dependsOn"] = {{{"containerName", "never"}, {"condition", "COMPLETE"}}};
    send(task("timeout", {never, after}));
    const json end = end_of("timeout", "after");
    EXPECT_EQ(end.value("exitCode", 0), 143);
    EXPECT_THAT(end.value("reason", ""), HasSubstr("has timed out."));
}

TEST_F(PayloadFields, AStopTimeoutIsTheContainersOwn) {
    json stubborn =
        container("main", "trap '' TERM; touch /out/up; while :; do sleep 0.1; done", {}, {{"StopSignal", "SIGTERM"}});
    stubborn["stopTimeout"] = 1;
    const json payload = task("stubborn", {stubborn});
    send(payload);
    ASSERT_TRUE(runs("stubborn"));
    fact("up");
    const auto asked = std::chrono::steady_clock::now();
    stop(payload);
    EXPECT_EQ(end_of("stubborn", "main").value("exitCode", 0), 137);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 20s) << "the agent's own limit is 30 s";
}

TEST_F(PayloadFields, NetworkModesHostAndNone) {
    const std::string list = "ls /sys/class/net > /out/$0.part; mv /out/$0.part /out/$0; sleep 600";
    json host = container("host", list, {{"NetworkMode", "host"}});
    json none = container("none", list, {{"NetworkMode", "none"}});
    host["command"].push_back("host");
    none["command"].push_back("none");
    json payload = task("networks", {host, none});
    payload["networkMode"] = "host";
    send(payload);
    ASSERT_TRUE(runs("networks"));
    EXPECT_THAT(fact("host"), HasSubstr("docker0"));
    EXPECT_EQ(fact("none"), "lo\n");
    EXPECT_EQ(inspect("networks", "host")["HostConfig"]["NetworkMode"], "host");
    stop(payload);
    EXPECT_FALSE(end_of("networks", "host").empty());
}

}  // namespace
}  // namespace nodeagent
