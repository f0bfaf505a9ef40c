#include "agent/model/status.hpp"

namespace nodeagent::model {

std::string_view to_string(ContainerStatus status) {
    switch (status) {
        case ContainerStatus::None: return "NONE";
        case ContainerStatus::ManifestPulled: return "MANIFEST_PULLED";
        case ContainerStatus::Pulled: return "PULLED";
        case ContainerStatus::Created: return "CREATED";
        case ContainerStatus::Running: return "RUNNING";
        case ContainerStatus::ResourcesProvisioned: return "RESOURCES_PROVISIONED";
        case ContainerStatus::Stopped: return "STOPPED";
    }
    return "NONE";
}

std::string_view to_string(TaskStatus status) {
    switch (status) {
        case TaskStatus::None:
        case TaskStatus::Pulled: return "NONE";
        case TaskStatus::ManifestPulled: return "MANIFEST_PULLED";
        case TaskStatus::Created: return "CREATED";
        case TaskStatus::Running: return "RUNNING";
        case TaskStatus::Stopped: return "STOPPED";
    }
    return "NONE";
}

std::string_view to_string(HealthStatus status) {
    switch (status) {
        case HealthStatus::Unknown: return "UNKNOWN";
        case HealthStatus::Healthy: return "HEALTHY";
        case HealthStatus::Unhealthy: return "UNHEALTHY";
    }
    return "UNKNOWN";
}

std::string_view to_service_word(ContainerStatus status) {
    if (status == ContainerStatus::Stopped) return "STOPPED";
    return status == ContainerStatus::Running || status == ContainerStatus::ResourcesProvisioned ? "RUNNING"
                                                                                                 : "PENDING";
}

std::string_view to_service_word(TaskStatus status) {
    if (status == TaskStatus::Stopped) return "STOPPED";
    return status == TaskStatus::Running ? "RUNNING" : "PENDING";
}

std::optional<TaskStatus> parse_task_status(std::string_view word) {
    if (word.empty() || word == "NONE" || word == "UNKNOWN") return TaskStatus::None;
    if (word == "MANIFEST_PULLED") return TaskStatus::ManifestPulled;
    if (word == "CREATED") return TaskStatus::Created;
    if (word == "RUNNING") return TaskStatus::Running;
    if (word == "STOPPED" || word == "DEAD") return TaskStatus::Stopped;
    return std::nullopt;
}

std::optional<ContainerStatus> parse_container_status(std::string_view word) {
    if (word.empty() || word == "NONE" || word == "UNKNOWN") return ContainerStatus::None;
    for (const auto status :
         {ContainerStatus::ManifestPulled, ContainerStatus::Pulled, ContainerStatus::Created, ContainerStatus::Running,
          ContainerStatus::ResourcesProvisioned, ContainerStatus::Stopped}) {
        if (word == to_string(status)) return status;
    }
    return word == "DEAD" ? std::optional(ContainerStatus::Stopped) : std::nullopt;
}

}  // namespace nodeagent::model
