#pragma once
// At most N at once, first come first served: a counting semaphore for coroutines of one shard.

#include <cstddef>
#include <list>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace nodeagent::ecs {

namespace asio = boost::asio;

class SendSlots {
  public:
    /// Held while sending; gives the slot back when it goes.
    class Slot {
      public:
        explicit Slot(SendSlots& slots) : slots_(&slots) {}
        Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
        Slot& operator=(Slot&&) = delete;
        ~Slot() {
            if (slots_ != nullptr) slots_->release();
        }

      private:
        SendSlots* slots_;
    };

    SendSlots(asio::any_io_executor shard, std::size_t count) : shard_(std::move(shard)), free_(count) {}
    /// Throws operation_aborted when the coroutine is cancelled while it waits.
    asio::awaitable<Slot> acquire();

  private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& shard) : timer(shard, asio::steady_timer::time_point::max()) {}
        asio::steady_timer timer;  ///< never expires; cancelling it is the signal
        bool granted = false;
    };
    void release();

    asio::any_io_executor shard_;
    std::size_t free_;
    std::list<Waiter> waiting_;
};

}  // namespace nodeagent::ecs
