#pragma once
// Which entry of an index is for this machine. Pure but for this_platform().

#include "runtime/registry/manifest.hpp"

namespace nodeagent::runtime::registry {

/// GOARCH's word.
#if defined(__aarch64__)
inline constexpr const char* kThisArchitecture = "arm64";
#else
inline constexpr const char* kThisArchitecture = "amd64";
#endif

/// This machine: linux, and for arm the variant.
[[nodiscard]] Platform this_platform();

/// The entry to run on `wanted`: same system and architecture, the best variant, the first of equals; one without a
/// platform when it is the only one. NotFound with Docker's text ("no matching manifest for linux/amd64 in the manifest
/// list entries") when there is none.
[[nodiscard]] Result<BlobDescriptor> choose_platform(const Index& index, const Platform& wanted);

}  // namespace nodeagent::runtime::registry
