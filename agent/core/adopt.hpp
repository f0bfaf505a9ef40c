#pragma once
// A task whose state is lost, made again from the containers it left on the host: their labels and what an inspect
// tells. What only the payload knew (dependencies, restart policy, stop timeouts, containers never created) stays lost.

#include <string>
#include <vector>

#include "agent/core/events.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/core/step.hpp"

namespace nodeagent::core {

inline constexpr std::string_view kFamilyLabel = "com.amazonaws.ecs.task-definition-family";
inline constexpr std::string_view kVersionLabel = "com.amazonaws.ecs.task-definition-version";

/// A container that carries the labels of a task, as an inspect showed it.
struct FoundContainer {
    std::string docker_name;
    std::string image;         ///< as it was asked for; "" when the runtime does not tell
    std::string network_mode;  ///< the runtime's word
    std::int64_t cpu_shares = 0;
    std::int64_t memory_mib = 0;    ///< hard limit; 0: none
    std::string endpoint_id;        ///< of the metadata URIs in its environment; "" when there are none
    std::string credentials_id;     ///< of the credentials URI in its environment; "" without a task role
    std::vector<std::string> gpus;  ///< ids of those it was given
    bool health_checked = false;
    Observation seen;  ///< labels and runtime_id set
};

/// The task as if the agent had been there all the time, not resumed yet; nothing of it counts as told to ECS.
///
/// - It is to run if one of its containers does, and to stop otherwise.
/// - A container that ended with 0 while another runs was not essential, or the task would have been stopped for it;
/// all
///   others are.
/// - A pause container is taken up as one, and keeps no task running.
/// - Of two containers with one name the running one counts, then the younger; the other is a stray of a known task.
/// - It holds the CPU, memory, ports and GPUs that its containers were given.
/// - Volumes named as the agent names those of a task, and its cgroup, go with it when it is cleaned up.
/// `found` is not empty, its elements are of this task.
[[nodiscard]] TaskState adopted_task(const std::string& task_arn, std::vector<FoundContainer> found,
                                     const Identity& identity, const AcceptanceRules& rules, const Instant& now,
                                     const Settings& settings);

/// The payload's name of a volume that the agent named for a task of this definition; "" for any other volume.
[[nodiscard]] std::string task_volume_name(std::string_view docker_name, std::string_view family,
                                           std::string_view version);

}  // namespace nodeagent::core
