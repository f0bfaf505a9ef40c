#pragma once
// The documents behind `ecs-node`: our own routes under /v1/ext of the introspection server.

#include <memory>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/model/host_conditions.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/introspection.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

struct ProcessUse {
    std::size_t resident_bytes = 0;
    std::size_t open_descriptors = 0;
};

/// `host` null: nobody looks at the machine.
[[nodiscard]] Response extension_status(const model::Snapshot& snapshot, const InstanceIdentity& identity,
                                        const AgentStatus& status, const ProcessUse& use,
                                        const model::HostConditions* host = nullptr);
[[nodiscard]] Response extension_tasks(const model::Snapshot& snapshot);
/// `id`: ARN, task id, or a beginning of the task id that only one task has. NotFound; Conflict: several tasks have it.
[[nodiscard]] Result<std::shared_ptr<const model::TaskView>> task_called(const model::Snapshot& snapshot,
                                                                         std::string_view id);
/// `id`: ARN, task id, or a beginning of the task id that only one task has. 404 and 409 with {"error":...} otherwise.
[[nodiscard]] Response extension_task(const model::Snapshot& snapshot, std::string_view id);
[[nodiscard]] Response extension_events(const std::vector<AgentEvent>& events);
[[nodiscard]] Response extension_settings(const std::vector<AgentSetting>& settings);

}  // namespace nodeagent::metadata
