#include "agent/core/container_facts.hpp"

#include <algorithm>

#include "agent/core/internal_containers.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::core {

SteadyTime steady_of(WallTime past, const Instant& now) {
    // a saved or foreign time may be any; 146 years ago is as long ago as it gets
    const WallTime longest_ago = now.wall - WallTime::duration::max() / 2;
    const auto ago = now.wall - std::clamp(past, longest_ago, now.wall);
    return now.steady - std::chrono::duration_cast<SteadyTime::duration>(ago);
}

void anchor_times(ContainerState& container, const Instant& now) {
    if (!container.started && container.started_at) container.started = steady_of(*container.started_at, now);
    RestartTracker& restarts = container.restarts;
    if (!restarts.last_restart && restarts.last_restart_at) {
        restarts.last_restart = steady_of(*restarts.last_restart_at, now);
    }
}

namespace {

using Phase = Observation::Phase;
using S = ContainerStatus;

constexpr int kKilled = 137;  // 128 + SIGKILL

void note_health(ContainerState& container, const Observation& seen, const Instant& now) {
    if (!seen.health || container.definition->health_check_type != "docker") return;
    if (container.health.status == *seen.health) return;  // `since` is the time of the change
    container.health.status = *seen.health;
    container.health.since = now.wall;
    container.health.output = seen.health_output;
    container.health.exit_code = *seen.health == HealthStatus::Unhealthy ? seen.health_exit_code : std::nullopt;
}

/// Everything but status, exit and times of the end. Labels, ports and the first start are taken once.
void merge(ContainerState& container, const Observation& seen, const Instant& now) {
    if (container.runtime_id.empty()) container.runtime_id = seen.runtime_id;
    if (!seen.image_id.empty() && !is_internal(container)) container.image_id = seen.image_id;
    if (seen.created_at) container.created_at = seen.created_at;
    if (!container.started_at && seen.started_at) container.started_at = seen.started_at;
    if (container.labels.empty()) container.labels = seen.labels;
    if (container.port_bindings.empty()) container.port_bindings = seen.ports;
    if (!seen.networks.empty()) {
        container.networks = seen.networks;
        container.network_known = true;
    }
    if (!seen.volumes.empty()) container.volumes = seen.volumes;
    container.pid = seen.phase == Phase::Running ? seen.pid : 0;
    anchor_times(container, now);
    note_health(container, seen, now);
}

/// True if the policy undoes this end. task-engine.md 1.7.
bool restart_wanted(const ContainerState& container, const Observation& seen, const Instant& now) {
    const std::optional<model::RestartPolicy>& policy = container.definition->restart_policy;
    if (!policy || !policy->enabled || container.desired == S::Stopped || !seen.exit_code) return false;
    const auto& ignored = policy->ignored_exit_codes;
    if (std::find(ignored.begin(), ignored.end(), *seen.exit_code) != ignored.end()) return false;
    const std::chrono::seconds period(policy->restart_attempt_period);
    const std::optional<SteadyTime> since =
        container.restarts.last_restart ? container.restarts.last_restart : container.started;
    if (since) return now.steady - *since >= period;
    return seen.started_at ? now.steady - steady_of(*seen.started_at, now) >= period : period.count() <= 0;
}

void begin_restart(ContainerState& container, const Observation& seen, const Instant& now,
                   std::vector<Action>& actions) {
    const Ending ending = ending_of(container, seen);
    container.pending_exit = PendingExit{ending.exit_code, ending.finished_at, ending.error};
    container.restarted_exit = ending.finished_at;
    container.restarts.count += 1;
    container.restarts.last_restart_at = now.wall;
    container.restarts.last_restart = now.steady;
    container.known = S::Running;
    container.applied = S::Running;
    container.start_uncertain = true;
    container.oom_noted = false;
    container.pid = 0;
    container.metadata_file_ready = false;
    actions.emplace_back(StartContainer{container.name});
}

void ended(ContainerState& container, const Observation& seen, bool may_restart, const Instant& now,
           std::vector<Action>& actions) {
    if (container.known == S::Stopped) {
        if (container.runtime_id.empty()) container.runtime_id = seen.runtime_id;
        // kept current so that an older "running" is recognised as late word
        if (seen.finished_at && (!container.finished_at || *seen.finished_at > *container.finished_at)) {
            container.finished_at = seen.finished_at;
        }
        return;
    }
    if (container.restarted_exit && seen.finished_at && *seen.finished_at == *container.restarted_exit) return;
    const auto& policy = container.definition->restart_policy;
    const bool starting = container.applied == S::Running && container.desired != S::Stopped;
    // One that ended without having started is what an earlier, interrupted start left behind.
    const bool of_another_start = starting && !seen.started_at;
    if (container.pending_exit || of_another_start || (starting && policy && policy->enabled)) {
        container.recheck = true;  // looked at again when the start comes back
        return;
    }
    merge(container, seen, now);
    if (may_restart && restart_wanted(container, seen, now)) {
        begin_restart(container, seen, now, actions);
        return;
    }
    mark_stopped(container, ending_of(container, seen));
}

/// A container that counts as stopped runs: somebody started it. It is stopped again, once for each such start.
void came_back(ContainerState& container, const Observation& seen) {
    const bool late_word = container.finished_at && seen.started_at && *seen.started_at <= *container.finished_at;
    if (late_word || container.applied != S::None) return;
    if (container.runtime_id.empty()) container.runtime_id = seen.runtime_id;
    container.came_back = true;
}

}  // namespace

