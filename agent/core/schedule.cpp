#include "agent/core/schedule.hpp"

#include <algorithm>

#include "agent/core/container_facts.hpp"
#include "agent/core/dependencies.hpp"

namespace nodeagent::core {

namespace {

using std::chrono::nanoseconds;

/// Spreads tasks over `spread`; the same task always gets the same share, so that replanning does not move its timer.
nanoseconds jitter(const TaskState& task, const Settings& settings, nanoseconds spread) {
    if (spread.count() <= 0) return nanoseconds(0);
    std::uint64_t hash = 0xcbf29ce484222325ULL ^ settings.jitter_seed;  // FNV-1a
    for (const char c : task.arn) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return nanoseconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(spread.count())));
}

SteadyTime on_steady_clock(WallTime when, const Instant& now) {
    return now.steady + std::chrono::duration_cast<SteadyTime::duration>(when - now.wall);
}

bool exists_in_runtime(const ContainerState& container) {
    return container.known < ContainerStatus::Stopped && !container.runtime_id.empty();
}

void poll(TaskState& task, bool blocked, const Instant& now, const Settings& settings, std::vector<Action>& actions) {
    const bool anything_to_see = std::any_of(task.containers.begin(), task.containers.end(), exists_in_runtime);
    if (task.known == TaskStatus::Stopped || (!anything_to_see && !blocked)) {
        task.poll_at.reset();
        return;
    }
    const nanoseconds steady = settings.steady_poll + jitter(task, settings, settings.steady_poll / 10);
    const SteadyTime next =
        now.steady + std::chrono::duration_cast<SteadyTime::duration>(blocked ? nanoseconds(kRetryDelay) : steady);
    const bool due = task.poll_at && task.fast_poll == blocked && now.steady >= *task.poll_at;
    if (due && anything_to_see) actions.emplace_back(InspectContainers{});
    if (due || !task.poll_at || task.fast_poll != blocked) task.poll_at = next;
    task.fast_poll = blocked;
}

/// Returns when the cleanup wait ends; nothing once there is no more to wait for than an acknowledgement or a result.
std::optional<SteadyTime> clean_up(TaskState& task, const Instant& now, const Settings& settings,
                                   std::vector<Action>& actions) {
    if (task.known != TaskStatus::Stopped || task.cleanup != CleanUpStage::NotYet) return std::nullopt;
    if (!task.clean_up_at) {
        const nanoseconds wait = settings.cleanup_wait + jitter(task, settings, settings.cleanup_jitter);
        // an end in the future: the clock was set back while the agent was not there
        const WallTime ended = std::min(task.known_at.value_or(now.wall), now.wall);
        task.clean_up_at = on_steady_clock(ended + std::chrono::duration_cast<WallTime::duration>(wait), now);
    }
    if (now.steady < *task.clean_up_at) return task.clean_up_at;
    // Unlike the reference, which gives up after three days, this waits for ECS as long as it takes.
    if (task.sent != TaskStatus::Stopped || anything_in_flight(task)) return std::nullopt;
    task.cleanup = CleanUpStage::Running;
    // The traces show that a stopped task's role still answers; both go with the task.
    if (!task.credentials_id.empty()) actions.emplace_back(ForgetCredentials{task.credentials_id});
    if (!task.execution_credentials_id.empty()) actions.emplace_back(ForgetCredentials{task.execution_credentials_id});
    actions.emplace_back(CleanUp{});
    return std::nullopt;
}

}  // namespace

bool anything_in_flight(const TaskState& task) {
    return std::any_of(task.containers.begin(), task.containers.end(),
                       [](const auto& c) { return c.applied != ContainerStatus::None; }) ||
           std::any_of(task.resources.begin(), task.resources.end(), [](const auto& r) { return r.in_flight; });
}

void schedule(TaskState& task, bool blocked, const Instant& now, const Settings& settings,
              std::vector<Action>& actions) {
    poll(task, blocked, now, settings, actions);
    std::optional<SteadyTime> earliest = clean_up(task, now, settings, actions);
    const auto also_at = [&](std::optional<SteadyTime> when) {
        if (when && (!earliest || *when < *earliest)) earliest = when;
    };
    also_at(task.poll_at);
    for (const ContainerState& container : task.containers) also_at(container.stop_again_at);
    if (const std::optional<WallTime> timeout = next_start_timeout(task); timeout && *timeout >= now.wall) {
        also_at(on_steady_clock(*timeout, now) + std::chrono::milliseconds(1));  // it is over just after that moment
    }
    // A timer that comes too early does no harm; one that is wanted later is asked for when it has come.
    if (!earliest || (task.wake_at && *task.wake_at <= *earliest)) return;
    task.wake_at = earliest;
    actions.emplace_back(WakeAt{*earliest});
}

}  // namespace nodeagent::core
