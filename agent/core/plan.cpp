#include "agent/core/plan.hpp"

#include <algorithm>

#include "agent/core/container_facts.hpp"
#include "agent/core/dependencies.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/host_resources.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/metadata_file.hpp"
#include "agent/core/rollup.hpp"
#include "agent/core/schedule.hpp"
#include "agent/core/stop_reason.hpp"
#include "agent/core/transitions.hpp"

namespace nodeagent::core {

namespace {

using S = ContainerStatus;
using Verdict = Clearance::Verdict;

/// One round of planning over a task.
class Planner {
  public:
    Planner(TaskState& task, const Instant& now, const Settings& settings, std::vector<Action>& actions)
        : task_(task), now_(now), settings_(settings), actions_(actions) {}

    void run() {
        fail_hopeless_containers();
        move_resources();
        if (shared_volumes_settled() && host_admits()) {
            move_containers();
            if (stuck()) resolve_stuck_task();
        }
        stop_what_came_back();
        write_metadata_files();
        settle_end();
        for (Action& report : take_due_reports(task_, settings_)) actions_.push_back(std::move(report));
        schedule(task_, blocked_, now_, settings_, actions_);
    }

  private:
    [[nodiscard]] ClearanceRules rules() const { return {settings_.pull_dependents_upfront, now_}; }

    /// Before anything that never ran is marked STOPPED: what waits for it must still see that it "will never start".
    /// One failure may doom the next, so this goes on until nothing changes.
    void fail_hopeless_containers() {
        for (bool changed = true; changed;) {
            changed = false;
            for (ContainerState& container : task_.containers) {
                if (container.known == S::Stopped || container.desired == S::Stopped) continue;
                Clearance clear = clearance(task_, container, rules());
                if (clear.verdict != Verdict::Failed) continue;
                note_error(container, NamedError{std::string(kCannotStartContainer), std::move(clear.why)});
                container.exit_code = kDependencyExitCode;
                container.desired = S::Stopped;
                roll_up(task_, now_);
                changed = true;
            }
        }
    }

    void move_resources() {
        for (ResourceState& resource : task_.resources) {
            if (resource.known >= resource.desired || resource.in_flight) continue;
            if (resource.desired == ResourceStatus::Removed) {
                resource.known = ResourceStatus::Removed;  // what there is of it goes at cleanup, with the containers
            } else if (awaits_credentials(task_, resource)) {
                continue;
            } else if (resource.shared || (shared_volumes_settled() && host_admits())) {
                // shared volumes come first: one that is missing refuses the task before it takes part in anything
                resource.in_flight = true;
                actions_.emplace_back(CreateResource{resource.name});
            }
        }
    }

    [[nodiscard]] bool shared_volumes_settled() const {
        if (task_.desired == TaskStatus::Stopped) return true;
        return std::all_of(task_.resources.begin(), task_.resources.end(),
                           [](const ResourceState& r) { return !r.shared || r.known >= r.desired; });
    }

    /// Whether containers may move. A wish to stop ends the wait for the host at once.
    bool host_admits() {
        if (task_.resources_consumed || task_.desired == TaskStatus::Stopped || task_.known == TaskStatus::Stopped)
            return true;
        if (!counts_on_host(*task_.definition)) return true;
        if (task_.desired == TaskStatus::None) return false;
        if (!task_.acquiring) {
            task_.acquiring = true;
            actions_.emplace_back(AcquireHostResources{});
        }
        return false;
    }

    void move_containers() {
        for (bool changed = true; changed;) {
            changed = blocked_ = waits_for_credentials_ = false;
            for (ContainerState& container : task_.containers) {
                const Clearance clear = clearance(task_, container, rules());
                blocked_ = blocked_ || clear.verdict == Verdict::Ordered;
                waits_for_credentials_ = waits_for_credentials_ || clear.verdict == Verdict::Credentials;
                if (clear.verdict != Verdict::Clear) continue;
                if (container.desired == S::Stopped) {
                    changed = stop(container) || changed;
                } else if (container.applied == S::None) {
                    changed = advance(container) || changed;
                }
            }
            roll_up(task_, now_);
        }
    }

