#include "agent/ecs/send_slots.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace nodeagent::ecs {

asio::awaitable<SendSlots::Slot> SendSlots::acquire() {
    if (free_ > 0) {
        --free_;
        co_return Slot(*this);
    }
    waiting_.emplace_back(shard_);
    const auto self = std::prev(waiting_.end());
    struct Leave {
        std::list<Waiter>& all;
        std::list<Waiter>::iterator one;
        ~Leave() { all.erase(one); }
    };
    const Leave leave{waiting_, self};
    boost::system::error_code woken;
    co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!self->granted) throw boost::system::system_error(asio::error::operation_aborted);
    co_return Slot(*this);
}

void SendSlots::release() {
    for (Waiter& waiter : waiting_) {
        if (waiter.granted) continue;
        waiter.granted = true;  // the slot passes on without becoming free: nobody can come in between
        waiter.timer.cancel();
        return;
    }
    ++free_;
}

}  // namespace nodeagent::ecs
