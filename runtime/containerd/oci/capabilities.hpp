#pragma once
// Which capabilities a container has: Docker's fourteen, CapAdd, CapDrop, Privileged.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd::oci {

struct CapabilityLimits {
    int last = 40;                                ///< the kernel's last one, by number
    std::uint64_t available = ~std::uint64_t{0};  ///< by bit; "all" means these
};

/// Names as OCI has them ("CAP_CHOWN"), none twice. Malformed with Docker's text for a name nobody knows ("invalid
/// CapAdd: unknown capability: \"CAP_X\"").
[[nodiscard]] Result<std::vector<std::string>> container_capabilities(const Json& host_config,
                                                                      const CapabilityLimits& limits);
[[nodiscard]] bool has_capability(const std::vector<std::string>& capabilities, std::string_view name);

}  // namespace nodeagent::runtime::containerd::oci
