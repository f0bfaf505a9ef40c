#pragma once
// Where the stats routes get container statistics from. endpoints.md 3.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace nodeagent::metadata {

/// Bytes per second between the last two samples, in the reference's 32-bit arithmetic; may be NaN.
struct NetworkRates {
    float received = 0;
    float sent = 0;
};

struct ContainerSample {
    /// The statistics object as compact JSON in the key order of endpoints.md 3.2, "{...}"; null: no sample yet.
    std::shared_ptr<const std::string> object;
    std::optional<NetworkRates> rates;
};

/// Called on the endpoints' shard; implementations lock briefly.
class StatsSource {
  public:
    virtual ~StatsSource() = default;
    /// Nothing when the container is not tracked (unknown, stopped, metrics disabled).
    [[nodiscard]] virtual std::optional<ContainerSample> sample(const std::string& task_arn,
                                                                const std::string& docker_id) const = 0;
};

}  // namespace nodeagent::metadata
