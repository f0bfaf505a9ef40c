#pragma once
// Single-shard queue that one coroutine waits on; both ends run on the same shard.

#include <deque>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nodeagent {

namespace asio = boost::asio;

template <class T>
class Inbox {
  public:
    explicit Inbox(asio::any_io_executor shard) : wake_{std::move(shard), asio::steady_timer::time_point::max()} {}

    void push(T item) {
        items_.push_back(std::move(item));
        wake_.cancel();  // the timer never expires; cancelling it is the signal
    }

    [[nodiscard]] bool empty() const { return items_.empty(); }

    /// The oldest item; waits for one. Throws operation_aborted when the coroutine is cancelled while it waits.
    asio::awaitable<T> receive() {
        while (items_.empty()) {
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none) {
                throw boost::system::system_error(asio::error::operation_aborted);
            }
            boost::system::error_code woken;
            co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        T item = std::move(items_.front());
        items_.pop_front();
        co_return item;
    }

  private:
    std::deque<T> items_;
    asio::steady_timer wake_;
};

}  // namespace nodeagent
