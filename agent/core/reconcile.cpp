#include "agent/core/reconcile.hpp"

#include <map>
#include <set>

namespace nodeagent::core {

namespace {

using Phase = Observation::Phase;
using S = ContainerStatus;

/// The listing, findable by what a state remembers of a container.
struct Index {
    std::map<std::string_view, const Listed*> by_id;
    std::map<std::string_view, const Listed*> by_name;

    explicit Index(const std::vector<Listed>& listing) {
        for (const Listed& listed : listing) {
            by_id.emplace(listed.runtime_id, &listed);
            by_name.emplace(listed.name, &listed);
        }
    }

    /// The container's own, or one made under its name before its id was saved.
    [[nodiscard]] const Listed* find(const ContainerState& container) const {
        const auto& index = container.runtime_id.empty() ? by_name : by_id;
        const auto found = index.find(container.runtime_id.empty() ? container.docker_name : container.runtime_id);
        return found == index.end() ? nullptr : found->second;
    }
};

bool differs(const ContainerState& container, Phase phase) {
    switch (phase) {
        case Phase::Created: return container.known < S::Created;
        case Phase::Running: return container.known != S::Running;  // also one that came back after its end
        case Phase::Stopped: return container.known != S::Stopped;
    }
    return false;
}

}  // namespace

Reconciliation reconcile(const std::vector<const TaskState*>& tasks, const std::vector<Listed>& listing,
                         ReconcileCause cause) {
    const Index index(listing);
    Reconciliation result;
    std::set<std::string_view> claimed;
    std::set<std::pair<std::string_view, std::string_view>> filled;  // task, container that has its runtime container
    const bool first_look = cause == ReconcileCause::AgentStart;

    for (const TaskState* task : tasks) {
        for (const ContainerState& container : task->containers) {
            const Listed* found = index.find(container);
            if (found != nullptr) {
                claimed.insert(found->runtime_id);
                filled.insert({task->arn, container.name});
                if (container.applied != S::None) continue;  // the result of the work in flight says it
                const bool look = differs(container, found->phase) || (first_look && container.known != S::Stopped);
                if (look) result.inspect.push_back({task->arn, container.name, found->runtime_id});
            } else if (!container.runtime_id.empty()) {
                filled.insert({task->arn, container.name});
                const bool gone =
                    container.known >= S::Created && container.known != S::Stopped && container.applied == S::None;
                if (gone) result.inspect.push_back({task->arn, container.name, container.runtime_id});
            }
        }
    }

    for (const Listed& listed : listing) {
        if (claimed.contains(listed.runtime_id) || listed.task_arn.empty()) continue;
        const bool replaced = filled.contains({listed.task_arn, listed.container_name});
        // A running one is never removed on a guess.
        const auto decision =
            replaced && listed.phase != Phase::Running ? Stray::Decision::Remove : Stray::Decision::Ignore;
        result.strays.push_back({listed.runtime_id, listed.name, listed.task_arn, decision});
    }
    return result;
}

}  // namespace nodeagent::core
