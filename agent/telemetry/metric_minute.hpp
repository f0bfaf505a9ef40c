#pragma once
// One minute of metrics as CloudWatch takes them: a statistic set per metric and set of dimensions, under the names of
// Container Insights.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"

namespace nodeagent::telemetry {

/// Each is published under its own name; see unit_of().
enum class Metric : std::uint8_t {
    CpuUtilized,
    CpuReserved,
    MemoryUtilized,
    MemoryReserved,
    NetworkRxBytes,
    NetworkTxBytes,
    StorageReadBytes,
    StorageWriteBytes,
    RestartCount,
    TaskCount,
    ContainerInstanceCount,
    RunningTaskCount,
    PendingTaskCount,
    TaskCpuUtilization,
    TaskMemoryUtilization,
    ContainerCpuUtilized,
    ContainerCpuReserved,
    ContainerCpuUtilization,
    ContainerMemoryUtilized,
    ContainerMemoryReserved,
    ContainerMemoryUtilization,
    ContainerNetworkRxBytes,
    ContainerNetworkTxBytes,
    ContainerStorageReadBytes,
    ContainerStorageWriteBytes,
    UnHealthyContainerHealthStatus
};
[[nodiscard]] std::string_view name_of(Metric metric);
/// CloudWatch's word: "Megabytes", "None".
[[nodiscard]] std::string_view unit_of(Metric metric);

struct StatisticSet {
    double count = 0;
    double sum = 0;
    double min = 0;
    double max = 0;

    /// Also a part's value, with the bounds between which it moved.
    void add(double value, double lowest, double highest);
    void add(double value) { add(value, value, value); }
    friend bool operator==(const StatisticSet&, const StatisticSet&) = default;
};

struct Datum {
    Metric metric{};
    StatisticSet set;
    friend bool operator==(const Datum&, const Datum&) = default;
};

/// Besides ClusterName, which is always one; empty: not a dimension.
struct Dimensions {
    std::string service, family, task_id, container;
    friend auto operator<=>(const Dimensions&, const Dimensions&) = default;
};

struct MetricSeries {
    Dimensions of;
    std::vector<Datum> data;
};

struct MetricMinute {
    WallTime start{};
    std::vector<MetricSeries> series;
};

}  // namespace nodeagent::telemetry
