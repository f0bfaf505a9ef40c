#include "agent/core/dependencies.hpp"

#include <algorithm>
#include <set>

#include "agent/core/container_facts.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/transitions.hpp"

namespace nodeagent::core {

namespace {

using Verdict = Clearance::Verdict;

bool has_docker_health_check(const model::Container& container) { return container.health_check_type == "docker"; }

std::string_view link_target(std::string_view link) { return link.substr(0, link.find(':')); }

/// It has not run and never will: its own work failed, or it was stopped before its start.
bool will_never_start(const ContainerState& dependency) {
    if (dependency.known < ContainerStatus::Running) {
        return dependency.desired == ContainerStatus::Stopped && dependency.applied == ContainerStatus::None;
    }
    // STOPPED without ever having run: the reference may see the moment before, where the rule above holds
    return dependency.known == ContainerStatus::Stopped && !dependency.started_at && !dependency.exit_code;
}

bool waits_for_an_end_or_health(Condition condition) {
    return condition == Condition::Success || condition == Condition::Complete || condition == Condition::Healthy;
}

std::optional<SteadyTime> start_deadline(const ContainerState& dependency, const Instant& now) {
    if (dependency.definition->start_timeout <= 0 || !dependency.started_at) return std::nullopt;
    const SteadyTime started = dependency.started ? *dependency.started : steady_of(*dependency.started_at, now);
    return started + std::chrono::seconds(dependency.definition->start_timeout);
}

bool timed_out(const ContainerState& target, const ContainerState& dependency, Condition condition,
               const Instant& now) {
    if (target.known >= ContainerStatus::Created || dependency.known == ContainerStatus::Stopped) return false;
    if (!waits_for_an_end_or_health(condition)) return false;
    const std::optional<SteadyTime> deadline = start_deadline(dependency, now);
    return deadline && now.steady > *deadline;
}

/// The message when the condition can never be met any more; "" while it can.
std::string hopeless(const ContainerState& target, const ContainerState* dependency, Condition condition,
                     const Instant& now) {
    const std::string pair =
        "[" + (dependency != nullptr ? describe(*dependency) : "<nil>") + "] for target [" + describe(target) + "]";
    if (dependency == nullptr) return "dependency graph: container ordering dependency " + pair + " does not exist.";
    if (timed_out(target, *dependency, condition, now)) {
        return "dependency graph: container ordering dependency " + pair + " has timed out.";
    }
    const bool ended = dependency->known == ContainerStatus::Stopped;
    const std::string unresolved = "dependency graph: failed to resolve container ordering dependency " + pair;
    if (condition == Condition::Success && ended && dependency->exit_code != 0) {
        return unresolved + " as dependency did not exit successfully.";
    }
    // START and CREATE are met by a container that has stopped, however it came to that
    const bool met_by_stopping = ended && (condition == Condition::Start || condition == Condition::Create);
    if (!met_by_stopping && will_never_start(*dependency)) return unresolved + " because dependency will never start";
    // The reference waits for ever for the exit code of a container that vanished; nobody can know it any more.
    if (condition == Condition::Complete && ended && !dependency->exit_code) {
        return unresolved + " as dependency did not exit successfully.";
    }
    return {};
}

bool met(const ContainerState& target, const ContainerState& dependency, Condition condition) {
    const bool ended = dependency.known == ContainerStatus::Stopped;
    switch (condition) {
        case Condition::Create: return dependency.known >= ContainerStatus::Created;
        case Condition::Start:
            return dependency.known >= steady_status(dependency.kind) ||
                   (target.desired == ContainerStatus::Created && dependency.known >= ContainerStatus::Created);
        case Condition::Success: return ended && dependency.exit_code == 0;
        case Condition::Complete: return ended && dependency.exit_code.has_value();
        case Condition::Healthy:
            return has_docker_health_check(*dependency.definition) && dependency.health.status == HealthStatus::Healthy;
    }
    return false;
}

std::string clause(const Ordering& ordering) {
    switch (ordering.condition) {
        case Condition::Create: return "for container " + ordering.on + " to be created";
        case Condition::Start: return "for container " + ordering.on + " to start";
        case Condition::Complete: return "for container " + ordering.on + " to end";
        case Condition::Success: return "for container " + ordering.on + " to end with exit code 0";
        case Condition::Healthy: return "for container " + ordering.on + " to be healthy";
    }
    return {};
}

Clearance ordered(const TaskState& task, const ContainerState& container, const ClearanceRules& rules) {
    const std::vector<Ordering> all = orderings(*container.definition);
    for (const Ordering& ordering : all) {
        std::string message = hopeless(container, task.find(ordering.on), ordering.condition, rules.now);
        if (!message.empty()) return {Verdict::Failed, std::move(message)};
    }
    // Manifests are resolved early, with everything pulled upfront images too: neither starts anything
    const ContainerStatus free_below =
        rules.pull_dependents_upfront ? ContainerStatus::Pulled : ContainerStatus::ManifestPulled;
    if (container.known < free_below) return {};
    for (const Ordering& ordering : all) {
        const ContainerState& dependency = *task.find(ordering.on);
        if (!met(container, dependency, ordering.condition)) return {Verdict::Ordered, clause(ordering)};
    }
    return {};
}

/// Whether the container cannot enter `status` without the resource. task-engine.md 2.1.
bool needs(const ContainerState& container, const ResourceState& resource, ContainerStatus status) {
    switch (resource.kind) {
        case ResourceState::Kind::Cgroup: return status == ContainerStatus::Pulled;
        case ResourceState::Kind::DockerVolume: {
            const auto& mounts = container.definition->mount_points;
            return status == ContainerStatus::Pulled && std::any_of(mounts.begin(), mounts.end(), [&](const auto& m) {
                       return m.source_volume == resource.name;
                   });
        }
        default: return needs_fetched(*container.definition, resource, status);
    }
}

/// The pause container whose namespaces the container joins and that does not run yet, "" when there is none. 2.1.
std::string missing_pause(const TaskState& task, const ContainerState& container, ContainerStatus status) {
    if (is_internal(container) || status != ContainerStatus::Pulled) return {};
    for (const ContainerState& other : task.containers) {
        if (other.kind == ContainerKind::NamespacePause && !is_steady(other)) return other.name;
    }
    return {};
}

Clearance resources_ready(const TaskState& task, const ContainerState& container) {
    const std::optional<Transition> next = next_transition(container.known);
    if (!next) return {};
    if (const std::string pause = missing_pause(task, container, next->to); !pause.empty()) {
        return {Verdict::Resource, "for container " + pause + ", whose namespaces it shares"};
    }
    Clearance clear;
    for (const ResourceState& resource : task.resources) {
        if (resource.known != ResourceStatus::None || !needs(container, resource, next->to)) continue;
        if (!awaits_credentials(task, resource)) return {Verdict::Resource, "for " + describe_resource(resource)};
        clear = {Verdict::Credentials, "for the credentials of the execution role"};
    }
    return clear;
}

Clearance may_stop(const TaskState& task, const ContainerState& container) {
    for (const ContainerState& other : task.containers) {
        if (other.known == ContainerStatus::Stopped || other.name == container.name) continue;
        if (is_internal(container) && !is_internal(other)) {
            return {Verdict::Shutdown, "for container " + other.name + " to stop first"};
        }
        const std::vector<Ordering> needs = orderings(*other.definition);
        const bool depends =
            std::any_of(needs.begin(), needs.end(), [&](const Ordering& o) { return o.on == container.name; });
        if (depends) return {Verdict::Shutdown, "for container " + other.name + " to stop first"};
    }
    return {};
}

}  // namespace

std::optional<Condition> parse_condition(std::string_view word) {
    for (const Condition condition : {Condition::Start, Condition::Complete, Condition::Success, Condition::Healthy}) {
        if (word == to_string(condition)) return condition;
    }
    return std::nullopt;
}

std::string_view to_string(Condition condition) {
    switch (condition) {
        case Condition::Create: return "CREATE";
        case Condition::Start: return "START";
        case Condition::Complete: return "COMPLETE";
        case Condition::Success: return "SUCCESS";
        case Condition::Healthy: return "HEALTHY";
    }
    return {};
}

std::vector<Ordering> orderings(const model::Container& container) {
    std::vector<Ordering> all;
    all.reserve(container.depends_on.size() + container.volumes_from.size() + container.links.size());
    for (const model::Dependency& dependency : container.depends_on) {
        if (const auto condition = parse_condition(dependency.condition)) {
            all.push_back({dependency.container_name, *condition});
        }
    }
    for (const model::VolumeFrom& from : container.volumes_from) {
        all.push_back({from.source_container, Condition::Create});
    }
    for (const std::string& link : container.links) {
        all.push_back({std::string(link_target(link)), Condition::Start});
    }
    return all;
}

bool orderable(const std::vector<model::Container>& containers) {
    const auto named = [&](std::string_view name) {
        return std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.name == name; });
    };
    for (const model::Container& container : containers) {
        for (const model::Dependency& dependency : container.depends_on) {
            const auto condition = parse_condition(dependency.condition);
            const auto target = named(dependency.container_name);
            if (!condition || target == containers.end()) return false;
            if (*condition == Condition::Healthy && !has_docker_health_check(*target)) return false;
        }
    }
    // Pick whatever waits for nothing unpicked; what is left at the end waits in a circle.
    std::set<std::string_view> picked;
    for (bool progress = true; progress;) {
        progress = false;
        for (const model::Container& container : containers) {
            if (picked.contains(container.name)) continue;
            const std::vector<Ordering> needs = orderings(container);
            const bool free =
                std::all_of(needs.begin(), needs.end(), [&](const Ordering& o) { return picked.contains(o.on); });
            if (!free) continue;
            picked.insert(container.name);
            progress = true;
        }
    }
    return std::all_of(containers.begin(), containers.end(), [&](const auto& c) { return picked.contains(c.name); });
}

