#pragma once
// The documents of the introspection server. endpoints.md 5.

#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

[[nodiscard]] Response introspection_metadata(const InstanceIdentity& identity);
/// /v1/tasks with its queries.
[[nodiscard]] Response introspection_tasks(const model::Snapshot& snapshot, const Request& request);
/// What any unknown path gets.
[[nodiscard]] Response introspection_commands();
/// The three texts of `directory`, or 500.
[[nodiscard]] Response introspection_license(const std::string& directory);

}  // namespace nodeagent::metadata
