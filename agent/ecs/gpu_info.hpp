#pragma once
// The NVIDIA GPUs of this host, as host set-up has found them before the agent starts (host.md 10).

#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::ecs {

inline constexpr const char* kGpuInfoPath = "/var/lib/ecs/gpu/nvidia-gpu-info.json";

struct GpuInfo {
    std::string driver_version;  ///< "550.54.15"; "" when the file has none
    std::vector<std::string> ids;
};

/// Nothing when there is no such file: the host has no GPUs. An error when it cannot be read or understood; the agent
/// must then not register, for the service would place GPU tasks elsewhere for good.
[[nodiscard]] Result<std::optional<GpuInfo>> read_gpu_info(const std::string& path = kGpuInfoPath);

}  // namespace nodeagent::ecs
