#pragma once
// What the agent adds to a container's LogConfig. task-engine.md 3.5 b, e, f, g.

#include <optional>
#include <string>

#include "agent/base/json.hpp"
#include "agent/engine/spec/container_spec.hpp"

namespace nodeagent::engine {

/// Changes host_config.LogConfig in place; the error is a HostConfigError.
[[nodiscard]] std::optional<SpecError> complete_log_config(Json& host_config, const core::TaskState& task,
                                                           const core::ContainerState& container,
                                                           const SpecContext& context);

}  // namespace nodeagent::engine
