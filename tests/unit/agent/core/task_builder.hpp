#pragma once
// Small tasks for the tests of the core, and a host that answers its actions.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/from_payload.hpp"
#include "agent/core/step.hpp"

namespace nodeagent::core::testing {

inline const std::string kArn = "arn:aws:ecs:us-west-2:123456789012:task/c/0123456789abcdef0123456789abcdef";
inline const Instant kNow{SteadyTime(std::chrono::hours(100)), WallTime(std::chrono::seconds(1'700'000'000))};

inline Instant later(std::chrono::nanoseconds by, Instant from = kNow) {
    const auto step = std::chrono::duration_cast<SteadyTime::duration>(by);
    return {from.steady + step, from.wall + std::chrono::duration_cast<WallTime::duration>(by)};
}

inline model::Container container(std::string name, bool essential = true) {
    model::Container c;
    c.image = "img:" + name;
    c.name = std::move(name);
    c.essential = essential;
    c.cpu = 10;
    c.memory = 64;
    return c;
}
inline model::Container sidecar(std::string name) { return container(std::move(name), false); }

inline NamedError error(std::string_view name, std::string message) { return {std::string(name), std::move(message)}; }

inline model::Container with_dependency(model::Container c, std::string on, std::string condition) {
    c.depends_on.push_back({std::move(on), std::move(condition)});
    return c;
}
inline model::Container with_restarts(model::Container c, std::int64_t period = 0,
                                      std::vector<std::int64_t> ignored = {}) {
    c.restart_policy = model::RestartPolicy{true, std::move(ignored), period};
    return c;
}

inline model::Task payload_of(std::vector<model::Container> containers) {
    model::Task task;
    task.arn = kArn;
    task.family = "fam";
    task.version = "1";
    task.desired_status = "RUNNING";
    task.containers = std::move(containers);
    return task;
}

inline Identity counted_identity() {
    auto next = std::make_shared<int>(0);
    return {.uuid = [next] { return "uuid-" + std::to_string(++*next); },
            .container_name = [](const model::Task& t, const std::string& c) { return "ecs-" + t.family + "-" + c; },
            .volume_name = [](const model::Task& t, const std::string& v) { return "ecs-" + t.family + "-" + v; }};
}

inline boost::system::result<TaskState, Rejection> accepted(model::Task payload,
                                                            AcceptanceRules rules = {.task_limits = false}) {
    return from_payload(std::make_shared<const model::Task>(std::move(payload)), counted_identity(), rules);
}
inline TaskState task_of(std::vector<model::Container> containers) {
    return *accepted(payload_of(std::move(containers)));
}

inline Observation seen(Observation::Phase phase, const std::string& name,
                        std::optional<int> exit_code = std::nullopt) {
    Observation o;
    o.phase = phase;
    o.runtime_id = "id-" + name;
    o.exit_code = exit_code;
    return o;
}
inline Observation running(const std::string& name) { return seen(Observation::Phase::Running, name); }
inline Observation exited(const std::string& name, int code) { return seen(Observation::Phase::Stopped, name, code); }

/// Everything of type T among the actions.
template <class T>
std::vector<T> all_of(const std::vector<Action>& actions) {
    std::vector<T> found;
    for (const Action& action : actions) {
        if (const T* match = std::get_if<T>(&action)) found.push_back(*match);
    }
    return found;
}
/// Names in the `container` member of all actions of type T.
template <class T>
std::vector<std::string> names_in(const std::vector<Action>& actions) {
    std::vector<std::string> names;
    for (const T& action : all_of<T>(actions)) names.push_back(action.container);
    return names;
}

/// A task and everything it asked for, on a host where all work succeeds at once unless told otherwise.
struct Bench {
    explicit Bench(TaskState state) : task(std::move(state)) {}

    /// One event; the actions it leads to are kept in `last` and `history`, not answered.
    Bench& hear(const Event& event) {
        Outcome outcome = step(task, event, now, settings);
        task = std::move(outcome.state);
        last = std::move(outcome.actions);
        history.insert(history.end(), last.begin(), last.end());
        return *this;
    }

    /// Hears the event, then the successful answers to all that follows from it.
    Bench& run(const Event& event) {
        hear(event);
        std::vector<Action> open = last;
        while (!open.empty()) {
            std::vector<Action> next;
            for (const Action& action : open) {
                for (const Event& answer : answers(action)) {
                    hear(answer);
                    next.insert(next.end(), last.begin(), last.end());
                }
            }
            open = std::move(next);
        }
        return *this;
    }

    Bench& start() { return run(Resumed{}); }
    ContainerState& operator[](std::string_view name) { return *task.find(name); }

    std::vector<model::ContainerStateChange> container_reports() const {
        std::vector<model::ContainerStateChange> changes;
        for (const auto& report : all_of<ReportContainer>(history)) changes.push_back(report.change);
        return changes;
    }
    std::vector<model::TaskStateChange> task_reports() const {
        std::vector<model::TaskStateChange> changes;
        for (const auto& report : all_of<ReportTask>(history)) changes.push_back(report.change);
        return changes;
    }

    std::vector<Event> answers(const Action& action) const {
        if (std::holds_alternative<AcquireHostResources>(action)) return {HostResourcesGranted{}};
        if (const auto* a = std::get_if<CreateResource>(&action))
            return {
                ResourceSettled{.name = a->name, .status = ResourceStatus::Created, .error = {}, .stop_reason = {}}};
        if (const auto* a = std::get_if<ResolveManifest>(&action)) {
            return {manifest ? manifest(a->container) : ManifestResolved{a->container, digest, {}}};
        }
        if (const auto* a = std::get_if<PullImage>(&action)) {
            return {pull ? pull(a->container) : ImagePulled{a->container, "sha256:i", false, {}}};
        }
        if (const auto* a = std::get_if<AssignPorts>(&action))
            return {PortsAssigned{a->container, {{80, 49153, "tcp", 0}}, {}}};
        if (const auto* a = std::get_if<CreateContainer>(&action)) {
            return {create ? create(a->container) : ContainerCreated{a->container, "id-" + a->container, {}, {}}};
        }
        if (const auto* a = std::get_if<StartContainer>(&action)) {
            return {launch ? launch(a->container) : ContainerStarted{a->container, running(a->container), {}}};
        }
        if (const auto* a = std::get_if<StopContainer>(&action))
            return {ContainerStopDone{a->container, exited(a->container, 137), {}}};
        if (std::holds_alternative<CleanUp>(action)) return {CleanedUp{}};
        return {};
    }

    TaskState task;
    Instant now = kNow;
    Settings settings;
    std::string digest;
    std::function<ManifestResolved(const std::string&)> manifest;
    std::function<ImagePulled(const std::string&)> pull;
    std::function<ContainerCreated(const std::string&)> create;
    std::function<ContainerStarted(const std::string&)> launch;
    std::vector<Action> last;
    std::vector<Action> history;
};

inline Bench running_task(std::vector<model::Container> containers) {
    Bench bench(task_of(std::move(containers)));
    bench.start();
    return bench;
}

}  // namespace nodeagent::core::testing
