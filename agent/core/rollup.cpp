#include "agent/core/rollup.hpp"

#include <algorithm>

#include "agent/core/internal_containers.hpp"
#include "agent/core/stop_reason.hpp"
#include "agent/core/transitions.hpp"

namespace nodeagent::core {

namespace {

bool any_essential_stopped(const TaskState& task) {
    return std::any_of(task.containers.begin(), task.containers.end(),
                       [](const auto& c) { return c.essential && c.known == ContainerStatus::Stopped; });
}

/// The runtime's own word for the moment, if it is one that may be; it may have been long before it was noticed.
WallTime first_essential_end(const TaskState& task, WallTime now) {
    WallTime first = now;
    for (const ContainerState& container : task.containers) {
        const bool told = container.essential && container.known == ContainerStatus::Stopped && container.finished_at;
        if (told && (!container.started_at || *container.finished_at >= *container.started_at)) {
            first = std::min(first, *container.finished_at);
        }
    }
    return first;
}

void raise_known(TaskState& task, const Instant& now) {
    if (task.containers.empty()) return;
    const auto least =
        std::min_element(task.containers.begin(), task.containers.end(),
                         [](const auto& a, const auto& b) { return as_task_status(a) < as_task_status(b); });
    const TaskStatus status = as_task_status(*least);
    // The rest still runs, but is about to be stopped: a task that never was RUNNING does not become it now.
    if (status == TaskStatus::Running && any_essential_stopped(task)) return;
    if (task.known >= status) return;
    task.known = status;
    task.known_at = now.wall;
}

/// Internal containers are never reported: what goes wrong with one is said as the task's reason, or nobody learns it.
void note_internal_failure(TaskState& task) {
    if (!task.stop_reason.empty()) return;
    for (const ContainerState& container : task.containers) {
        if (!is_internal(container)) continue;
        if (container.known != ContainerStatus::Stopped && container.desired != ContainerStatus::Stopped) continue;
        task.stop_reason = container.error ? to_text(*container.error)
                                           : "container " + container.name + ", which the task depends on, has ended";
        return;
    }
}

ResourceStatus as_resource_status(TaskStatus desired) {
    if (desired == TaskStatus::Stopped) return ResourceStatus::Removed;
    return desired >= TaskStatus::Created ? ResourceStatus::Created : ResourceStatus::None;
}

bool reportable(const ContainerState& container) {
    if (is_internal(container)) return false;
    switch (container.known) {
        case ContainerStatus::ManifestPulled: return digest_was_resolved(container);
        case ContainerStatus::Running:
        case ContainerStatus::Stopped: return true;
        default: return false;
    }
}

bool reportable(const TaskState& task) {
    switch (task.known) {
        case TaskStatus::ManifestPulled:
            return std::any_of(task.containers.begin(), task.containers.end(), digest_was_resolved);
        case TaskStatus::Running:
        case TaskStatus::Stopped: return true;
        default: return false;
    }
}

}  // namespace

void roll_up(TaskState& task, const Instant& now) {
    raise_known(task, now);
    const bool essential_ends = std::any_of(task.containers.begin(), task.containers.end(), [](const auto& c) {
        return c.essential && (c.known == ContainerStatus::Stopped || c.desired == ContainerStatus::Stopped);
    });
    if (essential_ends && task.desired != TaskStatus::Stopped) {
        task.desired = TaskStatus::Stopped;
        note_internal_failure(task);
    }
    if (!task.execution_stopped_at && !task.rejected && any_essential_stopped(task))
        task.execution_stopped_at = first_essential_end(task, now.wall);
    for (ContainerState& container : task.containers) {
        container.desired = std::max(container.desired, as_container_status(task.desired, container.kind));
    }
    for (ResourceState& resource : task.resources) {
        resource.desired = std::max(resource.desired, as_resource_status(task.desired));
    }
}

bool digest_was_resolved(const ContainerState& container) {
    return !container.image_digest.empty() && container.definition->image.find('@') == std::string::npos;
}

std::vector<Action> take_due_reports(TaskState& task, const Settings& settings) {
    std::vector<Action> reports;
    for (ContainerState& container : task.containers) {
        if (task.rejected || !reportable(container)) continue;
        if (std::max(container.sent, container.offered) >= container.known) continue;
        container.offered = container.known;
        reports.push_back(ReportContainer{{.task_arn = task.arn,
                                           .container_name = container.name,
                                           .status = container.known,
                                           .reason = container.error ? to_text(*container.error) : std::string(),
                                           .exit_code = container.exit_code,
                                           .runtime_id = container.runtime_id,
                                           .image_digest = container.image_digest,
                                           .network_bindings = network_bindings(container, settings)}});
    }
    if (reportable(task) && std::max(task.sent, task.offered) < task.known) {
        task.offered = task.known;
        reports.push_back(ReportTask{{.task_arn = task.arn,
                                      .status = task.known,
                                      .reason = task.known == TaskStatus::Stopped ? task.stop_reason : std::string(),
                                      .pull_started_at = task.pull_started_at,
                                      .pull_stopped_at = task.pull_stopped_at,
                                      .execution_stopped_at = task.execution_stopped_at}});
    }
    return reports;
}

}  // namespace nodeagent::core
