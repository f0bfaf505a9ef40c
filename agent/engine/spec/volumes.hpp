#pragma once
// What a mount point binds. task-engine.md 3.7.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::engine {

/// What a mount point that names `volume` binds: a path of the host, or the name of a runtime volume. "" when the task
/// has no such runtime volume yet; NotFound when the payload has no such volume.
[[nodiscard]] Result<std::string> bind_source(const core::TaskState& task, std::string_view volume);

}  // namespace nodeagent::engine
