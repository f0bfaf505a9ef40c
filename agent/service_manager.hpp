#pragma once
// What the service manager (systemd) is told of the agent: what it waits for, that it is ready, that its loops turn,
// that it stops. Where nobody asked for that (no NOTIFY_SOCKET) every call does nothing.
//
//   waiting_for ... -> ready -> now ... -> stopping

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/config/environment.hpp"
#include "agent/heartbeats.hpp"

namespace nodeagent {

class ServiceManager {
  public:
    /// Of the environment: NOTIFY_SOCKET, a path or an abstract name after '@'; WATCHDOG_USEC, unless WATCHDOG_PID is
    /// another process.
    ServiceManager(const config::Environment& environment, Clock& clock);

    /// The watchdog is not fed while this shard stands still either (heartbeats.hpp). Before keep_alive() is due first.
    void watch(std::string shard, asio::any_io_executor executor);

    /// Until ready(): the agent has not failed, it waits for this.
    void waiting_for(std::string_view what);
    /// The start is over. `sentence` says how things are, for `systemctl status`.
    void ready(std::string_view sentence);
    /// How things are now; not heard once it stops.
    void now(std::string_view sentence);
    /// `why` stays what it shows.
    void stopping(std::string_view why);

    /// Until cancelled: asks for more time to start, then tells that the agent is alive, twice in the time after which
    /// it would be killed. Run it on the shard of the engine: a loop that has stopped then says nothing. While another
    /// shard stands still it says nothing of being alive, and looks more often, so that a shard which turns again in
    /// time saves the agent.
    asio::awaitable<void> keep_alive();

  private:
    enum class Phase { Starting, Ready, Stopping };

    void say(std::string_view sentence);
    void send();
    void look();
    [[nodiscard]] std::chrono::nanoseconds interval() const;

    Clock& clock_;
    std::string address_;  ///< of the socket, as the kernel takes it; "" when nobody listens
    std::optional<std::chrono::nanoseconds> watchdog_;
    Phase phase_ = Phase::Starting;
    std::string status_;
    Heartbeats heartbeats_;
    std::vector<std::string> silent_;  ///< shards that stand still
    bool failure_told_ = false;
};

}  // namespace nodeagent
