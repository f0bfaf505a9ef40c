#include "tests/bench/soak_workload.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace nodeagent::soak {

namespace {

using nlohmann::json;

constexpr int kKilled = 137;

json shell(milliseconds delay, int code) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "sleep %.2f; exit %d", static_cast<double>(delay.count()) / 1000.0, code);
    return {"sh", "-c", text.data()};
}
json for_ever() { return {"sleep", "3600"}; }

}  // namespace

milliseconds WorkloadSource::between(int from, int to) {
    return milliseconds(from + static_cast<int>(below(static_cast<std::uint64_t>(to - from + 1))));
}

std::string WorkloadSource::image() {
    if (options_.images <= 1 || below(2) == 0) return "busybox:latest";
    return "soak-image:" + std::to_string(below(static_cast<std::uint64_t>(options_.images)));
}

json WorkloadSource::container(const std::string& name, json command, bool essential) {
    const json config{{"StopSignal", "SIGKILL"}};
    const json host_config{{"NetworkMode", "bridge"}};
    return {{"name", name},
            {"image", image()},
            {"essential", essential},
            {"cpu", 2},
            {"memory", 16},
            {"stopTimeout", 2},
            {"command", std::move(command)},
            {"dockerConfig", {{"config", config.dump()}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
}

Workload WorkloadSource::stopped_by_service() {
    Workload made;
    made.task["containers"] = {container("app", for_ever())};
    made.stop_after = between(300, 6000);
    made.expected = {.kind = "stopped by the service", .prompt = true, .containers = {{"app", {kKilled, {}}}}};
    return made;
}

Workload WorkloadSource::ends_by_itself() {
    const int code = static_cast<int>(below(4)) == 0 ? 0 : static_cast<int>(below(126));
    Workload made;
    made.task["containers"] = {container("app", shell(between(200, 4000), code))};
    made.expected = {.kind = "essential exit", .prompt = true, .containers = {{"app", {code, {}}}}};
    return made;
}

Workload WorkloadSource::with_sidecar() {
    json app = container("app", for_ever());
    app["dependsOn"] = {{{"containerName", "sidecar"}, {"condition", "START"}}};
    Workload made;
    made.task["containers"] = {std::move(app), container("sidecar", for_ever(), false)};
    made.stop_after = between(300, 5000);
    made.expected = {.kind = "sidecar", .containers = {{"app", {kKilled, {}}}, {"sidecar", {kKilled, {}}}}};
    return made;
}

Workload WorkloadSource::with_init() {
    const bool success = below(4) != 0;
    const int code = success ? 0 : 3;
    json app = container("app", shell(between(200, 2000), 7));
    app["dependsOn"] = {{{"containerName", "init"}, {"condition", "SUCCESS"}}};
    Workload made;
    made.task["containers"] = {container("init", shell(between(50, 500), code), false), std::move(app)};
    made.expected = {.kind = success ? "init container" : "init container fails", .must_run = success};
    made.expected.may_run = success;
    made.expected.containers["init"] = {code, {}};
    made.expected.containers["app"] = success ? ContainerEnd{7, {}} : ContainerEnd{};
    return made;
}

Workload WorkloadSource::with_health() {
    json database = container("db", for_ever());
    const json config{
        {"StopSignal", "SIGKILL"},
        {"Healthcheck",
         {{"Test", {"CMD-SHELL", "exit 0"}}, {"Interval", 1'000'000'000}, {"Timeout", 5'000'000'000}, {"Retries", 3}}}};
    database["dockerConfig"]["config"] = config.dump();
    database["healthCheckType"] = "docker";
    json app = container("app", for_ever());
    app["dependsOn"] = {{{"containerName", "db"}, {"condition", "HEALTHY"}}};
    Workload made;
    made.task["containers"] = {std::move(app), std::move(database)};
    made.stop_after = between(200, 3000);
    made.expected = {.kind = "waits for health", .containers = {{"app", {kKilled, {}}}, {"db", {kKilled, {}}}}};
    return made;
}

Workload WorkloadSource::with_volumes() {
    json app = container("app", for_ever());
    app["mountPoints"] = {{{"sourceVolume", "scratch"}, {"containerPath", "/scratch"}, {"readOnly", false}},
                          {{"sourceVolume", "host"}, {"containerPath", "/host"}, {"readOnly", true}}};
    Workload made;
    made.task["containers"] = {std::move(app)};
    made.task["volumes"] = {
        {{"name", "scratch"},
         {"type", "docker"},
         {"dockerVolumeConfiguration", {{"scope", "task"}, {"autoprovision", false}, {"driver", "local"}}}},
        {{"name", "host"}, {"type", "host"}, {"host", {{"sourcePath", options_.host_path}}}}};
    made.stop_after = between(300, 4000);
    made.expected = {.kind = "volumes", .prompt = true, .containers = {{"app", {kKilled, {}}}}};
    return made;
}

Workload WorkloadSource::with_ports() {
    // two tasks with the same port wait for each other, so these have no part in the latency
    const bool fixed = below(2) == 0;
    const auto host_port = fixed ? 20000 + below(200) : 0;
    json app = container("app", for_ever());
    app["portMappings"] = {{{"containerPort", 80}, {"hostPort", host_port}, {"protocol", "tcp"}},
                           {{"containerPort", 53}, {"hostPort", 0}, {"protocol", "udp"}}};
    Workload made;
    made.task["containers"] = {std::move(app)};
    made.stop_after = between(300, 3000);
    made.expected = {.kind = "ports", .containers = {{"app", {kKilled, {}}}}};
    return made;
}

Workload WorkloadSource::restarted() {
    json helper = container("helper", shell(milliseconds(1300), 4), false);
    helper["restartPolicy"] = {{"enabled", true}, {"ignoredExitCodes", json::array()}, {"restartAttemptPeriod", 1}};
    Workload made;
    made.task["containers"] = {container("app", for_ever()), std::move(helper)};
    made.stop_after = between(3000, 7000);
    made.expected = {.kind = "restart policy", .containers = {{"app", {kKilled, {}}}, {"helper", {}}}};
    return made;
}

Workload WorkloadSource::without_image() {
    json app = container("app", for_ever());
    app["image"] = "127.0.0.1:9/soak/absent:1";
    Workload made;
    made.task["containers"] = {std::move(app)};
    made.expected = {.kind = "failing pull", .must_run = false, .may_run = false};
    made.expected.containers["app"] = {std::nullopt, "CannotPull"};
    return made;
}

Workload WorkloadSource::not_created() {
    json app = container("app", for_ever());
    const json config{{"WorkingDir", "not/absolute"}};
    app["dockerConfig"]["config"] = config.dump();
    Workload made;
    made.task["containers"] = {std::move(app), container("other", for_ever())};
    made.expected = {.kind = "failing create", .must_run = false, .may_run = false};
    made.expected.containers["app"] = {std::nullopt, "CannotCreateContainerError"};
    made.expected.containers["other"] = {};
    return made;
}

Workload WorkloadSource::not_started() {
    Workload made;
    made.task["containers"] = {container("app", {"/no/such/program"})};
    made.expected = {.kind = "failing start", .must_run = false, .may_run = false};
    made.expected.containers["app"] = {std::nullopt, "CannotStartContainerError"};
    return made;
}

Workload WorkloadSource::stopped_at_once() {
    Workload made;
    made.task["containers"] = {container("app", for_ever()), container("other", for_ever(), false)};
    made.stop_after = milliseconds(0);
    made.expected = {.kind = "stopped at once", .must_run = false, .containers = {{"app", {}}, {"other", {}}}};
    return made;
}

Workload WorkloadSource::refused() {
    Workload made;
    made.task["containers"] = {container("app", for_ever())};
    made.task["containers"][0]["memory"] = 1 << 30;  // no host has so much
    made.expected = {.kind = "too big for the host", .must_run = false, .may_run = false};
    made.expected.containers["app"] = {};
    return made;
}

Workload WorkloadSource::next() {
    using Make = Workload (WorkloadSource::*)();
    static constexpr std::array<std::pair<unsigned, Make>, 13> kKinds{{{20, &WorkloadSource::stopped_by_service},
                                                                       {20, &WorkloadSource::ends_by_itself},
                                                                       {10, &WorkloadSource::with_sidecar},
                                                                       {10, &WorkloadSource::with_init},
                                                                       {6, &WorkloadSource::with_health},
                                                                       {8, &WorkloadSource::with_volumes},
                                                                       {8, &WorkloadSource::with_ports},
                                                                       {4, &WorkloadSource::restarted},
                                                                       {2, &WorkloadSource::without_image},
                                                                       {4, &WorkloadSource::not_created},
                                                                       {3, &WorkloadSource::not_started},
                                                                       {6, &WorkloadSource::stopped_at_once},
                                                                       {2, &WorkloadSource::refused}}};
    unsigned total = 0;
    for (const auto& [weight, make] : kKinds) total += weight;
    auto draw = static_cast<unsigned>(below(total));
    std::size_t kind = 0;
    while (draw >= kKinds[kind].first) draw -= kKinds[kind++].first;
    Workload made = (this->*kKinds[kind].second)();
    std::array<char, 33> id{};
    std::snprintf(id.data(), id.size(), "%016llx%016llx", static_cast<unsigned long long>(options_.seed),
                  static_cast<unsigned long long>(++serial_));
    made.task["arn"] = "arn:aws:ecs:us-west-2:123456789012:task/" + options_.cluster + "/" + id.data();
    made.task["family"] = "soak";
    made.task["version"] = "1";
    made.task["desiredStatus"] = "RUNNING";
    made.task["networkMode"] = "bridge";
    return made;
}

}  // namespace nodeagent::soak
