#include "agent/core/reconcile.hpp"

#include <algorithm>
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

/// What becomes of a container of a known task that none of its containers' ids or names lead to.
enum class Place : std::uint8_t { Taken, Busy, Free };

Place place_in(const TaskState& task, const std::string& container_name) {
    const ContainerState* container = task.find(container_name);
    if (container == nullptr || !container->runtime_id.empty() || container->known == S::Stopped) return Place::Taken;
    if (container->known >= S::Created) return Place::Taken;
    return container->applied == S::Created ? Place::Busy : Place::Free;
}

const TaskState* find(const std::vector<const TaskState*>& tasks, const std::string& arn) {
    const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskState* t) { return t->arn == arn; });
    return found == tasks.end() ? nullptr : *found;
}

}  // namespace

Reconciliation reconcile(const std::vector<const TaskState*>& tasks, const std::vector<Listed>& listing,
                         ReconcileCause cause, std::string_view cluster) {
    const Index index(listing);
    Reconciliation result;
    std::set<std::string_view> claimed;
    std::set<std::pair<std::string_view, std::string_view>> filled;  // task, container that has its runtime container
    // events were missed: what runs may have been started again meanwhile
    const bool look_at_all = cause != ReconcileCause::Periodic;

    for (const TaskState* task : tasks) {
        for (const ContainerState& container : task->containers) {
            const Listed* found = index.find(container);
            if (found != nullptr) {
                claimed.insert(found->runtime_id);
                filled.insert({task->arn, container.name});
                if (container.applied != S::None) continue;  // the result of the work in flight says it
                const bool look = differs(container, found->phase) || (look_at_all && container.known != S::Stopped);
                if (look) result.inspect.push_back({task->arn, container.name, found->runtime_id});
            } else if (!container.runtime_id.empty()) {
                const bool gone =
                    container.known >= S::Created && container.known != S::Stopped && container.applied == S::None;
                if (gone) result.inspect.push_back({task->arn, container.name, container.runtime_id});
            }
        }
    }

    for (const Listed& listed : listing) {
        if (claimed.contains(listed.runtime_id) || listed.task_arn.empty()) continue;
        Stray stray{listed.runtime_id, listed.name, listed.task_arn, listed.container_name, Stray::Decision::Ignore};
        if (const TaskState* task = find(tasks, listed.task_arn)) {
            const bool first = filled.insert({task->arn, listed.container_name}).second;
            const Place place = place_in(*task, listed.container_name);
            if (place == Place::Busy) continue;  // what the create in flight made; the next comparison knows more
            if (place == Place::Free && first) {
                result.inspect.push_back({task->arn, listed.container_name, listed.runtime_id});
                continue;
            }
            stray.decision = Stray::Decision::Remove;
        } else if (same_cluster(listed.cluster, cluster)) {
            stray.decision = Stray::Decision::Adopt;
        }
        result.strays.push_back(std::move(stray));
    }
    return result;
}

bool same_cluster(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return false;
    const bool both_arns = a.starts_with("arn:") && b.starts_with("arn:");
    return both_arns ? a == b : a.substr(a.rfind('/') + 1) == b.substr(b.rfind('/') + 1);
}

bool unclaimed(const TaskState& task, std::string_view runtime_id, std::string_view docker_name) {
    return std::none_of(task.containers.begin(), task.containers.end(), [&](const ContainerState& c) {
        return c.runtime_id == runtime_id || c.docker_name == docker_name;
    });
}

}  // namespace nodeagent::core
