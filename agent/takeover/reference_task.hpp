#pragma once
// The reference's record of a task, as our state of it (task-engine.md 6.2, 6.3). Pure: what only the runtime can tell
// is learnt by the engine, which looks at every container when it starts.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::takeover {

struct TranslatedTask {
    core::TaskState task;
    /// One of the reference's own daemons, of which ECS knows nothing: its containers go, nothing of it is reported.
    bool internal = false;
    /// What it uses and this agent does not have, as phrases: "network mode awsvpc". It runs on all the same.
    std::vector<std::string> missing;
};

/// `record` is a value of the bucket `tasks`; `containers` are values of the bucket `containers` by key, which replace
/// the task's embedded ones. Malformed, with the path of what is wrong: the task must be made again from its
/// containers.
///
/// - Role credentials are not in the record; values of secrets are, merged into the environment. A container that
/// exists
///   needs no environment any more and is kept without one; of the others those variables are left out.
/// - A container that the record takes for made, but without its id or name, is left to match_containers().
/// - A task that lacks a feature here and has containers still to be made is to stop, with a reason that names it.
[[nodiscard]] Result<TranslatedTask> translate_task(const Json& record, const std::map<std::string, Json>& containers,
                                                    const core::Identity& identity, std::uint64_t arrival);

}  // namespace nodeagent::takeover
