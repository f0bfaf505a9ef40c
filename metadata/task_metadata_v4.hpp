#pragma once
// Task metadata version 4. endpoints.md 1.8, 2.

#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/document_parts.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

[[nodiscard]] std::string v4_container_document(const model::TaskView& task, const model::ContainerView& container);
/// `tags` null: not a tags route.
[[nodiscard]] std::string v4_task_document(const model::TaskView& task, const InstanceIdentity& identity,
                                           const Tags* tags);

[[nodiscard]] Response v4_container(const model::Snapshot& snapshot, std::string_view id);
[[nodiscard]] Response v4_unknown_task(std::string_view id);
[[nodiscard]] Response v4_task(const model::Snapshot& snapshot, std::string_view id, const InstanceIdentity& identity,
                               const Tags* tags);

}  // namespace nodeagent::metadata
