// The statistics a container shows must be those its runtime's own `docker stats` would show: between two readings of
// ours, Docker's figures lie within ours.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/telemetry/collector.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/await_file.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::telemetry {
namespace {

using nlohmann::ordered_json;

std::string docker_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    const std::string host = given != nullptr ? given : "unix:///var/run/docker.sock";
    return host.substr(std::string("unix://").size());
}

class DockerStats : public testing::Test {
  protected:
    void TearDown() override {
        if (!id_.empty()) docker_.call("DELETE", "/containers/" + id_ + "?force=1&v=1");
    }

    void run(const std::string& script, const std::string& network = "bridge") {
        const nlohmann::json host_config{
            {"NetworkMode", network},
            {"Memory", 64 << 20},
            {"PidsLimit", network == "none" ? 50 : 0},
            {"Binds", {marks_.path() + ":/marks"}}};
        id_ = docker_
                  .call("POST", "/containers/create",
                        {{"Image", "busybox:latest"}, {"Cmd", {"sh", "-c", script}}, {"HostConfig", host_config}})
                  .at("Id");
        docker_.call("POST", "/containers/" + id_ + "/start");
        const auto state = docker_.call("GET", "/containers/" + id_ + "/json");
        model::ContainerView container;
        container.name = "main";
        container.docker_id = id_;
        container.docker_name = state.at("Name").get<std::string>().substr(1);
        container.known = model::ContainerStatus::Running;
        container.pid = state.at("State").at("Pid");
        model::TaskView task;
        task.arn = "task";
        task.family = "stats";
        task.network_mode = network;
        task.containers = {container};
        auto snapshot = std::make_shared<model::Snapshot>();
        auto shared = std::make_shared<const model::TaskView>(std::move(task));
        snapshot->tasks["task"] = shared;
        snapshot->by_docker_id[id_] = {.task = shared, .index = 0};
        board_.publish(std::move(snapshot));
    }

    ordered_json ours() {
        collector_.pass();
        const auto sample = collector_.sample("task", id_);
        if (!sample || !sample->object) return {};
        return ordered_json::parse(*sample->object);
    }
    ordered_json dockers() {
        return ordered_json::parse(
            docker_.call("GET", "/containers/" + id_ + "/stats?stream=false&one-shot=true").dump());
    }

    static std::uint64_t memory() {
        std::ifstream file("/proc/meminfo");
        std::string word;
        std::uint64_t kilobytes = 0;
        file >> word >> kilobytes;
        return kilobytes * 1024;
    }

    fakes::TempDirectory marks_;
    harness::DockerClient docker_{docker_socket()};
    std::string id_;
    model::SnapshotBoard board_;
    SystemClock clock_;
    Collector collector_{
        {.hierarchy = *cgroups::detect_hierarchy("/sys/fs/cgroup"),
         .interval = std::chrono::nanoseconds(1),
         .cpus = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)),
         .machine_memory = memory()},
        board_,
        clock_};
};

bool moment(const std::string& key) { return key == "read" || key == "preread" || key == "precpu_stats"; }

// Memory that is held goes up and down between readings, by pages not yet accounted for; counters and limits do not.
bool held(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    return path.starts_with("/memory_stats/") && name.find("pg") == std::string::npos &&
           name.find("limit") == std::string::npos && name.find("workingset") == std::string::npos &&
           name != "failcnt" && name != "max_usage";
}

// Every member Docker tells, with a number within ours before and after, and nothing besides.
void expect_within(const ordered_json& low, const ordered_json& seen, const ordered_json& high,
                   const std::string& path) {
    if (seen.is_object()) {
        ASSERT_TRUE(low.is_object() && high.is_object()) << path;
        for (const auto& [key, value] : seen.items()) {
            if (path.empty() && moment(key)) continue;
            const std::string here = path + "/" + key;
            // a member that is zero is left out
            const ordered_json before = low.value(key, ordered_json(0));
            const ordered_json after = high.value(key, ordered_json(0));
            ASSERT_TRUE(high.contains(key) || value == 0) << here << " is missing";
            expect_within(before, value, after, here);
        }
        for (const auto& [key, value] : low.items()) EXPECT_TRUE(seen.contains(key)) << path << "/" << key << " is too much";
    } else if (seen.is_array()) {
        ASSERT_TRUE(low.is_array() && high.is_array()) << path;
        ASSERT_EQ(low.size(), seen.size()) << path;
        ASSERT_EQ(high.size(), seen.size()) << path;
        for (std::size_t i = 0; i < seen.size(); ++i)
            expect_within(low[i], seen[i], high[i], path + "/" + std::to_string(i));
    } else if (seen.is_number()) {
        const double value = seen.get<double>();
        const auto [least, most] = std::minmax({low.get<double>(), high.get<double>()});
        const double slack = held(path) ? 512.0 * 1024 : 0;
        EXPECT_GE(value, least - slack) << path;
        EXPECT_LE(value, most + slack) << path;
    } else {
        EXPECT_EQ(seen, high) << path;
    }
}

TEST_F(DockerStats, OfAContainerThatSleeps) {
    run("touch /marks/asleep; exec sleep 600");
    ASSERT_TRUE(harness::await_file(marks_ + "/asleep", std::chrono::seconds(30)));
    const ordered_json before = ours();
    ASSERT_FALSE(before.is_null());
    const ordered_json seen = dockers();
    expect_within(before, seen, ours(), "");
}

TEST_F(DockerStats, OfAContainerThatComputesAndWrites) {
    run("dd if=/dev/zero of=/file bs=65536 count=64 conv=fsync; touch /marks/written; while :; do :; done");
    // before it the kernel does not list the device
    ASSERT_TRUE(harness::await_file(marks_ + "/written", std::chrono::seconds(30)));
    const ordered_json before = ours();
    ASSERT_FALSE(before.is_null());
    const ordered_json seen = dockers();
    expect_within(before, seen, ours(), "");
    EXPECT_GT(seen["cpu_stats"]["cpu_usage"]["total_usage"], 0);
}

TEST_F(DockerStats, OfAContainerWithoutANetwork) {
    run("exec sleep 600", "none");
    const ordered_json before = ours();
    const ordered_json seen = dockers();
    EXPECT_FALSE(before.contains("networks"));
    expect_within(before, seen, ours(), "");
}

TEST_F(DockerStats, OfAContainerOnTheHostsNetwork) {
    run("exec sleep 600", "host");
    const ordered_json before = ours();
    const ordered_json seen = dockers();
    EXPECT_FALSE(before.contains("networks"));
    expect_within(before, seen, ours(), "");
}

TEST_F(DockerStats, EndWithTheContainer) {
    run("exec sleep 600");
    ASSERT_FALSE(ours().is_null());
    docker_.call("POST", "/containers/" + id_ + "/kill");
    docker_.call("POST", "/containers/" + id_ + "/wait");
    const auto samples = collector_.counters().samples;
    collector_.pass();
    EXPECT_EQ(collector_.counters().samples, samples) << "a removed cgroup was read";
}

}  // namespace
}  // namespace nodeagent::telemetry