    /// True if the container's status changed. One that never ran is stopped by saying so: a pull or create in flight
    /// ends by itself, and cleanup removes what it made.
    bool stop(ContainerState& container) {
        const bool start_or_stop_in_flight = container.applied == S::Running || container.applied == S::Stopped;
        if (start_or_stop_in_flight) return false;
        if (container.known < S::Running && !container.start_uncertain) {
            mark_stopped(container, {});
            return true;
        }
        if (container.stop_again_at) {
            if (now_.steady < *container.stop_again_at) return false;
            container.stop_again_at.reset();
        }
        container.applied = S::Stopped;
        moved_ = true;
        actions_.emplace_back(StopContainer{container.name, stop_grace(container, settings_.stop_timeout)});
        return false;
    }

    /// True if the container's status changed at once, without work.
    bool advance(ContainerState& container) {
        const std::optional<Transition> next = next_transition(container.known);
        if (!next) return false;
        if (next->work == Work::ResolveManifest && is_internal(container)) {
            container.known = next->to;  // no registry knows its image
            return true;
        }
        container.applied = next->to;
        moved_ = true;
        switch (next->work) {
            case Work::ResolveManifest: actions_.emplace_back(ResolveManifest{container.name}); return false;
            case Work::PullImage:
                if (is_internal(container)) {
                    actions_.emplace_back(ProvideImage{container.name});
                } else {
                    actions_.emplace_back(PullImage{container.name});
                }
                return false;
            case Work::Create:
                if (container.port_assignments.empty() && !container.definition->port_mappings.empty()) {
                    actions_.emplace_back(AssignPorts{container.name});  // saved before the create that uses them
                } else {
                    actions_.emplace_back(CreateContainer{container.name});
                }
                return false;
            case Work::Start:
                container.start_uncertain = true;
                actions_.emplace_back(StartContainer{container.name});
                return false;
        }
        return false;
    }

    void stop_what_came_back() {
        for (ContainerState& container : task_.containers) {
            if (container.applied != S::None || !container.came_back) continue;
            container.applied = S::Stopped;
            actions_.emplace_back(StopContainer{container.name, stop_grace(container, settings_.stop_timeout)});
        }
    }

    /// Nothing waits for it: a task whose file cannot be written runs all the same.
    void write_metadata_files() {
        if (!settings_.metadata_files) return;
        for (ContainerState& container : task_.containers) {
            if (!metadata_file_due(container)) continue;
            container.metadata_file_writing = container.restarts.count;
            actions_.emplace_back(WriteMetadataFile{container.name, container.restarts.count});
        }
    }

    /// Nothing moves, nothing will come back, nothing is waited for. task-engine.md 1.5, point 3.
    [[nodiscard]] bool stuck() const {
        if (task_.known == TaskStatus::Stopped || task_.desired < TaskStatus::Running) return false;
        if (moved_ || blocked_ || waits_for_credentials_ || anything_in_flight(task_)) return false;
        return std::none_of(task_.containers.begin(), task_.containers.end(),
                            [](const ContainerState& c) { return c.stop_again_at.has_value(); });
    }

    void resolve_stuck_task() {
        if (task_.desired == TaskStatus::Stopped) {
            if (task_.stop_reason.empty()) task_.stop_reason = kCannotProgress;
            task_.known = TaskStatus::Stopped;
            task_.known_at = now_.wall;
            return;
        }
        const bool essential_missing = std::any_of(task_.containers.begin(), task_.containers.end(),
                                                   [](const auto& c) { return c.essential && !is_steady(c); });
        if (!essential_missing) return;  // only containers the task can do without have ended
        task_.desired = TaskStatus::Stopped;
        roll_up(task_, now_);
        move_resources();
        move_containers();
    }

    void settle_end() {
        const bool stopped = task_.known == TaskStatus::Stopped;
        if ((task_.acquiring && task_.desired == TaskStatus::Stopped) || (stopped && task_.resources_consumed)) {
            task_.acquiring = false;
            task_.resources_consumed = false;
            actions_.emplace_back(ReleaseHostResources{});
        }
    }

    TaskState& task_;
    const Instant& now_;
    const Settings& settings_;
    std::vector<Action>& actions_;
    bool moved_ = false;
    bool blocked_ = false;
    bool waits_for_credentials_ = false;
};

}  // namespace

void plan(TaskState& task, const Instant& now, const Settings& settings, std::vector<Action>& actions) {
    Planner(task, now, settings, actions).run();
}

}  // namespace nodeagent::core
