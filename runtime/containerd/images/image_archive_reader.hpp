#pragma once
// What is in an archive of images: the form of `docker save` (manifest.json) or OCI layout (index.json). Pure.

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/images/config_document.hpp"
#include "runtime/registry/manifest.hpp"

namespace nodeagent::runtime::containerd {

struct ArchivedImage {
    std::vector<std::string> names;  ///< of records; without any, the image is known by its id only
    std::string manifest;            ///< the document, ours where the archive has none
    std::string manifest_type;
    registry::Manifest parsed;
    std::string_view config;
    ConfigDocument document;
    std::vector<std::string_view> layers;  ///< as parsed.layers
};

/// Views into `archive`. Malformed when it is no such archive or a blob is not what its digest says.
[[nodiscard]] Result<std::vector<ArchivedImage>> read_image_archive(std::string_view archive);

}  // namespace nodeagent::runtime::containerd
