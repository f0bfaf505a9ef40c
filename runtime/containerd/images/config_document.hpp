#pragma once
// The configuration document of an image (OCI and Docker schema 2 have the same), read with bounds. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/image_config.hpp"

namespace nodeagent::runtime::containerd {

struct ConfigDocument {
    ImageConfig config;                 ///< with id and chain_id
    std::vector<std::string> diff_ids;  ///< lowest layer first
    std::optional<WallTime> created{};
};

/// `body` has at most registry::kMaxConfig bytes. Malformed when it is no image's configuration.
[[nodiscard]] Result<ConfigDocument> parse_config(std::string_view body);

}  // namespace nodeagent::runtime::containerd
