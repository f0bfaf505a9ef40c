#pragma once
// The agent's configuration in the core's words.

#include "agent/config/config.hpp"
#include "agent/core/step.hpp"
#include "agent/engine/image_puller.hpp"

namespace nodeagent::engine {

[[nodiscard]] core::Settings lifecycle_settings(const config::Config& config);
[[nodiscard]] PullLimits pull_limits(const config::Config& config);

}  // namespace nodeagent::engine
