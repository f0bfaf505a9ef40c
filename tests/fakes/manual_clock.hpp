#pragma once
// A Clock that stands still until advance(); and the loop that goes with it.

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "agent/base/clock.hpp"

namespace nodeagent::fakes {

/// Runs everything that can run now, and what that makes runnable. Never waits.
inline void run_until_idle(asio::io_context& io) {
    do {
        io.restart();
    } while (io.poll() > 0);
}

class ManualClock final : public Clock {
  public:
    explicit ManualClock(WallTime wall = WallTime(std::chrono::seconds(1'767'225'600))) {  // 2026-01-01T00:00:00Z
        now_ = Instant{.steady = SteadyTime(std::chrono::hours(1)), .wall = wall};
    }

    [[nodiscard]] Instant now() const override { return now_; }

    asio::awaitable<void> sleep_until(SteadyTime when) override {
        if (when <= now_.steady) co_return;
        const auto executor = co_await asio::this_coro::executor;
        sleepers_->emplace_back(executor, when);
        const auto self = std::prev(sleepers_->end());
        struct Leave {
            std::shared_ptr<std::list<Sleeper>> all;
            std::list<Sleeper>::iterator one;
            ~Leave() { all->erase(one); }
        };
        const Leave leave{sleepers_, self};
        boost::system::error_code woken;
        co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (!self->due) throw boost::system::system_error(asio::error::operation_aborted);
    }

    /// Moves both clocks and wakes, in order of their times, the sleepers that are due; they run when the loop does.
    void advance(std::chrono::nanoseconds by) {
        const auto step = std::chrono::duration_cast<std::chrono::steady_clock::duration>(by);
        now_.steady += step;
        now_.wall += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
        std::vector<Sleeper*> due;
        for (Sleeper& sleeper : *sleepers_) {
            if (!sleeper.due && sleeper.when <= now_.steady) due.push_back(&sleeper);
        }
        std::stable_sort(due.begin(), due.end(), [](const Sleeper* a, const Sleeper* b) { return a->when < b->when; });
        for (Sleeper* sleeper : due) {
            sleeper->due = true;
            sleeper->timer.cancel();
        }
    }

    /// advance(by), then run_until_idle.
    void advance(std::chrono::nanoseconds by, asio::io_context& io) {
        advance(by);
        run_until_idle(io);
    }

    [[nodiscard]] std::size_t sleepers() const { return sleepers_->size(); }
    /// How long until the first sleeper is due; nothing when nobody sleeps.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> until_next() const {
        std::optional<std::chrono::nanoseconds> next;
        for (const Sleeper& sleeper : *sleepers_) {
            const std::chrono::nanoseconds left = sleeper.when - now_.steady;
            if (!next || left < *next) next = left;
        }
        return next;
    }

  private:
    struct Sleeper {
        Sleeper(const asio::any_io_executor& executor, SteadyTime at)
            : timer(executor, asio::steady_timer::time_point::max()), when(at) {}
        asio::steady_timer timer;
        SteadyTime when;
        bool due = false;
    };
    Instant now_;
    // shared with the sleeping coroutines: a frame may be destroyed after the clock, with its io_context
    std::shared_ptr<std::list<Sleeper>> sleepers_ = std::make_shared<std::list<Sleeper>>();
};

}  // namespace nodeagent::fakes
