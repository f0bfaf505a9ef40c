#pragma once
// Role credentials for tasks. Secrets are derived from the access key id and a seed, so none is ever stored: after a
// restart with the same --secret-key the credentials handed out before still verify.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::local {

struct IssuedCredentials {
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;
    std::string role_arn;
    std::string expiration;  ///< RFC 3339
    WallTime expires_at{};
};

class CredentialIssuer {
  public:
    /// An empty seed: a random one for this process.
    CredentialIssuer(Secret seed, std::chrono::seconds lifetime);

    /// The credentials of `credentials_id`; issued when there are none or they end within `remaining`.
    const IssuedCredentials& current(const std::string& credentials_id, const std::string& role_arn, WallTime now,
                                     std::chrono::seconds remaining);
    [[nodiscard]] std::optional<WallTime> expiry(const std::string& credentials_id) const;
    void forget(const std::string& credentials_id);

    /// The secret of an access key this issuer made, now or before a restart; nothing for other keys.
    [[nodiscard]] std::optional<Secret> secret_of(std::string_view access_key_id) const;

    [[nodiscard]] std::chrono::seconds lifetime() const { return lifetime_; }

  private:
    [[nodiscard]] std::string derive(std::string_view purpose, std::string_view access_key_id) const;
    Secret seed_;
    std::chrono::seconds lifetime_;
    std::map<std::string, IssuedCredentials> issued_;  ///< by credentials id
};

}  // namespace nodeagent::local
