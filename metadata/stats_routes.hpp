#pragma once
// Statistics of one container or of all containers of a task. endpoints.md 3.

#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"
#include "metadata/message.hpp"
#include "metadata/stats_source.hpp"

namespace nodeagent::metadata {

/// `source` null: nothing has been sampled yet; containers that run are then tracked ones without a sample.
[[nodiscard]] Response v2_container_stats(const model::Snapshot& snapshot, const StatsSource* source,
                                          std::string_view ip, const std::string& docker_id);
[[nodiscard]] Response v2_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view ip);
[[nodiscard]] Response v3_container_stats(const model::Snapshot& snapshot, const StatsSource* source,
                                          std::string_view id);
[[nodiscard]] Response v3_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id);
[[nodiscard]] Response v4_container_stats(const model::Snapshot& snapshot, const StatsSource* source,
                                          std::string_view id);
[[nodiscard]] Response v4_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id);

}  // namespace nodeagent::metadata
