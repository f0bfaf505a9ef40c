#pragma once
// Associations of a task with devices, v3 and v4. endpoints.md 1.9.

#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

/// `version` is 3 or 4 and only shows in error texts.
[[nodiscard]] Response associations_of_type(const model::Snapshot& snapshot, int version, std::string_view id,
                                            std::string_view type);
/// `name` empty: the path ended before it.
[[nodiscard]] Response association(const model::Snapshot& snapshot, int version, std::string_view id,
                                   std::string_view type, std::string_view name);

}  // namespace nodeagent::metadata
