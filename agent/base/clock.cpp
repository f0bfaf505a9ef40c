#include "agent/base/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/test_point.hpp"

namespace nodeagent {

Instant SystemClock::now() const {
    Instant now{std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
#ifdef NODEAGENT_TEST_POINTS
    now.wall += test_points::wall_shift();
#endif
    return now;
}

asio::awaitable<void> SystemClock::sleep_until(SteadyTime when) {
    asio::steady_timer timer(co_await asio::this_coro::executor, when);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace nodeagent
