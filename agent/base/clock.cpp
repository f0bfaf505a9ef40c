#include "agent/base/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nodeagent {

Instant SystemClock::now() const { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

asio::awaitable<void> SystemClock::sleep_until(SteadyTime when) {
    asio::steady_timer timer(co_await asio::this_coro::executor, when);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace nodeagent
