#pragma once
// Which container waits for which: dependsOn of the payload, the orderings that links and volumesFrom imply, the
// resources needed before a status, and the way back at shutdown. task-engine.md 2.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

enum class Condition : std::uint8_t { Create, Start, Complete, Success, Healthy };

/// The payload's word; nothing for an unknown one. Create has no word, it comes from volumesFrom only.
[[nodiscard]] std::optional<Condition> parse_condition(std::string_view word);
[[nodiscard]] std::string_view to_string(Condition condition);

struct Ordering {
    std::string on;  ///< name of the container waited for
    Condition condition = Condition::Start;
    friend bool operator==(const Ordering&, const Ordering&) = default;
};

/// dependsOn, then volumesFrom (CREATE), then links (START).
[[nodiscard]] std::vector<Ordering> orderings(const model::Container& container);

/// False if some ordering can never be met from the start: a cycle, an unknown container, HEALTHY on a container
/// without a docker health check.
[[nodiscard]] bool orderable(const std::vector<model::Container>& containers);

/// What a container may do next.
struct Clearance {
    enum class Verdict : std::uint8_t {
        Clear,
        Nothing,      ///< it is where it should be
        Credentials,  ///< waits for execution role credentials
        Ordered,      ///< waits for a dependsOn condition
        Resource,     ///< waits for the cgroup, a volume or something fetched for it
        Shutdown,     ///< others must stop first
        Failed,       ///< the condition can never be met: `why` is the message of a CannotStartContainerError
    };
    Verdict verdict = Verdict::Clear;
    std::string why;  ///< for Failed the text ECS shows; otherwise a clause for people: "for db to be HEALTHY"
};

struct ClearanceRules {
    bool pull_dependents_upfront = false;
    Instant now{};
};

[[nodiscard]] Clearance clearance(const TaskState& task, const ContainerState& container, const ClearanceRules& rules);

/// When the earliest start timeout among the orderings of the task's waiting containers ends; nothing without one.
[[nodiscard]] std::optional<SteadyTime> next_start_timeout(const TaskState& task, const Instant& now);

/// "name(image) (KNOWN->DESIRED)", " - Exit: N" after it once known; how dependency errors name a container.
[[nodiscard]] std::string describe(const ContainerState& container);

}  // namespace nodeagent::core
