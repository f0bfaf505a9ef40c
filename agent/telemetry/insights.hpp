#pragma once
// Makes minutes of metrics out of readings, with the meaning that Container Insights gives them (README, "CloudWatch
// directly"). Pure: the time, the readings and the tasks come in, minutes go out.
//
// In every set a task counts once, with its mean over the minute (of what only grows: with its last value). Over all
// instances of a cluster Sum then is the cluster's total, Average the mean task and SampleCount the number of tasks.
// Minimum and Maximum are those of single samples: a peak of a second is seen. What is counted per instance (tasks,
// the instance itself) has one sample per instance.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/model/snapshot.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry/consumption.hpp"
#include "agent/telemetry/metric_minute.hpp"

namespace nodeagent::telemetry {

class Insights {
  public:
    /// Gives every container's reading to the visitor, as Collector::each does.
    using Readings = std::function<void(const std::function<void(const Reading&)>&)>;

    /// `detailed`: every task and container has series of its own, too. `interval`: between looks.
    Insights(bool detailed, cgroups::Version version, std::chrono::nanoseconds interval)
        : detailed_(detailed), version_(version), interval_(interval) {}

    /// One look at what runs; several a minute. Gives the minute that this look has ended, if any.
    [[nodiscard]] std::optional<MetricMinute> look(WallTime now, const Readings& readings,
                                                   const model::Snapshot& snapshot);
    /// Ends the minute under way. Nothing when it was watched for half of it or less: a minute that two agents share,
    /// one stopped and one started, then is told by one of them at most, and its tasks are not counted twice. Of a
    /// time without looks (the machine slept, the clock was set) two intervals count as watched.
    [[nodiscard]] std::optional<MetricMinute> close(WallTime now);

  private:
    /// Kept from look to look, so that a minute's first rate has something to start from; of a container that has
    /// ended, until its task goes.
    struct Known {
        SteadyTime read{};
        std::string task;  ///< ARN
        std::uint64_t cpu_ns = 0;
        std::optional<NetworkCounters> network;
        std::optional<std::int64_t> restarts;
        Figures now = kNothingKnown;
        std::uint64_t look = 0;
    };
    struct Task {
        Consumption whole;
        Dimensions of;
        std::string service;
        std::map<std::string, Consumption> containers;  ///< by name; only with `detailed`
        Figures now = kNothingKnown;                    ///< sums over its containers in the look under way
        bool fresh = false;                             ///< at least one of them was read anew
    };
    struct Service {
        Course running, pending;
        std::uint32_t running_now = 0, pending_now = 0;
    };

    /// True when the reading is a new one.
    bool follow(Known& known, const Reading& reading) const;
    void take(const Reading& reading);
    void add_ended(const model::Snapshot& snapshot);
    void watch(WallTime from, WallTime until);
    Task& task_of(const model::TaskView& view);
    void count(const model::Snapshot& snapshot);
    [[nodiscard]] MetricMinute told() const;

    bool detailed_;
    cgroups::Version version_;
    std::chrono::nanoseconds interval_;
    std::uint64_t looks_ = 0;
    std::unordered_map<std::string, Known> known_;  ///< by container id

    WallTime minute_{};  ///< its start; zero: none under way
    WallTime last_look_{};
    std::chrono::nanoseconds watched_{};           ///< of the minute
    std::unordered_map<std::string, Task> tasks_;  ///< by ARN
    std::map<std::string, Service> services_;
    Course running_tasks_;
};

}  // namespace nodeagent::telemetry
