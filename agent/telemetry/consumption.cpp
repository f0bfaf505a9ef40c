#include "agent/telemetry/consumption.hpp"

#include <algorithm>
#include <cmath>

namespace nodeagent::telemetry {

namespace {

/// What the figures are called on one level.
struct Names {
    std::array<Metric, kUses> used;
    Metric cpu_reserved, memory_reserved, cpu_utilization, memory_utilization;
};
constexpr Names kOfTasks{.used = {Metric::CpuUtilized, Metric::MemoryUtilized, Metric::NetworkRxBytes,
                                  Metric::NetworkTxBytes, Metric::StorageReadBytes, Metric::StorageWriteBytes},
                         .cpu_reserved = Metric::CpuReserved,
                         .memory_reserved = Metric::MemoryReserved,
                         .cpu_utilization = Metric::TaskCpuUtilization,
                         .memory_utilization = Metric::TaskMemoryUtilization};
constexpr Names kOfContainers{
    .used = {Metric::ContainerCpuUtilized, Metric::ContainerMemoryUtilized, Metric::ContainerNetworkRxBytes,
             Metric::ContainerNetworkTxBytes, Metric::ContainerStorageReadBytes, Metric::ContainerStorageWriteBytes},
    .cpu_reserved = Metric::ContainerCpuReserved,
    .memory_reserved = Metric::ContainerMemoryReserved,
    .cpu_utilization = Metric::ContainerCpuUtilization,
    .memory_utilization = Metric::ContainerMemoryUtilization};

void tell_sample(Sheet& sheet, Metric metric, double value, double lowest, double highest) {
    auto found = std::find_if(sheet.begin(), sheet.end(), [&](const Datum& datum) { return datum.metric == metric; });
    if (found == sheet.end()) found = sheet.insert(sheet.end(), Datum{.metric = metric, .set = {}});
    found->set.add(value, lowest, highest);
}

void tell_uses(Sheet& sheet, const Names& names, const Consumption& of, bool only_reserved) {
    if (of.cpu_reserved > 0) tell(sheet, names.cpu_reserved, of.cpu_reserved);
    if (of.memory_reserved > 0) tell(sheet, names.memory_reserved, of.memory_reserved);
    for (std::size_t use = 0; use < kUses; ++use) {
        const bool unreserved =
            (use == Use::Cpu && of.cpu_reserved <= 0) || (use == Use::Memory && of.memory_reserved <= 0);
        if (only_reserved && unreserved) continue;
        tell(sheet, names.used[use], of.used[use], use == Use::Read || use == Use::Written);
    }
    if (of.restarts) tell(sheet, Metric::RestartCount, static_cast<double>(*of.restarts));
}

void tell_percent(Sheet& sheet, Metric metric, const Course& course, double of) {
    if (course.count == 0 || of <= 0) return;
    tell_sample(sheet, metric, 100 * course.mean() / of, 100 * course.min / of, 100 * course.max / of);
}

}  // namespace

void Course::add(double value) {
    min = count == 0 ? value : std::min(min, value);
    max = count == 0 ? value : std::max(max, value);
    sum += value;
    last = value;
    ++count;
}

double Course::mean() const { return std::clamp(sum / count, min, max); }  // rounding must not leave the range

void Consumption::add(const Figures& figures) {
    for (std::size_t use = 0; use < kUses; ++use) {
        if (!std::isnan(figures[use])) used[use].add(figures[use]);
    }
}

void tell(Sheet& sheet, Metric metric, const Course& course, bool newest) {
    if (course.count == 0) return;
    tell_sample(sheet, metric, newest ? course.last : course.mean(), course.min, course.max);
}

void tell(Sheet& sheet, Metric metric, double value) { tell_sample(sheet, metric, value, value, value); }

void tell_among_tasks(Sheet& sheet, const Consumption& task) { tell_uses(sheet, kOfTasks, task, true); }

void tell_task(Sheet& sheet, const Consumption& task) {
    tell_uses(sheet, kOfTasks, task, false);
    tell_percent(sheet, kOfTasks.cpu_utilization, task.used[Use::Cpu], task.cpu_reserved);
    tell_percent(sheet, kOfTasks.memory_utilization, task.used[Use::Memory], task.memory_reserved);
}

void tell_container(Sheet& sheet, const Consumption& container, const Consumption& task) {
    const auto share = [](double own, double of_task) { return own > 0 ? own : of_task; };
    tell_uses(sheet, kOfContainers, container, false);
    tell_percent(sheet, kOfContainers.cpu_utilization, container.used[Use::Cpu],
                 share(container.cpu_reserved, task.cpu_reserved));
    tell_percent(sheet, kOfContainers.memory_utilization, container.used[Use::Memory],
                 share(container.memory_reserved, task.memory_reserved));
    if (container.unhealthy) tell(sheet, Metric::UnHealthyContainerHealthStatus, *container.unhealthy, true);
}

}  // namespace nodeagent::telemetry
