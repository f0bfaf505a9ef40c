#pragma once
// The telemetry connection: a snapshot of metrics and container health every 20 s, queued while disconnected, sent as
// signed frames; instance status after each health check (control-plane.md 8).

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/ecs/acs_session.hpp"
#include "agent/ecs/doctor.hpp"
#include "agent/ecs/session_identity.hpp"
#include "agent/ecs/telemetry_source.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/net/ws_connection.hpp"

namespace nodeagent::ecs {

class TcsSession {
  public:
    struct Options {
        SessionIdentity identity{};
        bool metrics_disabled = false;          ///< every metrics request is then idle
        bool health_disabled = false;           ///< no PublishHealth
        TelemetrySource* source = nullptr;      ///< none: idle
        model::SnapshotBoard* board = nullptr;  ///< for container health; none: no PublishHealth
        Doctor* doctor = nullptr;               ///< none: no PublishInstanceStatus
    };
    TcsSession(asio::any_io_executor shard, Options options, Clock& clock, net::WsDialer& dialer,
               credentials::Provider& credentials, DiscoverEndpoint discover);
    ~TcsSession();
    TcsSession(const TcsSession&) = delete;
    TcsSession& operator=(const TcsSession&) = delete;

    /// Until cancelled. Spawn it in a Scope that ends before this object.
    asio::awaitable<void> run();
    /// Cuts the present connection; run() then reconnects with its usual delay. For AcsSession's instance_inactive.
    void disconnect(std::string why);
    [[nodiscard]] const SessionStatus& status() const { return status_; }

  private:
    struct Live;
    using Ending = std::optional<Error>;
    /// What one tick produced; encoded only when sent, so that its timestamp is fresh and a queue costs little.
    struct Tick {
        std::string message_id;
        std::optional<std::vector<model::TaskMetric>> metrics;
    };
    asio::awaitable<void> produce();
    void take_tick(std::uint64_t number);
    asio::awaitable<Ending> connect_and_serve();
    asio::awaitable<Ending> serve(std::shared_ptr<Live> live);
    asio::awaitable<void> publish(std::shared_ptr<Live> live);
    asio::awaitable<void> publish_instance_status(std::shared_ptr<Live> live);
    asio::awaitable<void> watch_heartbeat(std::shared_ptr<Live> live);
    asio::awaitable<void> watch_age(std::shared_ptr<Live> live);
    /// Signs and sends; false: the message is lost, which only the log tells.
    asio::awaitable<bool> send(std::shared_ptr<Live> live, std::string envelope);
    void set_connected(bool connected);

    Options options_;
    Clock& clock_;
    net::WsDialer& dialer_;
    credentials::Provider& credentials_;
    DiscoverEndpoint discover_;
    Backoff backoff_;
    SessionStatus status_;
    std::deque<Tick> metrics_;
    std::deque<std::vector<model::TaskHealth>> health_;
    asio::steady_timer queued_;  ///< never expires; cancelled when something was queued
    std::weak_ptr<Live> live_;
    Scope producer_;
    Scope timers_;  ///< of the present connection
};

}  // namespace nodeagent::ecs
