#pragma once
// Cuts telemetry into requests (control-plane.md 8.4, 8.6). Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/model/tcs_messages.hpp"

namespace nodeagent::ecs {

constexpr std::size_t kTasksPerRequest = 10;
constexpr std::size_t kMaxMetricsRequest = std::size_t{1} << 20U;  ///< bytes of the encoded request

struct TelemetryAddress {
    std::string cluster;
    std::string container_instance_arn;
};

/// `tasks` as TelemetrySource::take() gives them: nothing makes one idle request, an empty list none.
[[nodiscard]] std::vector<model::PublishMetricsRequest> metrics_requests(
    std::optional<std::vector<model::TaskMetric>> tasks, const TelemetryAddress& address, const std::string& message_id,
    WallTime now);

/// Tasks with a health-checked container that has not stopped; none: no request.
[[nodiscard]] std::vector<model::TaskHealth> container_health(const model::Snapshot& snapshot, WallTime now);
[[nodiscard]] std::vector<model::PublishHealthRequest> health_requests(std::vector<model::TaskHealth> tasks,
                                                                       const TelemetryAddress& address,
                                                                       const std::string& message_id, WallTime now);

}  // namespace nodeagent::ecs
