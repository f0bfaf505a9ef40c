#include "agent/engine/status_log.hpp"

#include <string>

#include "agent/base/log.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::engine {

namespace {

void note(const core::TaskState& task, const std::string& container, std::string what, WallTime when,
          EventLog& events) {
    if (container.empty()) {
        log::info(what, {{"task", task.arn}});
    } else {
        log::info(what, {{"task", task.arn}, {"container", container}});
    }
    events.add({.when = when, .task_arn = task.arn, .container = container, .what = std::move(what)});
}

template <class Status>
std::string arrow(Status before, Status after) {
    return std::string(model::to_string(before)) + " -> " + std::string(model::to_string(after));
}

}  // namespace

void note_status_changes(const core::TaskState& before, const core::TaskState& after, WallTime when, EventLog& events) {
    for (const core::ContainerState& container : after.containers) {
        const core::ContainerState* old = before.find(container.name);
        if (old == nullptr) continue;
        if (!old->error && container.error) note(after, container.name, core::to_text(*container.error), when, events);
        if (old->known != container.known) {
            std::string what = arrow(old->known, container.known);
            if (container.known == core::ContainerStatus::Stopped && container.exit_code) {
                what += ", exit code " + std::to_string(*container.exit_code);
            }
            note(after, container.name, std::move(what), when, events);
        }
        if (!old->oom_noted && container.oom_noted) {
            note(after, container.name, "the kernel killed a process for memory", when, events);
        }
        if (old->restarts.count != container.restarts.count) {
            note(after, container.name, "restart " + std::to_string(container.restarts.count) + " by its policy", when,
                 events);
        }
    }
    if (before.desired != after.desired) {
        note(after, {}, "desired " + arrow(before.desired, after.desired), when, events);
    }
    if (before.known != after.known) {
        std::string what = arrow(before.known, after.known);
        if (after.known == core::TaskStatus::Stopped && !after.stop_reason.empty()) what += ": " + after.stop_reason;
        note(after, {}, std::move(what), when, events);
    }
}

}  // namespace nodeagent::engine
