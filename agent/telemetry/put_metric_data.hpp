#pragma once
// Minutes of metrics as requests to CloudWatch: PutMetricData in the query protocol, which every version of the service
// and every region has, compressed. Pure.

#include <cstddef>
#include <string>
#include <vector>

#include "agent/telemetry/metric_minute.hpp"

namespace nodeagent::telemetry {

inline constexpr std::string_view kMetricNamespace = "ECS/ContainerInsights";

struct RequestLimits {
    std::size_t metrics = 1000;
    std::size_t bytes = 1'000'000;  ///< of the form before compression
};

struct MetricRequest {
    std::string form;  ///< gzip
    std::size_t metrics = 0;
    WallTime minute{};
};

/// As many requests as the limits ask for, at least one metric each; none for an empty minute. Every metric carries the
/// minute's timestamp, so that a late request still lands in its minute.
[[nodiscard]] std::vector<MetricRequest> put_metric_data(const MetricMinute& minute, std::string_view cluster,
                                                         RequestLimits limits = {});
/// The request as two, for a peer that finds it too large. Nothing of a single metric.
[[nodiscard]] std::vector<MetricRequest> halves_of(const MetricRequest& request, std::size_t limit = 1U << 24U);

}  // namespace nodeagent::telemetry
