#include "agent/core/fold.hpp"

#include <algorithm>

#include "agent/core/container_facts.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/rollup.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::core {

namespace {

using S = ContainerStatus;

/// One overload per fact: a fact without one does not compile. A result is taken only while its work is in flight;
/// afterwards it is late or a repetition, and only what it observed counts.
struct Fold {
    TaskState& task;
    const Instant& now;
    const Settings& settings;
    std::vector<Action>& actions;

    void operator()(const Resumed&) const {
        forget_fetched(task);
        for (ContainerState& container : task.containers) anchor_times(container, now);
        if (!std::exchange(task.resumed, true)) return;  // a task just made or read has no marks yet
        task.offered = TaskStatus::None;
        task.acquiring = false;
        task.cleanup = CleanUpStage::NotYet;
        task.fast_poll = false;
        task.poll_at.reset();
        task.wake_at.reset();
        for (ContainerState& container : task.containers) {
            container.applied = S::None;
            container.offered = S::None;
            container.pending_exit.reset();
            container.recheck = false;
            container.came_back = false;
            container.stop_again_at.reset();
            container.metadata_file_writing.reset();
        }
        for (ResourceState& resource : task.resources) resource.in_flight = false;
    }

    void operator()(const DesiredChanged& change) const {
        if (change.desired == TaskStatus::Stopped && task.desired != TaskStatus::Stopped) task.stop_asked = true;
        task.desired = std::max(task.desired, change.desired);
    }

    void operator()(const HostResourcesGranted&) const {
        if (std::exchange(task.acquiring, false)) task.resources_consumed = true;
    }

    void operator()(const HostResourcesRefused& refusal) const {
        if (std::exchange(task.acquiring, false)) stop_task(refusal.reason);
    }

    void operator()(const ResourceSettled& result) const {
        const auto resource = std::find_if(task.resources.begin(), task.resources.end(),
                                           [&](const ResourceState& r) { return r.name == result.name; });
        if (resource == task.resources.end() || !resource->in_flight) return;
        resource->in_flight = false;
        if (!result.error) {
            resource->known = std::max(resource->known, result.status);
        } else if (result.rejects_task && task.known == TaskStatus::None) {
            reject(result.stop_reason);
        } else {
            std::string reason = result.stop_reason;
            if (reason.empty() && resource->kind == ResourceState::Kind::Cgroup) reason = kCgroupFailed;
            if (reason.empty() && resource->kind == ResourceState::Kind::DockerVolume) reason = kVolumeFailed;
            if (reason.empty()) reason = result.error->message;
            stop_task(terminal_reason(reason));
        }
    }

    void operator()(const ManifestResolved& result) const {
        ContainerState* container = returned(result.container, S::ManifestPulled);
        if (container == nullptr || container->known >= S::ManifestPulled) return;
        container->known = S::ManifestPulled;
        container->image_digest = result.digest;
        if (result.error) pull_failed(*container, *result.error);
    }

    void operator()(const PullBegan&) const {
        if (!task.pull_started_at) task.pull_started_at = now.wall;
    }

    void operator()(const ImagePulled& result) const {
        ContainerState* container = returned(result.container, S::Pulled);
        if (container == nullptr) return;
        if (result.pulled) task.pull_stopped_at = now.wall;
        if (!result.image_id.empty()) container->image_id = result.image_id;
        if (container->known >= S::Pulled) return;
        container->known = S::Pulled;
        if (!result.error) return;
        if (is_internal(*container)) return give_up(*container, *result.error);
        pull_failed(*container, *result.error);
        const bool nothing_cached = result.image_id.empty() && settings.pull_behavior != PullBehavior::Always;
        if (settings.pull_dependents_upfront && nothing_cached && container->essential)
            stop_task(to_text(*result.error));
    }

    void operator()(const PortsAssigned& result) const {
        ContainerState* container = task.find(result.container);
        // with ports assigned, the work in flight is the create that followed
        if (container == nullptr || container->applied != S::Created || !container->port_assignments.empty()) return;
        container->applied = S::None;
        if (container->known >= S::Created) return;
        container->port_assignments = result.ports;
        std::optional<NamedError> error = result.error;
        if (!error && result.ports.empty()) error = NamedError{std::string(kHostConfig), "no host port was assigned"};
        if (error) give_up(*container, *error);
    }

    void operator()(const ContainerCreated& result) const {
        ContainerState* container = task.find(result.container);
        if (container == nullptr) return;
        const bool awaited = container->applied == S::Created && !assigning_ports(*container);
        if (awaited) container->applied = S::None;
        if (container->runtime_id.empty()) container->runtime_id = result.runtime_id;
        if (awaited && container->known < S::Created) {
            if (result.error) return give_up(*container, *result.error);
            container->known = S::Created;
        }
        if (result.seen && !result.error) observe(*container, *result.seen, true, now, actions);
    }

