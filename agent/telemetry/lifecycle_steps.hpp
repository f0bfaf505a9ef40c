#pragma once
// How long the steps of tasks and containers take, as histograms. Hears of them on the engine's shard; collect() may be
// called from any.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "agent/base/clock.hpp"
#include "agent/engine/step_sink.hpp"

namespace nodeagent::telemetry {

class LifecycleSteps final : public engine::StepSink {
  public:
    LifecycleSteps();

    void accepted(const core::TaskState& task, SteadyTime now) override;
    void changed(const core::TaskState& before, const core::TaskState& after, SteadyTime now) override;
    void gone(const std::string& task_arn) override;

    [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const { return registry_.Collect(); }

  private:
    /// Of a moment that this process did not see, nothing is measured.
    using Seen = std::optional<SteadyTime>;
    struct ContainerTimes {
        Seen step_begun;  ///< when the payload came, or its status last rose
        Seen stop_wanted;
    };
    struct TaskTimes {
        Seen accepted, running, stop_wanted, stopped;
        std::vector<ContainerTimes> containers;  ///< in the task's order
    };
    struct Steps {
        explicit Steps(prometheus::Family<prometheus::Histogram>& family) : family_(family) {}
        void observe(const char* step, const Seen& since, SteadyTime now);

      private:
        prometheus::Family<prometheus::Histogram>& family_;
        std::map<std::string, prometheus::Histogram*> known_;
    };
    void task_changed(TaskTimes& times, const core::TaskState& before, const core::TaskState& after, SteadyTime now);

    prometheus::Registry registry_;
    Steps container_steps_;
    Steps task_steps_;
    std::map<std::string, TaskTimes> tasks_;  ///< by ARN
};

}  // namespace nodeagent::telemetry
