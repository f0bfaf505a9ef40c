#pragma once
// Who connects: what the URLs of both websockets say about this agent (control-plane.md 5.1, 8.1).

#include <string>

namespace nodeagent::ecs {

struct SessionIdentity {
    std::string cluster{};  ///< as configured: name or ARN
    std::string container_instance_arn{};
    std::string region{};
    std::string agent_version = "1.105.1";  ///< the release whose protocol we speak
    std::string agent_hash = "a8b3e7d3";    ///< eight hex digits
    std::string runtime_version{};          ///< bare daemon version; empty: not known, the parameter is left out
    bool containerd = false;                ///< ACS then gets the literal word instead of a version
};

/// "<endpoint>/ws?..." with the sorted query, scheme as given (http or https).
[[nodiscard]] std::string acs_url(std::string endpoint, const SessionIdentity& identity, bool send_credentials);
[[nodiscard]] std::string tcs_url(std::string endpoint, const SessionIdentity& identity);

}  // namespace nodeagent::ecs
