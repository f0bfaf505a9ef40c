#pragma once
// Where the telemetry session gets resource usage from.

#include <optional>
#include <vector>

#include "agent/model/tcs_messages.hpp"

namespace nodeagent::ecs {

class TelemetrySource {
  public:
    virtual ~TelemetrySource() = default;
    /// The sets over the samples taken since the last call that returned a task. Nothing: no container is tracked
    /// (idle). Empty list: containers are tracked but nothing can be told yet; nothing is published then. Runs on the
    /// session's shard; `service_connect`: include those figures, which are due every third time.
    virtual std::optional<std::vector<model::TaskMetric>> take(bool service_connect) = 0;
};

}  // namespace nodeagent::ecs
