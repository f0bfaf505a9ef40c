#pragma once
// The agent's own credentials (control-plane.md 2.1): sources in order, the first that has a key id and a secret wins.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/clock.hpp"
#include "agent/config/environment.hpp"
#include "agent/credentials/imds.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/net/http_client.hpp"

namespace nodeagent::credentials {

/// One place where credentials may be. Called by one coroutine at a time.
class Source {
  public:
    virtual ~Source() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// NotFound: not set up here. expires_at is when to ask again.
    virtual asio::awaitable<Result<AwsCredentials>> fetch() = 0;
    /// Forgets what it may have kept to bridge an outage.
    virtual void invalidate() {}
};

/// Asks its sources in order and keeps the answer until it expires. Simultaneous get() calls share one round. One
/// shard.
class Chain final : public Provider {
  public:
    Chain(std::vector<std::unique_ptr<Source>> sources, Clock& clock);
    asio::awaitable<Result<AwsCredentials>> get() override;
    void invalidate() override;

  private:
    struct Round;
    asio::awaitable<Result<AwsCredentials>> ask_sources();

    std::vector<std::unique_ptr<Source>> sources_;
    Clock& clock_;
    [[nodiscard]] bool fresh() const;

    std::optional<AwsCredentials> cached_;
    SteadyTime cached_until_{};     ///< its expiry when it came: a wall clock that is set back lengthens no life
    std::shared_ptr<Round> round_;  ///< the one under way
    unsigned generation_ = 0;       ///< counts invalidate(), so that a round begun before one is not kept
};

struct ChainOptions {
    config::Environment environment;
    bool external = false;
    std::string alternate_profile = "default";  ///< ECS_ALTERNATE_CREDENTIAL_PROFILE
    std::string rotating_file = "/rotatingcreds/credentials";
};

/// Everything referred to must outlive the provider.
[[nodiscard]] std::unique_ptr<Provider> make_provider(ChainOptions options, net::HttpClient& http, Imds& imds,
                                                      BlockingPool& pool, Clock& clock);

}  // namespace nodeagent::credentials
