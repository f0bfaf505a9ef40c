#pragma once
// When a container is healthy: Docker's rules over the outcomes of its probes. Pure.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "runtime/containerd/image_config.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

struct HealthCheck {
    std::vector<std::string> command;  ///< as the exec gets it; CMD-SHELL has its shell in front
    std::chrono::nanoseconds interval = std::chrono::seconds(30);
    std::chrono::nanoseconds timeout = std::chrono::seconds(30);
    std::chrono::nanoseconds start_period{0};
    int retries = 3;
};

/// Of Config's Healthcheck, whose zero members are the image's; nothing when there is none, or {"NONE"}.
[[nodiscard]] std::optional<HealthCheck> health_check(const nlohmann::json& config, const ImageConfig& image);

struct ProbeOutcome {
    int exit_code = -1;  ///< -1: timed out, or could not be run
    std::string output;  ///< the last 4096 bytes, or why it could not be run
};

struct HealthState {
    Health health{.status = Health::Status::Starting, .output = {}, .exit_code = {}};
    int failures = 0;  ///< one after the other
};

inline constexpr std::size_t kProbeOutputLimit = 4096;

/// `since_start`: the container's age. A failure within the start period does not count, before the first success.
[[nodiscard]] HealthState after_probe(HealthState state, const HealthCheck& check, ProbeOutcome outcome,
                                      std::chrono::nanoseconds since_start);

}  // namespace nodeagent::runtime::containerd
