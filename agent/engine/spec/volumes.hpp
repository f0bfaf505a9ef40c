#pragma once
// What a payload's volumes mean to the runtime. task-engine.md 3.7.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/core/task_state.hpp"
#include "agent/model/payload.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

/// What a mount point that names `volume` binds: a path of the host, or the name of a runtime volume. "" when the task
/// has no such runtime volume yet; NotFound when the payload has no such volume.
[[nodiscard]] Result<std::string> bind_source(const core::TaskState& task, std::string_view volume);

/// The runtime volume to create: for docker volumes what they ask for, for host volumes without a path driver "local".
[[nodiscard]] runtime::VolumeSpec volume_spec(const model::Volume& volume, std::string docker_name);

/// A shared volume that exists already may be used if it was made with the same labels and options
/// (ECS_SHARED_VOLUME_MATCH_FULL_CONFIG).
[[nodiscard]] bool same_configuration(const runtime::VolumeSpec& existing, const model::DockerVolume& wanted);

}  // namespace nodeagent::engine
