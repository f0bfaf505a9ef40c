#pragma once
// Saved state x what the runtime lists -> what the tasks must hear: after a restart of the agent, a break of the event
// stream, and every minute. The runtime is right; state catches up. A listing may be older than the state it is
// compared with, so it only says where to look: whatever follows is decided by an inspect.

#include <set>
#include <string>
#include <vector>

#include "agent/core/events.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::core {

inline constexpr std::string_view kTaskArnLabel = "com.amazonaws.ecs.task-arn";
inline constexpr std::string_view kContainerNameLabel = "com.amazonaws.ecs.container-name";
inline constexpr std::string_view kClusterLabel = "com.amazonaws.ecs.cluster";

/// A line of the listing. Details that only an inspect tells may be missing from it.
struct Listed {
    std::string runtime_id;
    std::string name;  ///< without leading '/'
    Observation::Phase phase = Observation::Phase::Created;
    std::string task_arn;        ///< of the label
    std::string container_name;  ///< of the label
    std::string cluster{};       ///< of the label
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
        Remove,  ///< its task is known and has another container in its place, or none of that name: stopped and
                 ///< removed
        Adopt,   ///< its task is unknown and of our cluster: taken up again with all its containers (adopt.hpp)
        Ignore,  ///< of another cluster: another agent's
    };
    std::string runtime_id;
    std::string name;
    std::string task_arn;
    std::string container_name;
    Decision decision = Decision::Ignore;
};

struct Reconciliation {
    /// Containers whose phase differs from what is known, those found by a name whose id was not saved, those of known
    /// tasks that wait for the creation of just this container, those missing from the listing. Where events may have
    /// been missed, at a restart of the agent and after a break of the event stream, all that have not stopped.
    std::vector<Inspection> inspect;
    std::vector<Stray> strays;
};

enum class ReconcileCause : std::uint8_t { AgentStart, StreamBreak, Periodic };

/// Deterministic; `tasks` are not null. A listing that failed must not be passed as an empty one. `cluster` is ours, as
/// a name or an ARN.
[[nodiscard]] Reconciliation reconcile(const std::vector<const TaskState*>& tasks, const std::vector<Listed>& listing,
                                       ReconcileCause cause, std::string_view cluster);

/// Whether the two, each a name or an ARN, mean one cluster; an empty one means none.
[[nodiscard]] bool same_cluster(std::string_view a, std::string_view b);

/// True while nothing of the task's state refers to this container: the last word before a stray is touched.
[[nodiscard]] bool unclaimed(const TaskState& task, std::string_view runtime_id, std::string_view docker_name);

}  // namespace nodeagent::core
