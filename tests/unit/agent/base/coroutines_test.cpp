// Inbox, Scope and BlockingPool: what the rest of the agent leans on.
#include <atomic>
#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/inbox.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"

namespace nodeagent {
namespace {

asio::awaitable<void> collect(Inbox<int>& inbox, std::vector<int>& out, std::size_t count) {
    while (out.size() < count) out.push_back(co_await inbox.receive());
}

TEST(Inbox, HandsItemsOverInOrderWheneverTheyArrive) {
    asio::io_context io;
    Inbox<int> inbox(io.get_executor());
    std::vector<int> got;
    Scope scope(io.get_executor());
    inbox.push(1);
    scope.spawn(collect(inbox, got, 4));
    io.poll();
    inbox.push(2);
    inbox.push(3);
    io.restart();
    io.poll();
    inbox.push(4);
    io.restart();
    io.run();
    EXPECT_THAT(got, testing::ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(scope.size(), 0U);
}

asio::awaitable<void> forever(Inbox<int>& inbox) {
    for (;;) (void)co_await inbox.receive();
}

asio::awaitable<void> stop(Scope& scope, bool& drained) {
    scope.cancel();
    co_await scope.drain();
    drained = true;
}

TEST(Scope, CancelsAndDrainsWhatWaits) {
    asio::io_context io;
    Inbox<int> inbox(io.get_executor());
    Scope scope(io.get_executor());
    for (int i = 0; i < 3; ++i) scope.spawn(forever(inbox));
    io.poll();
    EXPECT_EQ(scope.size(), 3U);
    bool drained = false;
    Scope outer(io.get_executor());
    outer.spawn(stop(scope, drained));
    io.restart();
    io.run();
    EXPECT_TRUE(drained);
    EXPECT_EQ(scope.size(), 0U);
}

asio::awaitable<void> on(Shard& shard) {
    auto nothing = []() -> asio::awaitable<void> { co_return; }();
    co_await asio::co_spawn(shard.executor(), std::move(nothing), asio::use_awaitable);
}

asio::awaitable<void> give_up_at_once(Scope& scope, asio::io_context& io, bool& given_up) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer limit(co_await asio::this_coro::executor, asio::steady_timer::time_point::min());
    auto late = limit.async_wait(asio::use_awaitable);
    co_await (scope.drain() || std::move(late));
    given_up = true;
    io.stop();
}

TEST(Scope, CanBeGivenUpWhileItsWorkWaitsForABlockedShard) {
    Shard shard("blocked");
    std::promise<void> unblock;
    asio::post(shard.executor(), [&unblock] { unblock.get_future().wait(); });
    shard.start();
    asio::io_context io;
    Scope scope(io.get_executor());
    scope.spawn(on(shard));
    bool given_up = false;
    Scope outer(io.get_executor());
    outer.spawn(give_up_at_once(scope, io, given_up));
    io.run_for(std::chrono::seconds(5));  // a limit, not a wait
    EXPECT_TRUE(given_up);
    EXPECT_EQ(scope.size(), 1U);
    unblock.set_value();
    io.restart();
    io.run();
    EXPECT_EQ(scope.size(), 0U);
}

asio::awaitable<void> add_on_pool(BlockingPool& pool, std::atomic<int>& threads_seen, int& sum, std::thread::id home) {
    const int value = co_await pool.run([&threads_seen, home] {
        if (std::this_thread::get_id() != home) ++threads_seen;
        return 1;
    });
    EXPECT_TRUE(std::this_thread::get_id() == home) << "the result comes back on the caller's shard";
    sum += value;
}

TEST(BlockingPool, RunsOnItsThreadsAndComesBackToTheCallers) {
    asio::io_context io;
    BlockingPool pool(2);
    Scope scope(io.get_executor());
    std::atomic<int> elsewhere{0};
    int sum = 0;
    for (int i = 0; i < 20; ++i) scope.spawn(add_on_pool(pool, elsewhere, sum, std::this_thread::get_id()));
    io.run();
    EXPECT_EQ(sum, 20);
    EXPECT_EQ(elsewhere, 20);
}

}  // namespace
}  // namespace nodeagent
