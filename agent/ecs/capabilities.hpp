#pragma once
// The capabilities this build advertises (control-plane.md 4): one table row each, in the order they go out.

#include <string>
#include <vector>

#include "agent/config/config.hpp"
#include "agent/model/ecs_api.hpp"

namespace nodeagent::ecs {

struct CapabilityInputs {
    const config::Config& config;
    std::vector<std::string> api_versions;    ///< of the runtime, as runtime::Capabilities has them: "1.17", "1.18" ...
    std::vector<std::string> volume_plugins;  ///< names for docker-plugin.*, without "local"
    std::vector<std::string> log_drivers{};   ///< likewise; empty: no limit
    bool task_limits = false;                 ///< task CPU and memory limits are on, after what the host could do
    bool optimized_cpu = false;               ///< HostFacts
    std::string gpu_driver_version;           ///< empty: unknown, or GPU support off
    bool pause_image = false;                 ///< the image of pause containers is there or can be made
};

[[nodiscard]] std::vector<model::Attribute> capabilities(const CapabilityInputs& inputs);

}  // namespace nodeagent::ecs
