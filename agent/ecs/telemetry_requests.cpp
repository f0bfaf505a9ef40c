#include "agent/ecs/telemetry_requests.hpp"

#include <algorithm>
#include <utility>

#include "agent/base/json.hpp"

namespace nodeagent::ecs {

using model::GeneralMetricsWrapper;
using model::PublishHealthRequest;
using model::PublishMetricsRequest;
using model::TaskMetric;

namespace {

constexpr std::size_t kSeparator = 1;  // the comma between list entries
constexpr std::size_t kWrapperMember = std::string_view(R"(,"serviceConnectMetricsWrapper":[])").size();

std::string_view health_word(model::HealthStatus status) {
    switch (status) {
        case model::HealthStatus::Healthy: return "HEALTHY";
        case model::HealthStatus::Unhealthy: return "UNHEALTHY";
        case model::HealthStatus::Unknown: break;
    }
    return "UNKNOWN";
}

// Fills requests up to the limits, keeping count of the encoded size instead of encoding the whole again for each task.
class MetricsCutter {
  public:
    explicit MetricsCutter(PublishMetricsRequest empty) : empty_(std::move(empty)), current_(empty_) {
        empty_size_ = encode(empty_).size() + std::string_view(R"(,"taskMetrics":[])").size();
        size_ = empty_size_;
    }

    void add(TaskMetric task) {
        std::vector<GeneralMetricsWrapper> service_connect = std::exchange(task.service_connect_metrics_wrapper, {});
        const std::size_t size = encode(task).size() + kSeparator;
        if (current_.task_metrics.size() == kTasksPerRequest || size_ + size > kMaxMetricsRequest) flush();
        current_.task_metrics.push_back(std::move(task));
        size_ += size;
        for (GeneralMetricsWrapper& wrapper : service_connect) {
            const std::size_t grows = encode(wrapper).size() + kSeparator + kWrapperMember;
            const TaskMetric& so_far = current_.task_metrics.back();
            const bool alone = so_far.container_metrics.empty() && so_far.service_connect_metrics_wrapper.empty();
            if (size_ + grows > kMaxMetricsRequest && !alone) {
                // the task goes on in the next request, without what was sent of it
                TaskMetric rest;
                rest.task_arn = so_far.task_arn;
                rest.task_definition_family = so_far.task_definition_family;
                rest.task_definition_version = so_far.task_definition_version;
                flush();
                size_ += encode(rest).size() + kSeparator;
                current_.task_metrics.push_back(std::move(rest));
            }
            size_ += grows;
            current_.task_metrics.back().service_connect_metrics_wrapper.push_back(std::move(wrapper));
        }
    }

    std::vector<PublishMetricsRequest> finish() {
        if (!current_.task_metrics.empty()) flush();
        if (!done_.empty()) done_.back().metadata.fin = true;
        return std::move(done_);
    }

  private:
    void flush() {
        if (current_.task_metrics.empty()) return;
        done_.push_back(std::exchange(current_, empty_));
        size_ = empty_size_;
    }

    PublishMetricsRequest empty_;
    PublishMetricsRequest current_;
    std::size_t empty_size_ = 0;
    std::size_t size_ = 0;
    std::vector<PublishMetricsRequest> done_;
};

}  // namespace

std::vector<PublishMetricsRequest> metrics_requests(std::optional<std::vector<TaskMetric>> tasks,
                                                    const TelemetryAddress& address, const std::string& message_id,
                                                    WallTime now) {
    PublishMetricsRequest request;
    request.metadata.cluster = address.cluster;
    request.metadata.container_instance = address.container_instance_arn;
    request.metadata.message_id = message_id;
    request.timestamp = model::tcs_timestamp(now);
    if (!tasks) {
        request.metadata.idle = true;
        request.metadata.fin = true;
        return {std::move(request)};
    }
    MetricsCutter cutter(std::move(request));
    for (TaskMetric& task : *tasks) cutter.add(std::move(task));
    return cutter.finish();
}

std::vector<model::TaskHealth> container_health(const model::Snapshot& snapshot, WallTime now) {
    std::vector<model::TaskHealth> out;
    for (const auto& [arn, task] : snapshot.tasks) {
        model::TaskHealth health;
        for (const model::ContainerView& container : task->containers) {
            if (!container.health_checked || container.known == model::ContainerStatus::Stopped) continue;
            model::ContainerHealth one;
            one.container_name = container.name;
            one.health_status = health_word(container.health.status);
            one.status_since = model::tcs_timestamp(container.health.since.value_or(now));
            health.containers.push_back(std::move(one));
        }
        if (health.containers.empty()) continue;
        health.task_arn = arn;
        health.task_definition_family = task->family;
        health.task_definition_version = task->version;
        out.push_back(std::move(health));
    }
    return out;
}

std::vector<PublishHealthRequest> health_requests(std::vector<model::TaskHealth> tasks, const TelemetryAddress& address,
                                                  const std::string& message_id, WallTime now) {
    std::vector<PublishHealthRequest> out;
    for (std::size_t from = 0; from < tasks.size(); from += kTasksPerRequest) {
        PublishHealthRequest request;
        request.metadata.cluster = address.cluster;
        request.metadata.container_instance = address.container_instance_arn;
        request.metadata.message_id = message_id;
        request.timestamp = model::tcs_timestamp(now);
        const std::size_t to = std::min(tasks.size(), from + kTasksPerRequest);
        for (std::size_t i = from; i < to; ++i) request.tasks.push_back(std::move(tasks[i]));
        request.metadata.fin = to == tasks.size();
        out.push_back(std::move(request));
    }
    return out;
}

}  // namespace nodeagent::ecs
