#pragma once
// The instance health check: is the container runtime there (control-plane.md 8.7). Checked on every ACS heartbeat,
// reported once per check by the telemetry session.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/model/tcs_messages.hpp"

namespace nodeagent::ecs {

namespace asio = boost::asio;

class Doctor {
  public:
    /// Asks the runtime for a sign of life within the given time: runtime::Backend::ping fits.
    using Ping = std::function<asio::awaitable<Result<void>>(std::chrono::nanoseconds deadline)>;
    Doctor(Ping ping, Clock& clock);

    /// One check; a check that is running is not started twice.
    asio::awaitable<void> check();
    /// No check has been reported yet since the last one ran.
    [[nodiscard]] bool report_due() const { return !reported_; }
    void mark_reported() { reported_ = true; }
    [[nodiscard]] std::vector<model::InstanceStatus> statuses() const;

  private:
    enum class Health : unsigned char { Initializing, Ok, Impaired };
    Ping ping_;
    Clock& clock_;
    Health health_ = Health::Initializing;
    WallTime changed_at_;
    WallTime checked_at_;
    WallTime previously_checked_at_;
    bool checking_ = false;
    bool reported_ = false;
};

}  // namespace nodeagent::ecs
