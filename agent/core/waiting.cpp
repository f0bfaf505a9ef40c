#include "agent/core/waiting.hpp"

#include "agent/core/dependencies.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/internal_containers.hpp"

namespace nodeagent::core {

namespace {

using S = ContainerStatus;

std::string work_in_flight(const ContainerState& container) {
    switch (container.applied) {
        case S::ManifestPulled: return "for the registry to tell the digest of " + container.definition->image;
        case S::Pulled:
            if (is_internal(container)) return "for the agent's own image " + container.definition->image;
            return "for image " + container.definition->image + " to be pulled";
        case S::Created: return "for the runtime to create the container";
        case S::Running: return "for the runtime to start the container";
        case S::Stopped: return "for the container to end; SIGKILL follows after its stop timeout";
        default: return {};
    }
}

}  // namespace

std::string waiting_for(const TaskState& task, const Settings& settings, const Instant& now) {
    if (task.known == TaskStatus::Stopped) {
        return task.sent == TaskStatus::Stopped || task.end_refused
                   ? std::string()
                   : "waits for ECS to acknowledge that it has stopped";
    }
    if (task.acquiring) return "waits for CPU, memory, ports or GPUs of this host";
    for (const ResourceState& resource : task.resources) {
        if (!resource.in_flight) continue;
        return "waits for " + describe_resource(resource);
    }
    for (const ContainerState& container : task.containers) {
        std::string clause = work_in_flight(container);
        if (clause.empty()) {
            const Clearance clear = clearance(task, container, {settings.pull_dependents_upfront, now});
            if (clear.verdict != Clearance::Verdict::Failed) clause = clear.why;
        }
        if (clause.empty() && container.stop_again_at) clause = "to try to stop it again; the runtime did not answer";
        if (!clause.empty()) return "container " + container.name + " waits " + clause;
    }
    return {};
}

}  // namespace nodeagent::core
