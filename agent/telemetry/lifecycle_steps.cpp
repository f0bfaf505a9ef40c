#include "agent/telemetry/lifecycle_steps.hpp"

#include <algorithm>
#include <utility>

#include <prometheus/family.h>

#include "agent/core/task_state.hpp"
#include "agent/telemetry/metrics.hpp"

namespace nodeagent::telemetry {

namespace {

using core::ContainerStatus;
using core::TaskStatus;

const prometheus::Histogram::BucketBoundaries& buckets() {
    static const prometheus::Histogram::BucketBoundaries bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                                2.5,   5,    10,    30,   60,  120,  300, 600};
    return bounds;
}

/// The step that ends when a container reaches the status; null: none that is measured.
const char* step_to(ContainerStatus status) {
    switch (status) {
        case ContainerStatus::Pulled: return "pulled";
        case ContainerStatus::Created: return "created";
        case ContainerStatus::Running: return "running";
        default: return nullptr;
    }
}

template <class State, class Status>
bool reached(Status State::*member, Status status, const State& before, const State& after) {
    return before.*member < status && after.*member >= status;
}

}  // namespace

void LifecycleSteps::Steps::observe(const char* step, const Seen& since, SteadyTime now) {
    if (!since) return;
    prometheus::Histogram*& histogram = known_[step];
    if (histogram == nullptr) histogram = &family_.Add({{"step", step}}, buckets());
    histogram->Observe(std::chrono::duration<double>(now - *since).count());
}

LifecycleSteps::LifecycleSteps()
    : container_steps_(
          prometheus::BuildHistogram().Name(kContainerSteps.name).Help(kContainerSteps.help).Register(registry_)),
      task_steps_(prometheus::BuildHistogram().Name(kTaskSteps.name).Help(kTaskSteps.help).Register(registry_)) {}

void LifecycleSteps::accepted(const core::TaskState& task, SteadyTime now) {
    TaskTimes& times = tasks_[task.arn];
    times = TaskTimes{};
    times.accepted = now;
    times.containers.assign(task.containers.size(), ContainerTimes{.step_begun = now, .stop_wanted = {}});
}

void LifecycleSteps::changed(const core::TaskState& before, const core::TaskState& after, SteadyTime now) {
    TaskTimes& times = tasks_[after.arn];
    times.containers.resize(after.containers.size());
    for (std::size_t i = 0; i < std::min(before.containers.size(), after.containers.size()); ++i) {
        const core::ContainerState& old = before.containers[i];
        const core::ContainerState& container = after.containers[i];
        ContainerTimes& known = times.containers[i];
        if (reached(&core::ContainerState::known, ContainerStatus::Stopped, old, container)) {
            // of one that ended by itself nobody wanted it before
            if (old.known >= ContainerStatus::Running) container_steps_.observe("stopped", known.stop_wanted, now);
            known.step_begun.reset();
        } else if (const char* step = step_to(container.known); step != nullptr && old.known < container.known) {
            container_steps_.observe(step, std::exchange(known.step_begun, now), now);
        }
        if (reached(&core::ContainerState::desired, ContainerStatus::Stopped, old, container)) known.stop_wanted = now;
    }
    task_changed(times, before, after, now);
}

void LifecycleSteps::task_changed(TaskTimes& times, const core::TaskState& before, const core::TaskState& after,
                                  SteadyTime now) {
    const auto rose = [&](TaskStatus core::TaskState::*member, TaskStatus status) {
        return reached(member, status, before, after);
    };
    const bool ends = rose(&core::TaskState::known, TaskStatus::Stopped);
    if (rose(&core::TaskState::known, TaskStatus::Running) && !ends) {
        task_steps_.observe("running", std::exchange(times.accepted, std::nullopt), now);
        times.running = now;
    }
    if (ends) {
        task_steps_.observe("stopped", times.stop_wanted, now);
        times.stopped = now;
    }
    if (rose(&core::TaskState::desired, TaskStatus::Stopped)) times.stop_wanted = now;
    if (rose(&core::TaskState::sent, TaskStatus::Stopped)) {
        task_steps_.observe("stopped_acknowledged", times.stopped, now);
    } else if (rose(&core::TaskState::sent, TaskStatus::Running)) {
        task_steps_.observe("running_acknowledged", times.running, now);
    }
}

void LifecycleSteps::gone(const std::string& task_arn) { tasks_.erase(task_arn); }

}  // namespace nodeagent::telemetry
