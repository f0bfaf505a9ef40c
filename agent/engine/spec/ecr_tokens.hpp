#pragma once
// Registry credentials from Amazon ECR, cached. task-engine.md 5.7.

#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/model/payload.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

namespace asio = boost::asio;

struct EcrToken {
    runtime::RegistryAuth auth;
    std::optional<std::chrono::system_clock::time_point> expires_at;
};

/// ECR's GetAuthorizationToken, signed with the given credentials.
class EcrApi {
  public:
    virtual ~EcrApi() = default;
    virtual asio::awaitable<Result<EcrToken>> authorization_token(model::EcrAuthData request,
                                                                  credentials::AwsCredentials signer) = 0;
};

/// Tokens by who asks and for which registry: at most 100, for at most 12 hours, and not within 30-60 minutes of
/// expiry. Lives on one shard. The references must outlive it.
class EcrTokens {
  public:
    EcrTokens(EcrApi& api, credentials::Provider& instance, const credentials::Registry& roles, const Clock& clock);
    asio::awaitable<Result<runtime::RegistryAuth>> get(model::EcrAuthData request,
                                                       std::string execution_credentials_id);

  private:
    struct Entry {
        std::string key;
        EcrToken token;
        SteadyTime kept_until;
    };
    std::optional<runtime::RegistryAuth> cached(const std::string& key);
    void keep(std::string key, EcrToken token);

    EcrApi& api_;
    credentials::Provider& instance_;
    const credentials::Registry& roles_;
    const Clock& clock_;
    std::list<Entry> entries_;  ///< most recently used first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace nodeagent::engine
