#pragma once
// Resources whose content is fetched from AWS with the execution role's credentials: secrets, registry credentials,
// environment files. What was fetched is never part of TaskState and never saved: after a restart of the agent it is
// fetched again if some container still needs it. task-engine.md 2.1, 3.8.

#include <string>
#include <string_view>
#include <vector>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

// ResourceState::name of each kind; no volume can be called so.
inline constexpr std::string_view kSsmSecretsResource = "~ssmsecret";
inline constexpr std::string_view kAsmSecretsResource = "~asmsecret";
inline constexpr std::string_view kRegistryAuthResource = "~asm-auth";
/// "~envfile_<container>".
[[nodiscard]] std::string environment_files_resource(std::string_view container);

[[nodiscard]] bool is_fetched(ResourceState::Kind kind);

/// What `task` needs, in the order in which the reference adds it; all None.
[[nodiscard]] std::vector<ResourceState> fetched_resources(const model::Task& task);

/// Whether `container` cannot enter `status` before `resource` is created.
[[nodiscard]] bool needs_fetched(const model::Container& container, const ResourceState& resource,
                                 ContainerStatus status);

/// The resource cannot be created yet: the execution role's credentials have not come since the agent started. Without
/// an execution role there is nothing to wait for; the fetch fails and says so.
[[nodiscard]] bool awaits_credentials(const TaskState& task, const ResourceState& resource);

/// After a restart of the agent: what was fetched is gone, and goes back to None where some container that has not
/// come so far needs it.
void forget_fetched(TaskState& task);

/// "its secrets from Systems Manager", for people.
[[nodiscard]] std::string describe_resource(const ResourceState& resource);

}  // namespace nodeagent::core
