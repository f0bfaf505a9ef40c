#pragma once
// Verifies Signature Version 4 on what clients send: API requests, websocket handshakes and TCS frames. Written apart
// from the agent's signer, so that a mistake there is caught here.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/secret.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

struct SignedMessage {
    std::string method;
    std::string target;  ///< path and query as on the request line
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view body;  ///< must outlive the check
};

/// The secret of an access key id; nothing for an unknown key.
using SecretLookup = std::function<std::optional<Secret>(std::string_view access_key_id)>;

/// Nothing when the signature is right for `service`; otherwise the error the service answers:
/// MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException or
/// InvalidSignatureException (also for a date more than five minutes off). Service "s3" has rules of its own: the path
/// is encoded once, and the payload's hash is a header.
[[nodiscard]] std::optional<ApiError> check_signature(const SignedMessage& message, const SecretLookup& secrets,
                                                      WallTime now, std::string_view service = "ecs");

/// The value of the first header called `name`, without regard to case; "" if there is none.
[[nodiscard]] std::string_view header_of(const SignedMessage& message, std::string_view name);

}  // namespace nodeagent::local
