#pragma once
// A machine with one task of two containers, as metrics see it: plain values, which a test changes as it likes.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/telemetry/exposition.hpp"

namespace nodeagent::telemetry {

inline constexpr const char* kTaskArn = "arn:aws:ecs:us-west-2:123456789012:task/prod/0123456789abcdef0123456789abcdef";

inline model::ContainerView container_view(std::string name, std::string id) {
    model::ContainerView view;
    view.docker_name = "ecs-web-7-" + name;
    view.name = std::move(name);
    view.docker_id = std::move(id);
    view.image = "registry.example/web:1";
    view.known = view.desired = model::ContainerStatus::Running;
    view.started_at = WallTime(std::chrono::seconds(1'767'225'600));
    view.cpu = 128;
    return view;
}

inline model::TaskView task_view(std::vector<model::ContainerView> containers, std::string arn = kTaskArn) {
    model::TaskView task;
    task.arn = std::move(arn);
    task.family = "web";
    task.version = "7";
    task.network_mode = "bridge";
    task.launch_type = "EC2";
    task.known = task.desired = task.sent = model::TaskStatus::Running;
    task.containers = std::move(containers);
    return task;
}

inline Usage usage_of(std::uint64_t cpu_ns) {
    Usage usage;
    usage.read = WallTime(std::chrono::seconds(1'767'225'660));
    usage.cgroup.cpu.usage_ns = cpu_ns;
    usage.cgroup.memory.usage = 5 << 20;
    usage.cgroup.pids.current = 3;
    usage.interfaces = {{.name = "eth0", .counters = {.rx_bytes = 1000, .tx_bytes = 2000}}};
    return usage;
}

struct AScene {
    AScene() { show({task_view({container_view("app", "aaa"), container_view("log", "bbb")})}); }

    void show(std::vector<model::TaskView> tasks) {
        snapshot = {};
        for (model::TaskView& one : tasks) {
            const auto task = std::make_shared<const model::TaskView>(std::move(one));
            for (std::size_t i = 0; i < task->containers.size(); ++i)
                snapshot.by_docker_id[task->containers[i].docker_id] = {.task = task, .index = i};
            snapshot.tasks[task->arn] = task;
        }
    }
    [[nodiscard]] std::string text() const {
        return exposition({.snapshot = snapshot,
                           .usage = usage,
                           .version = version,
                           .sampling = sampling,
                           .steps = steps,
                           .figures = figures,
                           .process = process,
                           .host = host});
    }

    model::Snapshot snapshot;
    UsageById usage{{"aaa", usage_of(1'500'000'000)}, {"bbb", usage_of(0)}};
    cgroups::Version version = cgroups::Version::V2;
    std::optional<Collector::Counters> sampling{{.samples = 120, .missed = 1, .tracked = 2, .pass_seconds = 0.5}};
    LifecycleSteps steps;
    AgentFigures figures{.cluster = "prod", .container_instance_arn = "arn:instance/prod/1"};
    ProcessUse process{.resident_bytes = 6'000'000, .descriptors = 40, .cpu_seconds = 1.25};
    model::HostConditions host;
};

/// The labels of container "app" of that task, as they are written.
inline const std::string kAppLabels =
    std::string(R"(id="aaa",name="ecs-web-7-app",image="registry.example/web:1",container="app",)") +
    R"(task_id="0123456789abcdef0123456789abcdef",task_arn=")" + kTaskArn +
    R"(",family="web",revision="7",cluster="prod")";

/// The value of the series that is written so, or "absent".
inline std::string value_of(const std::string& text, const std::string& series) {
    for (std::size_t at = text.find(series); at != std::string::npos; at = text.find(series, at + 1)) {
        const bool begins = at == 0 || text[at - 1] == '\n';
        const std::size_t value = at + series.size();
        if (begins && text[value] == ' ') return text.substr(value + 1, text.find('\n', value) - value - 1);
    }
    return "absent";
}

}  // namespace nodeagent::telemetry
