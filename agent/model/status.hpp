#pragma once
// Statuses in their order and the words they are written with. task-engine.md 1.1.

#include <cstdint>
#include <optional>
#include <string_view>

namespace nodeagent::model {

enum class ContainerStatus : std::uint8_t {
    None,
    ManifestPulled,
    Pulled,
    Created,
    Running,
    ResourcesProvisioned,
    Stopped
};
enum class TaskStatus : std::uint8_t { None, ManifestPulled, Pulled, Created, Running, Stopped };
enum class HealthStatus : std::uint8_t { Unknown, Healthy, Unhealthy };

/// The agent's word: NONE, MANIFEST_PULLED, ... (task status Pulled prints NONE, as the reference does).
[[nodiscard]] std::string_view to_string(ContainerStatus status);
[[nodiscard]] std::string_view to_string(TaskStatus status);
[[nodiscard]] std::string_view to_string(HealthStatus status);

/// The service's word: RUNNING, STOPPED, else PENDING.
[[nodiscard]] std::string_view to_service_word(ContainerStatus status);
[[nodiscard]] std::string_view to_service_word(TaskStatus status);

/// desiredStatus of a payload: "" is None, UNKNOWN is None, DEAD is Stopped; nothing for any other unknown word.
[[nodiscard]] std::optional<TaskStatus> parse_task_status(std::string_view word);
[[nodiscard]] std::optional<ContainerStatus> parse_container_status(std::string_view word);

}  // namespace nodeagent::model
