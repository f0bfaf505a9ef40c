#pragma once
// WWW-Authenticate as registries send it (RFC 9110 section 11.6.1; the distribution specification's token flow). Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::runtime::registry {

struct Challenge {
    std::string scheme;                         ///< lower case: "bearer", "basic"
    std::map<std::string, std::string> values;  ///< realm, service, scope, error; names in lower case
};

/// All challenges of one header; what cannot be read ends the list. Longer than 8 KiB: none.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace nodeagent::runtime::registry
