#include "agent/telemetry/exposition.hpp"

#include <ctime>
#include <sstream>
#include <utility>
#include <vector>

#include <prometheus/text_serializer.h>

#include "agent/base/resident.hpp"

namespace nodeagent::telemetry {

namespace {

/// A subject with the labels that all of its series have.
template <class Subject>
struct Labelled {
    Subject subject;
    Labels labels;
};

class Text {
  public:
    void add(std::vector<prometheus::MetricFamily> families) {
        std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
        serializer_.Serialize(out_, families);
    }

    template <class Subject>
    void add(std::span<const Row<Subject>> rows, const std::vector<Labelled<Subject>>& subjects) {
        prometheus::MetricFamily& family = one_.front();
        for (const Row<Subject>& row : rows) {
            family.name = row.name;
            family.help = row.help;
            family.type = row.type;
            family.metric.clear();
            for (const Labelled<Subject>& one : subjects) {
                Series series(family, one.labels);
                row.read(one.subject, series);
            }
            if (!family.metric.empty()) serializer_.Serialize(out_, one_);
        }
    }

    [[nodiscard]] std::string take() { return std::move(out_).str(); }

  private:
    std::ostringstream out_;
    prometheus::TextSerializer serializer_;
    std::vector<prometheus::MetricFamily> one_{1};
};

void add_containers(const Scene& scene, Text& text) {
    std::vector<Labelled<ContainerOfTask>> containers;
    std::vector<Labelled<TaskSubject>> tasks;
    std::vector<Labelled<ContainerUse>> used;
    for (const auto& [arn, task] : scene.snapshot.tasks) {
        tasks.push_back({{*task}, labels_of(*task, scene.figures.cluster)});
        for (const model::ContainerView& container : task->containers) {
            Labels labels = labels_of(*task, container, scene.figures.cluster);
            const auto found = scene.usage.find(container.docker_id);
            if (found != scene.usage.end() && container.known != model::ContainerStatus::Stopped) {
                used.push_back(
                    {ContainerUse{
                         .task = *task, .container = container, .usage = found->second, .version = scene.version},
                     labels});
            }
            containers.push_back({{*task, container}, std::move(labels)});
        }
    }
    text.add(task_families(), tasks);
    text.add(container_families(), containers);
    text.add(container_use_families(), used);
}

}  // namespace

std::string exposition(const Scene& scene) {
    Text text;
    const std::vector<Labelled<AgentState>> agent{
        {{.figures = scene.figures, .snapshot = scene.snapshot, .process = scene.process, .sampling = scene.sampling},
         {}}};
    text.add(agent_families(), agent);
    text.add(scene.steps.collect());
    const std::vector<Labelled<model::HostConditions>> host{{scene.host, {}}};
    text.add(host_families(), host);
    add_containers(scene, text);
    return text.take();
}

ProcessUse process_use() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return {.resident_bytes = resident_bytes(),
            .descriptors = open_descriptors(),
            .cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9};
}

}  // namespace nodeagent::telemetry
