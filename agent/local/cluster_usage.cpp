#include "agent/local/cluster_usage.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace nodeagent::local {
namespace {

constexpr std::string_view kServiceGroup = "service:";
constexpr std::size_t kMetricNameAtMost = 255;
constexpr std::size_t kContainersAtMost = 100;  // of a task: its own and the agent's
/// The least the kernel gives to a container that reserves nothing, so that its share of a service is a number.
constexpr double kLeastCpu = 2;

std::int64_t resource_of(const ContainerInstance& instance, std::string_view name) {
    for (const Resource& resource : instance.resources) {
        if (resource.name == name) return resource.integer_value;
    }
    return 0;
}

/// Registered by the instances that can run tasks of the cluster.
double registered_in(State& state, const std::string& cluster, std::string_view name) {
    std::int64_t sum = 0;
    for (const auto& [arn, instance] : state.instances()) {
        const bool counts = instance.status == "ACTIVE" || instance.status == "DRAINING";
        if (counts && instance.cluster == cluster) sum += resource_of(instance, name);
    }
    return static_cast<double>(sum);
}

std::string family_of(const Task& task) {
    const std::string revision(last_segment(task.definition_arn));
    return revision.substr(0, revision.rfind(':'));
}

std::string service_of(const Task& task) {
    if (!task.group.starts_with(kServiceGroup)) return {};
    std::string service = task.group.substr(kServiceGroup.size());
    return service.size() <= kMetricNameAtMost ? service : std::string();
}

/// "disabled" unless the cluster says otherwise.
std::string container_insights(State& state, const std::string& cluster) {
    const Cluster* found = state.cluster(cluster);
    if (found == nullptr || !found->settings.is_array()) return "disabled";
    for (const Json& setting : found->settings) {
        if (!setting.is_object() || setting.value("name", Json()) != "containerInsights") continue;
        const Json value = setting.value("value", Json());
        if (value.is_string()) return value.get<std::string>();
    }
    return "disabled";
}

}  // namespace

void ClusterUsage::Use::merge(const Use& more) {
    cpu.merge(more.cpu);
    memory.merge(more.memory);
}

void ClusterUsage::Use::add_up(const Use& other) {
    cpu.add_up(other.cpu);
    memory.add_up(other.memory);
}

ClusterUsage::Use ClusterUsage::TaskMinute::sample() const {
    Use whole;
    for (const auto& [name, use] : containers) whole.add_up(use.as_one_sample());
    return whole;
}

void ClusterUsage::record(const std::string& instance_arn, const std::vector<TaskUse>& tasks, Minute minute) {
    const ContainerInstance* instance = state_.instance(instance_arn);
    if (instance == nullptr) return;
    const auto cpu_units = static_cast<double>(resource_of(*instance, "CPU"));
    std::set<std::string> clusters;
    for (const TaskUse& told : tasks) {
        const Task* task = state_.task(told.task_arn);
        if (task == nullptr || task->instance_arn != instance_arn || told.containers.empty()) continue;
        TaskMinute& of_task = open_[{minute, task->cluster}][task->arn];
        const auto containers = static_cast<double>(std::max<std::size_t>(task->containers.size(), 1));
        of_task.family = family_of(*task);
        of_task.service = service_of(*task);
        of_task.reserved_cpu = task->demand.cpu > 0 ? static_cast<double>(task->demand.cpu) : kLeastCpu * containers;
        of_task.reserved_memory = static_cast<double>(task->demand.memory);
        for (const ContainerUse& container : told.containers) {
            if (container.name.empty() || container.name.size() > kMetricNameAtMost) continue;
            const bool full = of_task.containers.size() >= kContainersAtMost;
            if (full && !of_task.containers.contains(container.name)) continue;
            of_task.containers[container.name].merge(
                {.cpu = container.cpu.share_of(cpu_units), .memory = container.memory});
        }
        clusters.insert(task->cluster);
    }
    for (const std::string& cluster : clusters) write(cluster, minute, open_[{minute, cluster}]);
    while (!open_.empty() && open_.begin()->first.first < minute - kOpen) open_.erase(open_.begin());
}

void ClusterUsage::write(const std::string& cluster, Minute minute, const Tasks& tasks) {
    Use cluster_use;
    std::map<std::string, Use> services;  // in percent of what each task reserves
    for (const auto& [arn, task] : tasks) {
        const Use sample = task.sample();
        cluster_use.add_up(sample);
        if (task.service.empty()) continue;
        Use& service = services[task.service];
        service.cpu.merge(sample.cpu.percent_of(task.reserved_cpu));
        if (task.reserved_memory > 0) service.memory.merge(sample.memory.percent_of(task.reserved_memory));
    }
    const double cpu = registered_in(state_, cluster, "CPU");
    const double memory = registered_in(state_, cluster, "MEMORY");
    if (cpu > 0 && memory > 0) {
        write_percent({{"ClusterName", cluster}}, minute, cluster_use.cpu.percent_of(cpu),
                      cluster_use.memory.percent_of(memory));
    }
    for (const auto& [service, use] : services) {
        write_percent({{"ClusterName", cluster}, {"ServiceName", service}}, minute, use.cpu, use.memory);
    }
    const std::string insights = container_insights(state_, cluster);
    if (insights == "enabled" || insights == "enhanced") write_insights(cluster, minute, tasks, insights == "enhanced");
}

void ClusterUsage::write_insights(const std::string& cluster, Minute minute, const Tasks& tasks, bool enhanced) {
    std::map<Dimensions, Use> uses;
    for (const auto& [arn, task] : tasks) {
        const Use sample = task.sample();
        uses[{{"ClusterName", cluster}}].merge(sample);
        if (!task.service.empty()) uses[{{"ClusterName", cluster}, {"ServiceName", task.service}}].merge(sample);
        Dimensions dimensions{{"ClusterName", cluster}, {"TaskDefinitionFamily", task.family}};
        uses[dimensions].merge(sample);
        if (!enhanced) continue;
        dimensions["TaskId"] = last_segment(arn);
        uses[dimensions].merge(sample);
        for (const auto& [name, use] : task.containers) {
            dimensions["ContainerName"] = name;
            uses[dimensions].merge(use.as_one_sample());
        }
    }
    for (const auto& [dimensions, use] : uses) write_used(dimensions, minute, use);
}

void ClusterUsage::write_used(Dimensions dimensions, Minute minute, const Use& use) {
    Metric metric{.space = "ECS/ContainerInsights", .name = "CpuUtilized", .dimensions = std::move(dimensions)};
    if (use.cpu.count > 0) metrics_.replace(metric, "None", minute, use.cpu);
    metric.name = "MemoryUtilized";
    if (use.memory.count > 0) metrics_.replace(metric, "Megabytes", minute, use.memory);
}

void ClusterUsage::write_percent(Dimensions dimensions, Minute minute, const StatisticSet& cpu,
                                 const StatisticSet& memory) {
    Metric metric{.space = "AWS/ECS", .name = "CPUUtilization", .dimensions = std::move(dimensions)};
    if (cpu.count > 0) metrics_.replace(metric, "Percent", minute, cpu);
    metric.name = "MemoryUtilization";
    if (memory.count > 0) metrics_.replace(metric, "Percent", minute, memory);
}

}  // namespace nodeagent::local
