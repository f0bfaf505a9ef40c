#include "agent/telemetry/metric_minute.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace nodeagent::telemetry {

namespace {

struct Published {
    std::string_view name;
    std::string_view unit;
};

// In the order of the enumeration. The units are those of Container Insights: CPU units have none, its megabytes are
// mebibytes.
constexpr std::array kPublished{
    Published{"CpuUtilized", "None"},
    Published{"CpuReserved", "None"},
    Published{"MemoryUtilized", "Megabytes"},
    Published{"MemoryReserved", "Megabytes"},
    Published{"NetworkRxBytes", "Bytes/Second"},
    Published{"NetworkTxBytes", "Bytes/Second"},
    Published{"StorageReadBytes", "Bytes"},
    Published{"StorageWriteBytes", "Bytes"},
    Published{"RestartCount", "Count"},
    Published{"TaskCount", "Count"},
    Published{"ContainerInstanceCount", "Count"},
    Published{"RunningTaskCount", "Count"},
    Published{"PendingTaskCount", "Count"},
    Published{"TaskCpuUtilization", "Percent"},
    Published{"TaskMemoryUtilization", "Percent"},
    Published{"ContainerCpuUtilized", "None"},
    Published{"ContainerCpuReserved", "None"},
    Published{"ContainerCpuUtilization", "Percent"},
    Published{"ContainerMemoryUtilized", "Megabytes"},
    Published{"ContainerMemoryReserved", "Megabytes"},
    Published{"ContainerMemoryUtilization", "Percent"},
    Published{"ContainerNetworkRxBytes", "Bytes/Second"},
    Published{"ContainerNetworkTxBytes", "Bytes/Second"},
    Published{"ContainerStorageReadBytes", "Bytes"},
    Published{"ContainerStorageWriteBytes", "Bytes"},
    Published{"UnHealthyContainerHealthStatus", "Count"},
};
static_assert(kPublished.size() == static_cast<std::size_t>(Metric::UnHealthyContainerHealthStatus) + 1);

}  // namespace

std::string_view name_of(Metric metric) { return kPublished[static_cast<std::size_t>(metric)].name; }
std::string_view unit_of(Metric metric) { return kPublished[static_cast<std::size_t>(metric)].unit; }

void StatisticSet::add(double value, double lowest, double highest) {
    min = count == 0 ? lowest : std::min(min, lowest);
    max = count == 0 ? highest : std::max(max, highest);
    sum += value;
    count += 1;
}

}  // namespace nodeagent::telemetry
