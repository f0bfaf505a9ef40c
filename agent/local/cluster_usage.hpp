#pragma once
// What tasks use, minute by minute, from the rounds their agents publish, and the metrics Amazon ECS makes of it:
//
//   AWS/ECS CPUUtilization, MemoryUtilization, in percent
//     ClusterName                used by the cluster's tasks / registered by its ACTIVE and DRAINING instances
//     ClusterName, ServiceName   used by the tasks of a service / reserved by them; a sample per task
//   ECS/ContainerInsights CpuUtilized (CPU units), MemoryUtilized (MiB), if the cluster's setting containerInsights
//   asks
//     ClusterName; with ServiceName; with TaskDefinitionFamily          enabled or enhanced; a sample per task
//     ClusterName, TaskDefinitionFamily, TaskId [, ContainerName]       enhanced
//
// A task's sample of a minute is its average, between its lowest and highest. Of a task with several containers, and of
// a cluster, the extremes are the sums of theirs.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/local/cloudwatch/metric_store.hpp"
#include "agent/local/publish_round.hpp"
#include "agent/local/state.hpp"

namespace nodeagent::local {

class ClusterUsage {
  public:
    /// How long a minute takes rounds that come late: agents keep five minutes while they are disconnected.
    static constexpr std::chrono::minutes kOpen{10};

    ClusterUsage(State& state, MetricStore& metrics) : state_(state), metrics_(metrics) {}

    /// A round of the instance's agent. Tasks that are not the instance's do not count.
    void record(const std::string& instance_arn, const std::vector<TaskUse>& tasks, Minute minute);

  private:
    struct Use {
        StatisticSet cpu;     ///< CPU units
        StatisticSet memory;  ///< MiB
        void merge(const Use& more);
        void add_up(const Use& other);
        [[nodiscard]] Use as_one_sample() const { return {cpu.as_one_sample(), memory.as_one_sample()}; }
    };
    struct TaskMinute {
        std::string family;
        std::string service;
        double reserved_cpu = 0;
        double reserved_memory = 0;
        std::map<std::string, Use> containers;
        [[nodiscard]] Use sample() const;
    };
    using Tasks = std::map<std::string, TaskMinute>;  ///< by task ARN

    void write(const std::string& cluster, Minute minute, const Tasks& tasks);
    void write_insights(const std::string& cluster, Minute minute, const Tasks& tasks, bool enhanced);
    void write_used(Dimensions dimensions, Minute minute, const Use& use);
    void write_percent(Dimensions dimensions, Minute minute, const StatisticSet& cpu, const StatisticSet& memory);

    State& state_;
    MetricStore& metrics_;
    std::map<std::pair<Minute, std::string>, Tasks> open_;  ///< by minute and cluster
};

}  // namespace nodeagent::local
