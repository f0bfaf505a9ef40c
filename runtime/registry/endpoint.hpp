#pragma once
// Where a registry is asked: its mirrors, then itself. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/registry/client.hpp"

namespace nodeagent::runtime::registry {

struct Endpoint {
    /// "https://host[:port][/prefix]"; two where plain http is allowed, to be tried in order.
    std::vector<std::string> bases;
    bool check_certificate = true;
    bool takes_credentials = true;  ///< a mirror only those that name it as their server
    std::string mirrored;           ///< the registry a mirror stands for; "" for the registry itself
};

/// In the order they are to be asked; never empty.
[[nodiscard]] std::vector<Endpoint> endpoints_of(const std::string& host, const RegistryOptions& options,
                                                 std::string_view credentials_server);

/// Whether `host` (with any port) may be spoken to without TLS.
[[nodiscard]] bool is_insecure(std::string_view host, const std::vector<std::string>& insecure);

/// "scheme://host[:port]" in lower case, the usual port left out: requests to the same may carry the same
/// Authorization.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace nodeagent::runtime::registry
