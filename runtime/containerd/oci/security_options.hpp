#pragma once
// HostConfig.SecurityOpt, read as dockerd reads it.

#include <string>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd::oci {

struct SecurityOptions {
    bool no_new_privileges = false;
    std::string apparmor;  ///< profile; "": the default one
    std::string seccomp;   ///< "" the default profile, "unconfined", or a profile as JSON
};

/// Malformed with Docker's text ("invalid --security-opt 2: \"x=y\""). SELinux labels are accepted and have no effect,
/// as with a dockerd that runs without --selinux-enabled.
[[nodiscard]] Result<SecurityOptions> security_options(const Json& host_config);

}  // namespace nodeagent::runtime::containerd::oci