void note_error(ContainerState& container, const std::optional<NamedError>& error) {
    if (error && !container.error && container.known != S::Stopped) container.error = error;
}

Ending ending_of(const ContainerState& container, const Observation& seen) {
    Ending ending{seen.exit_code, seen.finished_at, std::nullopt};
    const bool killed_for_memory = container.oom_noted && seen.exit_code == kKilled && container.desired != S::Stopped;
    if (seen.oom_killed || killed_for_memory) {
        ending.error = out_of_memory();
    } else if (!seen.runtime_error.empty()) {
        ending.error = docker_state(seen.runtime_error);
    }
    return ending;
}

void mark_stopped(ContainerState& container, const Ending& ending) {
    note_error(container, ending.error);
    if (ending.error) container.desired = S::Stopped;
    if (ending.exit_code) container.exit_code = ending.exit_code;
    if (ending.finished_at) container.finished_at = ending.finished_at;
    container.known = S::Stopped;
    container.start_uncertain = false;
    container.pending_exit.reset();
    container.recheck = false;
    container.stop_again_at.reset();
    container.pid = 0;
}

void observe(ContainerState& container, const Observation& seen, bool may_restart, const Instant& now,
             std::vector<Action>& actions) {
    const bool another =
        !container.runtime_id.empty() && !seen.runtime_id.empty() && container.runtime_id != seen.runtime_id;
    if (another) return;
    switch (seen.phase) {
        case Phase::Created:
            if (container.known == S::Stopped && container.runtime_id.empty()) container.runtime_id = seen.runtime_id;
            if (container.known > S::Created) return;
            container.known = S::Created;
            merge(container, seen, now);
            return;
        case Phase::Running:
            if (container.known == S::Stopped) return came_back(container, seen);
            container.known = std::max(container.known, S::Running);
            container.start_uncertain = false;
            merge(container, seen, now);
            return;
        case Phase::Stopped: return ended(container, seen, may_restart, now, actions);
    }
}

void start_returned(ContainerState& container, const ContainerStarted& result, const Instant& now,
                    std::vector<Action>& actions) {
    container.applied = S::None;
    const bool look_again = std::exchange(container.recheck, false);
    if (container.known == S::Stopped) {
        if (result.seen) observe(container, *result.seen, false, now, actions);
        return;
    }
    const std::optional<PendingExit> undone = std::exchange(container.pending_exit, std::nullopt);
    const bool runs = result.seen && result.seen->phase == Phase::Running;
    if (result.error && !runs) {
        if (undone) {  // the restart did not happen: the end stands as it was
            mark_stopped(container, {undone->exit_code, undone->finished_at, undone->error});
            return;
        }
        note_error(container, result.error);
        container.desired = S::Stopped;
        container.start_uncertain = start_may_have_happened(*result.error);
        if (result.seen) observe(container, *result.seen, false, now, actions);
        return;
    }
    if (result.error) {
        note_error(container, result.error);
        if (!undone) container.desired = S::Stopped;  // it runs in spite of the error, and is stopped for it
    }
    container.known = S::Running;
    container.start_uncertain = false;
    if (result.seen) observe(container, *result.seen, true, now, actions);
    if (container.known == S::Running && !container.started_at) container.started_at = now.wall;
    anchor_times(container, now);
    const bool restarting_again = container.applied == S::Running;
    if (look_again && container.known == S::Running && !restarting_again) actions.emplace_back(InspectContainers{});
}

void stop_returned(ContainerState& container, const ContainerStopDone& result, const Instant& now,
                   std::vector<Action>& actions) {
    container.applied = S::None;
    const bool unreachable = result.error && !result.seen;
    if (container.known == S::Stopped) {  // its end is told already
        // A second end, of a container that had come back, moves only the time before which "running" is late word.
        if (std::exchange(container.came_back, false) && !unreachable) {
            container.finished_at = result.seen && result.seen->finished_at ? result.seen->finished_at : now.wall;
        }
        return;
    }
    if (unreachable) {
        container.stop_again_at = now.steady + kRetryDelay;
        return;
    }
    if (result.seen && result.seen->phase == Phase::Stopped) {
        observe(container, *result.seen, false, now, actions);
        // an end that a restart had undone is not the end of this run, but the container does not run any more
        if (container.known != S::Stopped) mark_stopped(container, ending_of(container, *result.seen));
        return;
    }
    if (!result.error && result.seen && result.seen->phase == Phase::Running) {
        observe(container, *result.seen, false, now, actions);  // somebody started it again at once
        container.stop_again_at = now.steady + kRetryDelay;
        return;
    }
    mark_stopped(container, {std::nullopt, std::nullopt, result.error});
}

std::chrono::seconds stop_grace(const ContainerState& container, std::chrono::seconds fallback) {
    const std::int64_t own = container.definition->stop_timeout;
    return own > 0 ? std::chrono::seconds(own) : std::max(fallback, std::chrono::seconds(1));
}

}  // namespace nodeagent::core
