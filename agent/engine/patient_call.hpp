#pragma once
// A call to the runtime that outlasts the runtime's absence. Every call of runtime::Backend may be repeated, so a
// daemon that goes away in the middle of one is waited for and asked again; what happened in between is not the task's
// fault.

#include <chrono>
#include <functional>

#include <boost/asio/awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/base/retries.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

/// A daemon that answers but keeps saying Unavailable is given this many chances.
inline constexpr int kUnavailableAttempts = 5;
/// How long a daemon that is there may take to say so.
inline constexpr std::chrono::seconds kPingLimit(5);
inline constexpr BackoffPolicy kUnavailableBackoff{std::chrono::milliseconds(200), std::chrono::seconds(5), 0.2, 2};

[[nodiscard]] inline bool ask_again(const Error& error, int attempt) {
    return error.kind == ErrorKind::Unavailable && attempt < kUnavailableAttempts;
}

/// Waits until the runtime can be reached and makes the call, again after Unavailable. `call` is no coroutine itself:
/// it only makes one.
template <class T>
asio::awaitable<Result<T>> patient_call(RuntimeLink& link, Clock& clock,
                                        std::function<asio::awaitable<Result<T>>()> call) {
    Backoff backoff(kUnavailableBackoff);
    for (int attempt = 1;; ++attempt) {
        co_await link.wait_reachable();
        Result<T> answer = co_await call();
        if (answer || !ask_again(answer.error(), attempt)) co_return answer;
        count_retry(Retried::RuntimeCall, answer.error().kind);
        co_await clock.sleep_for(backoff.next());
    }
}

}  // namespace nodeagent::engine
