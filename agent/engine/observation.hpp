#pragma once
// What the runtime says of a container, in the core's words. task-engine.md 5.2 "Metadata from inspect".

#include "agent/core/adopt.hpp"
#include "agent/core/events.hpp"
#include "agent/core/reconcile.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

class Vault;

/// `view` must come from Backend::inspect(): a listing lacks exit code, ports and mounts. Secrets of the task that the
/// runtime quotes in its error are redacted.
[[nodiscard]] core::Observation observation(runtime::ContainerView view, const Vault& vault,
                                            const std::string& task_arn);

/// The same, of a task without secrets here, with what else says how the container was made. Of its environment only
/// the ids of the agent's own URIs and of GPUs are kept.
[[nodiscard]] core::FoundContainer found_container(runtime::ContainerView view);

/// "": no such label.
[[nodiscard]] std::string label(const runtime::ContainerView& view, std::string_view key);

/// A line of Backend::list().
[[nodiscard]] core::Listed listed(const runtime::ContainerView& view);

}  // namespace nodeagent::engine
