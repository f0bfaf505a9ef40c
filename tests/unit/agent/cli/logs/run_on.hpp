#pragma once
// A coroutine run to its end on the test's io_context.

#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace nodeagent::test {

template <class T>
T run_on(boost::asio::io_context& io, boost::asio::awaitable<T> work) {
    std::optional<T> result;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T value) {
        if (thrown) std::rethrow_exception(thrown);
        result.emplace(std::move(value));
    });
    io.restart();
    while (!result && io.run_one() != 0) {
    }
    return std::move(*result);
}

}  // namespace nodeagent::test
