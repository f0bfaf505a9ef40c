#pragma once
// At most N at once, first come first served: a counting semaphore for coroutines of one shard.

#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace nodeagent::ecs {

namespace asio = boost::asio;

class SendSlots {
    struct State;

  public:
    /// Held while sending; gives the slot back when it goes, also after the SendSlots.
    class Slot {
      public:
        explicit Slot(std::shared_ptr<State> state) : state_(std::move(state)) {}
        Slot(Slot&&) noexcept = default;
        Slot& operator=(Slot&&) = delete;
        ~Slot();

      private:
        std::shared_ptr<State> state_;
    };

    SendSlots(asio::any_io_executor shard, std::size_t count);
    ~SendSlots();
    /// Throws operation_aborted when the coroutine is cancelled while it waits.
    asio::awaitable<Slot> acquire();

  private:
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::ecs
