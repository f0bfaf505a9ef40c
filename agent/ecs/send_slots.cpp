#include "agent/ecs/send_slots.hpp"

#include <list>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace nodeagent::ecs {

struct SendSlots::State {
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& shard) : timer(shard, asio::steady_timer::time_point::max()) {}
        asio::steady_timer timer;  // never expires; cancelling it is the signal
        bool granted = false;
    };
    State(asio::any_io_executor executor, std::size_t count) : shard(std::move(executor)), free(count) {}

    asio::any_io_executor shard;
    std::size_t free;
    std::list<Waiter> waiting;

    void release() {
        for (Waiter& waiter : waiting) {
            if (waiter.granted) continue;
            waiter.granted = true;  // the slot passes on without becoming free: nobody can come in between
            waiter.timer.cancel();
            return;
        }
        ++free;
    }
};

SendSlots::SendSlots(asio::any_io_executor shard, std::size_t count)
    : state_(std::make_shared<State>(std::move(shard), count)) {}
SendSlots::~SendSlots() = default;

SendSlots::Slot::~Slot() {
    if (state_ != nullptr) state_->release();
}

asio::awaitable<SendSlots::Slot> SendSlots::acquire() {
    const std::shared_ptr<State> state = state_;
    if (state->free > 0) {
        --state->free;
        co_return Slot(state);
    }
    state->waiting.emplace_back(state->shard);
    const auto self = std::prev(state->waiting.end());
    struct Leave {
        State& state;
        std::list<State::Waiter>::iterator one;
        ~Leave() { state.waiting.erase(one); }
    };
    const Leave leave{*state, self};
    boost::system::error_code woken;
    co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!self->granted) throw boost::system::system_error(asio::error::operation_aborted);
    co_return Slot(state);
}

}  // namespace nodeagent::ecs
