#pragma once
// The agent's own AWS credentials (control-plane.md 2.1).

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::credentials {

namespace asio = boost::asio;

struct AwsCredentials {
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;  ///< empty when there is none
    std::optional<std::chrono::system_clock::time_point> expires_at;
    std::string source;  ///< "environment", "EC2 role my-role": for people
};

/// Cached until shortly before expiry; safe to call for every request. Denied when no source has credentials, naming
/// each source that was tried.
class Provider {
  public:
    virtual ~Provider() = default;
    virtual asio::awaitable<Result<AwsCredentials>> get() = 0;
    /// Forgets the cached credentials, so that the next get() asks the sources again.
    virtual void invalidate() = 0;
};

}  // namespace nodeagent::credentials
