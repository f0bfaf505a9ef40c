#include "agent/base/scope.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace nodeagent {

// Shared with the completion handlers, so that a handler which runs after the Scope is gone finds its list alive.
struct Scope::State {
    explicit State(asio::any_io_executor executor)
        : shard(std::move(executor)), idle(shard, asio::steady_timer::time_point::max()) {}
    asio::any_io_executor shard;
    asio::steady_timer idle;
    std::list<asio::cancellation_signal> running;
};

Scope::Scope(asio::any_io_executor shard) : state_(std::make_shared<State>(std::move(shard))) {}
Scope::~Scope() = default;

std::size_t Scope::size() const { return state_->running.size(); }

void Scope::spawn(asio::awaitable<void> work) {
    state_->running.emplace_back();
    const auto self = std::prev(state_->running.end());
    auto done = [state = state_, self](const std::exception_ptr& failure) {
        state->running.erase(self);
        if (state->running.empty()) state->idle.cancel();
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted) return;
            std::fprintf(stderr, "bug: a coroutine ended with: %s\n", e.what());
        } catch (const std::exception& e) {
            std::fprintf(stderr, "bug: a coroutine ended with: %s\n", e.what());
        }
        std::abort();
    };
    asio::co_spawn(state_->shard, std::move(work), asio::bind_cancellation_slot(self->slot(), std::move(done)));
}

void Scope::cancel() {
    // A handler may run inside emit() and erase its entry, or spawn; walk over a snapshot of the current entries.
    auto state = state_;
    for (auto it = state->running.begin(); it != state->running.end();) {
        auto current = it++;
        current->emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<bool> Scope::stopping() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

asio::awaitable<void> Scope::drain() {
    auto state = state_;
    while (!state->running.empty()) {
        boost::system::error_code woken;
        co_await state->idle.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

}  // namespace nodeagent
