#pragma once
// Time as an argument: the core takes an Instant, the shell sleeps through a Clock that tests can turn by hand.

#include <chrono>

#include <boost/asio/awaitable.hpp>

namespace nodeagent {

namespace asio = boost::asio;

using SteadyTime = std::chrono::steady_clock::time_point;  ///< for intervals and deadlines; never jumps
using WallTime = std::chrono::system_clock::time_point;    ///< for timestamps people and the service read; UTC

/// One moment on both clocks, so that pure code can stamp and schedule.
struct Instant {
    SteadyTime steady{};
    WallTime wall{};
    friend bool operator==(const Instant&, const Instant&) = default;
};

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    /// Suspends until `when`; returns early only when the coroutine is cancelled (then it throws operation_aborted).
    virtual asio::awaitable<void> sleep_until(SteadyTime when) = 0;
    asio::awaitable<void> sleep_for(std::chrono::nanoseconds delay) {
        return sleep_until(now().steady + std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
    }
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override;
    asio::awaitable<void> sleep_until(SteadyTime when) override;
};

}  // namespace nodeagent
