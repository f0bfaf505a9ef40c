#pragma once
// A result that is given once and that any number of coroutines of the same shard wait for. The holder and the waiters
// share it, so that either side may end first.

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nodeagent::engine {

namespace asio = boost::asio;

template <class T>
class OneShot {
  public:
    explicit OneShot(asio::any_io_executor shard) : wake_{std::move(shard), asio::steady_timer::time_point::max()} {}

    /// The first value counts.
    void give(T value) {
        if (!value_) value_ = std::move(value);
        wake_.cancel();  // the timer never expires; cancelling it is the signal
    }
    [[nodiscard]] bool given() const { return value_.has_value(); }

    /// Throws operation_aborted when the coroutine is cancelled while it waits. `self` keeps the object alive
    /// meanwhile.
    static asio::awaitable<T> wait(std::shared_ptr<OneShot> self) {
        while (!self->value_) {
            boost::system::error_code woken;
            co_await self->wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        co_return *self->value_;
    }

  private:
    std::optional<T> value_;
    asio::steady_timer wake_;
};

}  // namespace nodeagent::engine