Clearance clearance(const TaskState& task, const ContainerState& container, const ClearanceRules& rules) {
    if (container.known >= container.desired) return {Verdict::Nothing, {}};
    if (container.desired == ContainerStatus::Stopped) return may_stop(task, container);

    const auto& auth = container.definition->registry_authentication;
    const bool pulls_with_role =
        auth && auth->type == "ecr" && auth->ecr_auth_data && auth->ecr_auth_data->use_execution_role;
    // without an id there is nothing to wait for: the pull fails and says so
    if (pulls_with_role && container.known < ContainerStatus::Pulled && !task.execution_credentials_known &&
        !task.execution_credentials_id.empty()) {
        return {Verdict::Credentials, "for the credentials of the execution role"};
    }
    if (container.desired == steady_status(container.kind) || container.desired == ContainerStatus::Created) {
        Clearance clear = ordered(task, container, rules);
        if (clear.verdict != Verdict::Clear) return clear;
    }
    return resources_ready(task, container);
}

std::optional<SteadyTime> next_start_timeout(const TaskState& task, const Instant& now) {
    std::optional<SteadyTime> earliest;
    for (const ContainerState& container : task.containers) {
        if (container.known >= ContainerStatus::Created || container.desired != steady_status(container.kind)) continue;
        for (const Ordering& ordering : orderings(*container.definition)) {
            const ContainerState* dependency = task.find(ordering.on);
            if (dependency == nullptr || dependency->known == ContainerStatus::Stopped) continue;
            if (!waits_for_an_end_or_health(ordering.condition)) continue;
            const std::optional<SteadyTime> deadline = start_deadline(*dependency, now);
            if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
        }
    }
    return earliest;
}

std::string describe(const ContainerState& container) {
    std::string text = container.name + "(" + container.definition->image + ") (" +
                       std::string(to_string(container.known)) + "->" + std::string(to_string(container.desired)) + ")";
    if (container.exit_code) text += " - Exit: " + std::to_string(*container.exit_code);
    return text;
}

}  // namespace nodeagent::core
