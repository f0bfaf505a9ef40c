#pragma once
// What one task or container used in a minute, and how that is told as metrics. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "agent/telemetry/metric_minute.hpp"

namespace nodeagent::telemetry {

/// What one figure did in the minute.
struct Course {
    std::uint32_t count = 0;
    double sum = 0, min = 0, max = 0, last = 0;
    void add(double value);
    [[nodiscard]] double mean() const;  ///< there is at least one value
};

struct Use {
    /// CPU units; MiB; bytes a second, twice; bytes since the start, twice.
    enum Index : std::size_t { Cpu, Memory, Received, Sent, Read, Written };
};
inline constexpr std::size_t kUses = 6;
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
using Figures = std::array<double, kUses>;
inline constexpr Figures kNothingKnown{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};

struct Consumption {
    std::array<Course, kUses> used;
    std::optional<std::int64_t> restarts;  ///< only with a restart policy
    double cpu_reserved = 0;               ///< units; 0: nothing
    double memory_reserved = 0;            ///< MiB; 0: nothing
    std::optional<Course> unhealthy;       ///< of a container with a health check: 0 or 1

    /// Every figure that is known.
    void add(const Figures& figures);
};

using Sheet = std::vector<Datum>;  ///< of one series; every metric once

/// Adds one sample of `course` to the sheet: its mean, or with `newest` its last value.
void tell(Sheet& sheet, Metric metric, const Course& course, bool newest);
void tell(Sheet& sheet, Metric metric, double value);

/// One task of many. CPU and memory only where some is reserved, so that the sum of what is used can be divided by the
/// sum of what is reserved.
void tell_among_tasks(Sheet& sheet, const Consumption& task);
/// A task's own series: with percentages of what it has reserved.
void tell_task(Sheet& sheet, const Consumption& task);
/// A container's; its percentages are of the task's reservation where it has none itself.
void tell_container(Sheet& sheet, const Consumption& container, const Consumption& task);

}  // namespace nodeagent::telemetry
