#pragma once
// Threads for calls that block: libcurl, SQLite and its fsync, CNI. Arguments go in by value, the result comes back on
// the caller's shard. Threads are created when first needed, up to the limit.

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nodeagent {

namespace asio = boost::asio;

class BlockingPool {
  public:
    explicit BlockingPool(std::size_t max_threads);
    ~BlockingPool();  ///< waits for running calls; queued ones are dropped
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    /// Runs `f` on a worker and resumes the caller on its own executor with f's result. `f` must not throw.
    /// The call cannot be cancelled: a cancelled caller still waits for it, so `f` needs its own deadline.
    template <class F>
    auto run(F f) -> asio::awaitable<std::invoke_result_t<F>> {
        using R = std::invoke_result_t<F>;
        static_assert(!std::is_void_v<R>, "return a Result<void>");
        return asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
            [this](auto handler, F work) {
                auto executor = asio::get_associated_executor(handler);
                // shared: std::function wants copyable closures, handlers and jobs are move-only
                auto call = std::make_shared<std::pair<decltype(handler), F>>(std::move(handler), std::move(work));
                submit([call, guard = asio::make_work_guard(executor)] {
                    auto result = std::make_shared<R>(call->second());
                    asio::post(guard.get_executor(), [call, result] { call->first(std::move(*result)); });
                });
            },
            asio::use_awaitable, std::move(f));
    }

    /// Runs `job` on a worker; returns at once. Thread-safe.
    void submit(std::function<void()> job);
    /// Calls that are queued or running.
    [[nodiscard]] std::size_t busy() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent
