#pragma once
// Several coroutines at the same time, as one: it ends when all have ended, also when it is cancelled meanwhile.

#include <iterator>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace nodeagent {

namespace asio = boost::asio;

/// What the coroutines refer to must outlive this one. An exception in one of them cancels the others.
inline asio::awaitable<void> together(std::vector<asio::awaitable<void>> work) {
    using namespace asio::experimental::awaitable_operators;
    if (work.empty()) co_return;
    if (work.size() == 1) {
        asio::awaitable<void> only = std::move(work.front());
        co_await std::move(only);
        co_return;
    }
    const auto middle = work.begin() + static_cast<std::ptrdiff_t>(work.size() / 2);
    std::vector<asio::awaitable<void>> rest(std::make_move_iterator(middle), std::make_move_iterator(work.end()));
    work.erase(middle, work.end());
    asio::awaitable<void> first = together(std::move(work));
    asio::awaitable<void> second = together(std::move(rest));
    co_await (std::move(first) && std::move(second));
}

}  // namespace nodeagent
