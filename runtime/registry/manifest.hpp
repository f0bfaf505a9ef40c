#pragma once
// Image manifests and indexes (manifest lists) as registries send them: Docker schema 2 and OCI. Pure; every bound that
// keeps a hostile document small is here. Facts: containerd.md 2 and the OCI image specification.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::registry {

inline constexpr std::size_t kMaxManifest = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxConfig = std::size_t{8} << 20U;
inline constexpr std::size_t kMaxLayers = 127;  ///< overlayfs takes no more
inline constexpr std::size_t kMaxIndexEntries = 1000;
inline constexpr int kMaxIndexDepth = 2;  ///< an index in an index, no further
inline constexpr std::int64_t kMaxLayerSize = std::int64_t{1} << 40U;

/// Of the Accept header, and the only ones that are understood.
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";

struct BlobDescriptor {
    std::string media_type;
    std::string digest;
    std::int64_t size = 0;
    friend bool operator==(const BlobDescriptor&, const BlobDescriptor&) = default;
};

struct Platform {
    std::string os;
    std::string architecture;
    std::string variant;
    friend bool operator==(const Platform&, const Platform&) = default;
};

struct Manifest {
    std::string media_type;
    BlobDescriptor config;
    std::vector<BlobDescriptor> layers;  ///< lowest first; gzip, zstd or uncompressed tar
    friend bool operator==(const Manifest&, const Manifest&) = default;
};

struct IndexEntry {
    BlobDescriptor manifest;
    Platform platform;         ///< all empty when the index does not say
    bool attestation = false;  ///< no image: about another entry
};

struct Index {
    std::string media_type;
    std::vector<IndexEntry> entries;
};

/// Reads a document of at most kMaxManifest bytes. `media_type` is the Content-Type (parameters are cut off), "" when
/// unknown; the document's own mediaType, or else its form, decides then. Malformed names what is wrong: schema 1,
/// a foreign or unknown layer type, too many layers, a digest that is none.
[[nodiscard]] Result<std::variant<Manifest, Index>> parse_manifest(std::string_view media_type, std::string_view body);

/// A type of manifest that has no digest to pull by.
[[nodiscard]] bool is_schema_1(std::string_view media_type);

}  // namespace nodeagent::runtime::registry
