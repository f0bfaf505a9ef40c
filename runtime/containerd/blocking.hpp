#pragma once
// Work for a pool's thread that hears of the coroutine's cancellation.

#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include "agent/base/blocking_pool.hpp"

namespace nodeagent::runtime::containerd {

/// As BlockingPool::run. The caller resumes when `f` has returned, also when it is cancelled meanwhile.
template <class F>
auto run_blocking(BlockingPool& pool, F f) -> asio::awaitable<std::invoke_result_t<F>> {
    auto work = pool.run(std::move(f));
    co_return co_await std::move(work);
}

/// `f` takes a std::stop_token, of which a stop is asked when the coroutine is cancelled.
template <class F>
auto run_stoppable(BlockingPool& pool, F f) -> asio::awaitable<std::invoke_result_t<F, std::stop_token>> {
    using R = std::invoke_result_t<F, std::stop_token>;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
        [](auto handler, BlockingPool* threads, F work) {
            const auto stop = std::make_shared<std::stop_source>();
            if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
                slot.assign([stop](asio::cancellation_type) { stop->request_stop(); });
            }
            auto executor = asio::get_associated_executor(handler);
            auto call = std::make_shared<std::pair<decltype(handler), F>>(std::move(handler), std::move(work));
            threads->submit([call, stop, guard = asio::make_work_guard(executor)] {
                auto result = std::make_shared<R>(call->second(stop->get_token()));
                asio::post(guard.get_executor(), [call, result] {
                    if (auto slot = asio::get_associated_cancellation_slot(call->first); slot.is_connected())
                        slot.clear();
                    call->first(std::move(*result));
                });
            });
        },
        asio::use_awaitable, &pool, std::move(f));
}

}  // namespace nodeagent::runtime::containerd
