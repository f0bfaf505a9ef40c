#pragma once
// Audit lines of credential requests and rate limit refusals. endpoints.md 1.5.

#include <chrono>
#include <string>
#include <string_view>

#include "agent/credentials/registry.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

/// `granted` null: the request got no credentials, so neither task nor event is known.
[[nodiscard]] std::string audit_line(std::chrono::system_clock::time_point when, const Request& request,
                                     unsigned status, const credentials::TaskRoleCredentials* granted,
                                     const InstanceIdentity& identity);

}  // namespace nodeagent::metadata
