// What Prometheus's own checker says of the text. Left out where promtool is not installed.
#ifdef NODEAGENT_PROMTOOL

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "agent/core/task_state.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/unit/agent/telemetry/prometheus/a_scene.hpp"

namespace nodeagent::telemetry {
namespace {

/// One in which every family has a series.
void fill(AScene& scene) {
    auto task = task_view({container_view("a\"b\\c\nd", "aaa"), container_view("log", "bbb")});
    task.cpu = 0.5;
    task.memory = 64;
    task.containers[0].restart_count = 1;
    task.containers[0].health_checked = true;
    task.containers[0].exit_code = 0;
    scene.show({task});
    Usage& usage = scene.usage["aaa"];
    usage.cgroup.memory.max_usage = 1;
    const cgroups::Pressure pressure{.some = {.total_us = 1}, .full = {.total_us = 1}};
    usage.cgroup.cpu_pressure = usage.cgroup.memory_pressure = usage.cgroup.io_pressure = pressure;
    scene.host.disks.push_back({.use = "data", .path = "/data"});
    scene.host.memory_total = 1;
    scene.host.load = {1, 2, 3};
    scene.host.setup = model::HostSetupCondition{.at = "now", .problems = {}, .instance_metadata_open = true};
    scene.figures.cloudwatch.emplace();
    scene.figures.logs.emplace();
    scene.host.pressures.push_back({.resource = "cpu"});
    core::TaskState before;
    before.arn = kTaskArn;
    before.containers.resize(1);
    core::TaskState after = before;
    after.containers[0].known = core::ContainerStatus::Pulled;
    after.known = core::TaskStatus::Running;
    scene.steps.accepted(before, SteadyTime{});
    scene.steps.changed(before, after, SteadyTime{std::chrono::seconds(1)});
}

TEST(Promtool, AcceptsEveryFamily) {
    AScene scene;
    fill(scene);
    const std::string text = scene.text();
    const auto has_series = [&](const auto& rows) {
        for (const auto& row : rows)
            EXPECT_NE(text.find("# TYPE " + std::string(row.name) + " "), std::string::npos) << row.name;
    };
    has_series(agent_families());
    has_series(host_families());
    has_series(task_families());
    has_series(container_families());
    has_series(container_use_families());

    const fakes::TempDirectory directory;
    std::ofstream(directory + "/metrics") << text;
    const std::string command = std::string(NODEAGENT_PROMTOOL) + " check metrics < " + (directory + "/metrics") +
                                " > " + (directory + "/said") + " 2>&1";
    const int status = std::system(command.c_str());
    std::ostringstream said;
    said << std::ifstream(directory + "/said").rdbuf();
    EXPECT_EQ(status, 0) << said.str();
}

}  // namespace
}  // namespace nodeagent::telemetry

#endif
