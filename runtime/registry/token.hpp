#pragma once
// Bearer tokens: where to ask for one, and the answer. Pure.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "runtime/registry/challenge.hpp"

namespace nodeagent::runtime::registry {

inline constexpr std::size_t kMaxTokenAnswer = std::size_t{256} << 10U;
inline constexpr std::size_t kMaxToken = std::size_t{64} << 10U;

/// URL to GET for a token that may pull `repository_path`; the challenge's own scope wins. Malformed when the realm is
/// no http or https URL.
[[nodiscard]] Result<std::string> token_url(const Challenge& challenge, std::string_view repository_path);

struct Token {
    Secret value;
    std::chrono::seconds lifetime{60};  ///< as the answer says, 60 s to a day
};

/// Reads `{"token" or "access_token", "expires_in"}`. Malformed when there is no token that could be sent in a header;
/// the text never has the answer in it.
[[nodiscard]] Result<Token> parse_token(std::string_view body);

}  // namespace nodeagent::runtime::registry
