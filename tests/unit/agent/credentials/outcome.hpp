#pragma once
// Runs a call to its end, turning the clock whenever everything sleeps.

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/error.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::credentials {

template <class T>
void start(asio::io_context& io, asio::awaitable<Result<T>> call, std::optional<Result<T>>& outcome) {
    asio::co_spawn(io, std::move(call), [&outcome](const std::exception_ptr& failure, Result<T> answer) {
        if (failure) std::rethrow_exception(failure);
        outcome = std::move(answer);
    });
}

template <class T>
Result<T> outcome_of(asio::io_context& io, fakes::ManualClock& clock, asio::awaitable<Result<T>> call) {
    std::optional<Result<T>> outcome;
    start(io, std::move(call), outcome);
    fakes::run_until_idle(io);
    while (!outcome && clock.until_next()) clock.advance(*clock.until_next(), io);
    if (outcome) return std::move(*outcome);
    ADD_FAILURE() << "the call waits for nothing that could come";
    return Error{.kind = ErrorKind::Internal, .what = "stuck"};
}

}  // namespace nodeagent::credentials
