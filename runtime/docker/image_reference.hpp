#pragma once
// Image references as Docker reads them.

#include <string>
#include <string_view>

namespace nodeagent::runtime::docker {

struct ImageReference {
    std::string repository;  ///< familiar: docker.io/library/busybox is busybox
    std::string tag;         ///< tag, or digest ("sha256:..."); "latest" when the reference has neither
};

/// A tag is what follows the last ':' unless a '/' comes later; a digest follows '@' and wins over a tag.
[[nodiscard]] ImageReference parse_image_reference(std::string_view image);

}  // namespace nodeagent::runtime::docker
