#pragma once
// THE list of our Prometheus families. A row is a family: its name, its type, its help, and how its series are read
// from a subject. Names that begin with container_ are cAdvisor's, in its units, so that dashboards made for it go on
// working; ecs_agent_ is the agent itself, ecs_task_ and ecs_container_ are what ECS knows, ecs_host_ is the machine.

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "agent/model/host_conditions.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/telemetry/agent_figures.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry/usage.hpp"

namespace nodeagent::telemetry {

using Labels = std::vector<prometheus::ClientMetric::Label>;
using Label = std::pair<const char*, std::string_view>;

/// Takes the series of one family of one subject. A subject that has none is left out.
class Series {
  public:
    Series(prometheus::MetricFamily& family, const Labels& subject) : family_(family), subject_(subject) {}
    /// `own`: the labels that only this series has.
    void add(double value, std::initializer_list<Label> own = {});

  private:
    prometheus::MetricFamily& family_;
    const Labels& subject_;
};

template <class Subject>
struct Row {
    const char* name;
    prometheus::MetricType type;
    const char* help;
    void (*read)(const Subject&, Series&);
};

struct TaskSubject {
    const model::TaskView& task;
};

/// A running container and what it uses.
struct ContainerUse {
    const model::TaskView& task;
    const model::ContainerView& container;
    const Usage& usage;
    cgroups::Version version;
};

/// A container that a task has, running or not.
struct ContainerOfTask {
    const model::TaskView& task;
    const model::ContainerView& container;
};

struct ProcessUse {
    std::size_t resident_bytes = 0;
    std::size_t descriptors = 0;
    double cpu_seconds = 0;  ///< of all threads
};

struct AgentState {
    const AgentFigures& figures;
    const model::Snapshot& snapshot;
    const ProcessUse& process;
    const std::optional<Collector::Counters>& sampling;  ///< nothing: the machine shows no cgroups
};

[[nodiscard]] std::span<const Row<ContainerUse>> container_use_families();
[[nodiscard]] std::span<const Row<ContainerOfTask>> container_families();
[[nodiscard]] std::span<const Row<TaskSubject>> task_families();
[[nodiscard]] std::span<const Row<AgentState>> agent_families();
[[nodiscard]] std::span<const Row<model::HostConditions>> host_families();

/// Observed by LifecycleSteps as they happen.
struct StepFamily {
    const char* name;
    const char* help;
};
inline constexpr StepFamily kContainerSteps{
    "ecs_agent_container_step_seconds",
    "Time of a step in a container's life: from the payload to pulled, from pulled to created (with the wait for "
    "dependencies), from created to running, from the wish to stop it to stopped."};
inline constexpr StepFamily kTaskSteps{
    "ecs_agent_task_step_seconds",
    "Time of a step in a task's life: from the payload to running, from the wish to stop it to stopped, and from each "
    "of the two until ECS acknowledged it."};

/// id, name, image, container, task_id, task_arn, family, revision, cluster.
[[nodiscard]] Labels labels_of(const model::TaskView& task, const model::ContainerView& container,
                               const std::string& cluster);
/// task_id, task_arn, family, revision, cluster.
[[nodiscard]] Labels labels_of(const model::TaskView& task, const std::string& cluster);
/// The reference without what a user may have put before its host: "user:secret@registry/app:1" -> "registry/app:1".
[[nodiscard]] std::string image_label(std::string_view image);

}  // namespace nodeagent::telemetry
