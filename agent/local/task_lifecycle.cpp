#include "agent/local/task_lifecycle.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::local {
namespace {

constexpr std::array<std::string_view, 5> kOrder{"PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED"};

/// Position in the life of a task or container; unknown words (CREATED of a managed agent ...) count as PENDING.
std::size_t rank(std::string_view status) {
    const auto found = std::find(kOrder.begin(), kOrder.end(), status);
    return found == kOrder.end() ? 1 : static_cast<std::size_t>(found - kOrder.begin());
}

void apply_container(Task& task, const ContainerStateChange& change) {
    for (TaskContainer& container : task.containers) {
        if (container.name != change.container_name) continue;
        // one submission may hold RUNNING and STOPPED of a container, in any order
        if (rank(change.status) > rank(container.last_status)) container.last_status = kOrder[rank(change.status)];
        if (change.exit_code) container.exit_code = change.exit_code;
        if (!change.reason.empty()) container.reason = change.reason;
        if (!change.runtime_id.empty()) container.runtime_id = change.runtime_id;
        if (!change.image_digest.empty()) container.image_digest = change.image_digest;
        if (change.network_bindings && !change.network_bindings->empty())
            container.network_bindings = *change.network_bindings;
    }
}

void apply_managed_agent(Task& task, const ManagedAgentStateChange& change, double now) {
    for (TaskContainer& container : task.containers) {
        if (container.name != change.container_name) continue;
        auto& agents = container.managed_agents;
        auto found = std::find_if(agents.begin(), agents.end(), [&](const ManagedAgentState& agent) {
            return agent.name == change.managed_agent_name;
        });
        if (found == agents.end()) {
            found = agents.insert(agents.end(), ManagedAgentState{});
            found->name = change.managed_agent_name;
        }
        found->last_status = change.status;
        found->reason = change.reason;
        if (change.status == "RUNNING") found->last_started_at = now;
    }
}

/// Why a task stopped that nobody asked to stop.
void explain_stop(Task& task, const std::string& reason) {
    if (!task.stop_code.empty()) return;
    const bool exited = std::any_of(task.containers.begin(), task.containers.end(), [](const TaskContainer& container) {
        return container.essential && container.exit_code.has_value();
    });
    if (task.started_at > 0 || exited) {
        task.stop_code = "EssentialContainerExited";
        task.stopped_reason = reason.empty() ? "Essential container in task exited" : reason;
        return;
    }
    task.stop_code = "TaskFailedToStart";
    task.stopped_reason = reason;
    if (!task.stopped_reason.empty()) return;
    const auto failed = std::find_if(task.containers.begin(), task.containers.end(),
                                     [](const TaskContainer& container) { return !container.reason.empty(); });
    const bool pull = failed != task.containers.end() && failed->reason.starts_with("CannotPull");
    // a failed pull is named at the task, other failures only at their container
    task.stopped_reason = pull ? failed->reason : "Task failed to start";
}

void become_stopped(Task& task, double now) {
    task.last_status = "STOPPED";
    task.desired_status = "STOPPED";
    if (task.stopping_at == 0) task.stopping_at = now;
    task.stopped_at = now;
    for (TaskContainer& container : task.containers) container.last_status = "STOPPED";
}

}  // namespace

void apply_state_change(Task& task, const TaskStateChange& change, double now) {
    for (const ContainerStateChange& container : change.containers) apply_container(task, container);
    for (const ManagedAgentStateChange& agent : change.managed_agents) apply_managed_agent(task, agent, now);
    if (change.pull_started_at > 0) task.pull_started_at = change.pull_started_at;
    if (change.pull_stopped_at > 0) task.pull_stopped_at = change.pull_stopped_at;
    if (change.execution_stopped_at > 0) task.execution_stopped_at = change.execution_stopped_at;
    ++task.version;
    if (task.stopped() || change.status.empty()) return;
    if (change.status == "RUNNING") {
        if (task.started_at == 0) task.started_at = now;
        if (rank(task.last_status) < rank("RUNNING")) task.last_status = "RUNNING";
        return;
    }
    if (change.status != "STOPPED") return;
    explain_stop(task, change.reason);
    become_stopped(task, now);
}

void request_stop(Task& task, std::string_view stop_code, std::string_view reason, double now) {
    if (task.desired_status == "STOPPED") return;
    task.desired_status = "STOPPED";
    task.stop_code = stop_code;
    task.stopped_reason = reason;
    task.stopping_at = now;
    ++task.version;
}

void acknowledge_delivery(Task& task, std::string_view desired_status) {
    task.delivered_status = desired_status;
    if (desired_status != "STOPPED" || task.stopped()) return;
    task.last_status = "STOPPING";
    ++task.version;
}

void orphan(Task& task, std::string_view reason, double now) {
    if (task.stopped()) return;
    if (task.stop_code.empty()) task.stopped_reason = reason;
    become_stopped(task, now);
    ++task.version;
}

bool apply_health(Task& task, std::string_view container_name, std::string_view status) {
    bool changed = false;
    for (TaskContainer& container : task.containers) {
        if (container.name != container_name || container.health_status == status) continue;
        container.health_status = status;
        changed = true;
    }
    if (changed) ++task.version;
    return changed;
}

std::string task_health(const Task& task) {
    bool any = false;
    bool all_healthy = true;
    for (const TaskContainer& container : task.containers) {
        if (!container.essential || !container.has_health_check) continue;
        any = true;
        if (container.health_status == "UNHEALTHY") return "UNHEALTHY";
        all_healthy = all_healthy && container.health_status == "HEALTHY";
    }
    return any && all_healthy ? "HEALTHY" : "UNKNOWN";
}

}  // namespace nodeagent::local
