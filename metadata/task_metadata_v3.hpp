#pragma once
// Task metadata version 3: found by the endpoint id in the path; documents of the v2 shape with the runtime's networks.
// endpoints.md 1.7, 2.

#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/document_parts.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

/// The container with that endpoint id; null when there is none. Valid as long as the snapshot.
[[nodiscard]] const model::Snapshot::ContainerKey* find_endpoint(const model::Snapshot& snapshot, std::string_view id);

/// The two reasons why an endpoint id leads nowhere, as v3 and v4 both word them.
[[nodiscard]] std::string no_task_behind(std::string_view id);
[[nodiscard]] std::string no_container_behind(std::string_view id);

[[nodiscard]] Response v3_container(const model::Snapshot& snapshot, std::string_view id);
[[nodiscard]] Response v3_task(const model::Snapshot& snapshot, std::string_view id, const InstanceIdentity& identity,
                               const Tags* tags);

}  // namespace nodeagent::metadata
