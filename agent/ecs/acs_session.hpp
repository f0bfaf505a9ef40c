#pragma once
// The agent's connection to ACS: connects, hands messages to the conversation one at a time, answers, reconnects
// (control-plane.md 5).
//
//   discover endpoint -> sign -> connect -> [message -> replies]* -> closed or error -> wait -> discover ...

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/base/scope.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/ecs/acs_conversation.hpp"
#include "agent/ecs/session_identity.hpp"
#include "agent/net/ws_connection.hpp"

namespace nodeagent::ecs {

/// Gives the http(s) URL of an endpoint: DiscoverPollEndpoint behind its cache.
using DiscoverEndpoint = std::function<asio::awaitable<Result<std::string>>()>;

/// For introspection and logs.
struct SessionStatus {
    bool connected = false;
    WallTime since{};            ///< of the present state
    std::uint64_t connects = 0;  ///< successful ones
    std::uint64_t attempts = 0;
    std::string last_error;  ///< of the last attempt or connection that did not end normally; empty: none yet
};

class AcsSession {
  public:
    struct Options {
        SessionIdentity identity{};
        /// The instance was reported inactive: the telemetry connection is to be closed too.
        std::function<void()> instance_inactive{};
        /// After every change of status().
        std::function<void(const SessionStatus&)> changed{};
    };
    AcsSession(asio::any_io_executor shard, Options options, Clock& clock, net::WsDialer& dialer,
               credentials::Provider& credentials, DiscoverEndpoint discover, AcsConversation& conversation);
    ~AcsSession();
    AcsSession(const AcsSession&) = delete;
    AcsSession& operator=(const AcsSession&) = delete;

    /// Until cancelled. Spawn it in a Scope that ends before this object.
    asio::awaitable<void> run();
    [[nodiscard]] const SessionStatus& status() const { return status_; }

  private:
    struct Live;  ///< the present connection
    /// How one connection (or the attempt) ended; no value: normally.
    using Ending = std::optional<Error>;
    asio::awaitable<Ending> connect_and_serve();
    asio::awaitable<Ending> serve(std::shared_ptr<Live> live);
    asio::awaitable<void> handle_frame(std::shared_ptr<Live> live, std::string payload);
    asio::awaitable<void> watch_inactivity(std::shared_ptr<Live> live);
    asio::awaitable<void> watch_age(std::shared_ptr<Live> live);
    asio::awaitable<void> watch_backoff();
    void arm_expiry();
    asio::awaitable<void> expire_at(SteadyTime when);
    void set_connected(bool connected);
    void note_failure(const Error& error);

    Options options_;
    Clock& clock_;
    net::WsDialer& dialer_;
    credentials::Provider& credentials_;
    DiscoverEndpoint discover_;
    AcsConversation& conversation_;
    Backoff backoff_;
    bool ever_connected_ = false;  ///< decides sendCredentials
    SessionStatus status_;
    Scope timers_;  ///< of the present connection
    Scope expiry_;  ///< sleeps until the next attachment deadline
    std::optional<SteadyTime> expiry_armed_;
    bool expiring_ = false;
};

}  // namespace nodeagent::ecs
