#pragma once
// Saved state x what the runtime lists -> what the tasks must hear: after a restart of the agent, a break of the event
// stream, and every minute. The runtime is right; state catches up.

#include <string>
#include <vector>

#include "agent/core/events.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::core {

inline constexpr std::string_view kTaskArnLabel = "com.amazonaws.ecs.task-arn";
inline constexpr std::string_view kContainerNameLabel = "com.amazonaws.ecs.container-name";

/// A line of the listing. Details that only an inspect tells may be missing from it.
struct Listed {
    std::string runtime_id;
    std::string name;  ///< without leading '/'
    Observation::Phase phase = Observation::Phase::Created;
    std::string task_arn;        ///< of the label
    std::string container_name;  ///< of the label
};

/// A container to look at closely: what inspect says goes to the task as ContainerObserved (ContainerVanished if it is
/// gone meanwhile).
struct Inspection {
    std::string task_arn;
    std::string container;
    std::string runtime_id;
};

/// A container with our labels that no task's state knows.
struct Stray {
    enum class Decision : std::uint8_t {
        Remove,  ///< a leftover of a known task that has another container in its place
        Ignore,  ///< of a task unknown here, perhaps of another agent: left alone, as the reference does
    };
    std::string runtime_id;
    std::string name;
    std::string task_arn;
    Decision decision = Decision::Ignore;
};

struct Reconciliation {
    /// Containers whose phase differs from what is known, those found by a name whose id was not saved, those missing
    /// from the listing (which may be older than the state it is compared with: absence has to be confirmed), and, at a
    /// restart, all.
    std::vector<Inspection> inspect;
    std::vector<Stray> strays;
};

enum class ReconcileCause : std::uint8_t { AgentStart, StreamBreak, Periodic };

/// Deterministic; `tasks` are not null. A listing that failed must not be passed as an empty one.
[[nodiscard]] Reconciliation reconcile(const std::vector<const TaskState*>& tasks, const std::vector<Listed>& listing,
                                       ReconcileCause cause);

}  // namespace nodeagent::core
