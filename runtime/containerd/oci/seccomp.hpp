#pragma once
// System calls a container may make: Docker's default profile, or one of the caller's in Docker's format. OCI's
// document has no conditions, so what depends on capabilities, architecture and kernel is decided here.

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd::oci {

struct SeccompInputs {
    std::vector<std::string> capabilities;  ///< the bounding set
    int kernel_major = 5, kernel_minor = 10;
    std::string_view architecture = native_architecture();

    /// As profiles name it: "amd64", "arm64".
    [[nodiscard]] static std::string_view native_architecture();
};

/// linux.seccomp of Docker's default profile. Facts: moby v20.10.24 profiles/seccomp/default.json.
[[nodiscard]] Json default_seccomp(const SeccompInputs& inputs);
/// linux.seccomp of a profile given as JSON; null for one that filters nothing. Malformed "Decoding seccomp profile
/// failed: ..." for anything that is no profile.
[[nodiscard]] Result<Json> custom_seccomp(std::string_view profile, const SeccompInputs& inputs);

}  // namespace nodeagent::runtime::containerd::oci
