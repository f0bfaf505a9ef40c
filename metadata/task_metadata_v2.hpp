#pragma once
// Task metadata version 2: awsvpc tasks only, found by the address their requests come from. endpoints.md 1.6, 2.

#include <memory>
#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/document_parts.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

/// Which Networks a document of the v2 shape shows for tasks without an interface of their own.
enum class RuntimeNetworks : bool { Hidden, Shown };

[[nodiscard]] std::string v2_container_document(const model::TaskView& task, const model::ContainerView& container,
                                                RuntimeNetworks networks);
/// `tags` null: not a tags route.
[[nodiscard]] std::string v2_task_document(const model::TaskView& task, const InstanceIdentity& identity,
                                           const Tags* tags, RuntimeNetworks networks);

/// The task that owns `ip`; null when none does.
[[nodiscard]] std::shared_ptr<const model::TaskView> task_at(const model::Snapshot& snapshot, std::string_view ip);
[[nodiscard]] Response v2_unknown_caller(std::string_view ip);
[[nodiscard]] Response v2_container(const model::Snapshot& snapshot, std::string_view ip, const std::string& docker_id);
[[nodiscard]] Response v2_task(const model::Snapshot& snapshot, std::string_view ip, const InstanceIdentity& identity,
                               const Tags* tags);

}  // namespace nodeagent::metadata