    void operator()(const ContainerStarted& result) const {
        ContainerState* container = task.find(result.container);
        if (container == nullptr) return;
        if (container->applied == S::Running) {
            start_returned(*container, result, now, actions);
        } else if (result.seen) {
            observe(*container, *result.seen, true, now, actions);
        }
    }

    void operator()(const ContainerStopDone& result) const {
        ContainerState* container = task.find(result.container);
        if (container == nullptr) return;
        if (container->applied == S::Stopped) {
            stop_returned(*container, result, now, actions);
        } else if (result.seen) {
            observe(*container, *result.seen, true, now, actions);
        }
    }

    void operator()(const MetadataFileWritten& fact) const {
        ContainerState* container = task.find(fact.container);
        if (container == nullptr || container->metadata_file_writing != fact.run) return;
        container->metadata_file_writing.reset();
        // the restart policy may have started it again meanwhile, with another address
        if (fact.written && fact.run == container->restarts.count) container->metadata_file_ready = true;
    }

    void operator()(const ContainerObserved& fact) const {
        ContainerState* container = task.find(fact.container);
        if (container != nullptr && !task.rejected) observe(*container, fact.seen, !fact.at_restore, now, actions);
    }

    void operator()(const ContainerVanished& fact) const {
        ContainerState* container = task.find(fact.container);
        if (container == nullptr || container->known == S::Stopped) return;
        if (container->runtime_id.empty() || container->known < S::Created) return;  // its create is still to come
        Ending ending{std::nullopt, std::nullopt, vanished()};
        if (container->pending_exit) ending.exit_code = container->pending_exit->exit_code;
        mark_stopped(*container, ending);
    }

    void operator()(const OutOfMemoryNoted& fact) const {
        ContainerState* container = task.find(fact.container);
        if (container != nullptr && container->known != S::Stopped) container->oom_noted = true;
    }

    void operator()(const ExecutionCredentialsArrived&) const { task.execution_credentials_known = true; }

    void operator()(const CredentialsRenewed& fact) const {
        if (fact.credentials_id.empty()) return;
        (fact.execution_role ? task.execution_credentials_id : task.credentials_id) = fact.credentials_id;
        if (fact.execution_role) task.execution_credentials_known = true;
    }

    void operator()(const SentAcknowledged& fact) const {
        if (!fact.ack.refused.empty()) {  // of an earlier status nobody waits; what comes after it is offered anew
            if (task.known == TaskStatus::Stopped && fact.ack.task_status == TaskStatus::Stopped)
                task.end_refused = true;
            return;
        }
        if (fact.ack.task_status) task.sent = std::max(task.sent, std::min(*fact.ack.task_status, task.known));
        for (const auto& [name, status] : fact.ack.containers) {
            ContainerState* container = task.find(name);
            if (container != nullptr) container->sent = std::max(container->sent, std::min(status, container->known));
        }
    }

    // Whatever timer this was: a new one is asked for if there is still something to wait for.
    void operator()(const Woken&) const { task.wake_at.reset(); }

    void operator()(const CleanedUp&) const {
        if (task.cleanup == CleanUpStage::Running) task.cleanup = CleanUpStage::Done;
    }

  private:
    /// The container whose `step` was in flight, which it no longer is; nullptr if it was not.
    [[nodiscard]] ContainerState* returned(const std::string& name, ContainerStatus step) const {
        ContainerState* container = task.find(name);
        if (container == nullptr || container->applied != step) return nullptr;
        container->applied = S::None;
        return container;
    }

    [[nodiscard]] static bool assigning_ports(const ContainerState& container) {
        return container.port_assignments.empty() && !container.definition->port_mappings.empty();
    }

    void stop_task(const std::string& reason) const {
        task.desired = TaskStatus::Stopped;
        if (task.stop_reason.empty()) task.stop_reason = reason;
    }

    /// The status is reached all the same: with the default behaviours a cached image may do.
    void pull_failed(ContainerState& container, const NamedError& error) const {
        note_error(container, error);
        const bool fatal =
            settings.pull_behavior == PullBehavior::Always || settings.pull_behavior == PullBehavior::Once;
        if (fatal) task.desired = TaskStatus::Stopped;
    }

    static void give_up(ContainerState& container, const NamedError& error) {
        note_error(container, error);
        container.desired = S::Stopped;
    }

    void reject(const std::string& reason) const {
        task.rejected = true;
        stop_task(reason);
        for (ContainerState& container : task.containers) container.known = container.desired = S::Stopped;
    }
};

}  // namespace

void fold(TaskState& task, const Event& event, const Instant& now, const Settings& settings,
          std::vector<Action>& actions) {
    std::visit(Fold{task, now, settings, actions}, event);
    roll_up(task, now);
}

}  // namespace nodeagent::core
