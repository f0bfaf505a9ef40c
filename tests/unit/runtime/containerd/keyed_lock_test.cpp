#include "runtime/containerd/keyed_lock.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace nodeagent::runtime::containerd {
namespace {

/// Somebody who takes a key and keeps it until `held` is reset.
struct Taker {
    std::optional<KeyedLock::Held> held;
    bool refused = false;
    asio::cancellation_signal cancel;
};

asio::awaitable<void> acquire(KeyedLock& locks, std::string key, Taker& taker) {
    KeyedLock::Held held = co_await locks.acquire(std::move(key));
    taker.held.emplace(std::move(held));
}

class KeyedLockTest : public ::testing::Test {
  protected:
    void take(Taker& taker, const std::string& key) {
        asio::co_spawn(io, acquire(locks, key, taker),
                       asio::bind_cancellation_slot(taker.cancel.slot(), [&taker](std::exception_ptr error) {
                           taker.refused = error != nullptr;
                       }));
        run();
    }
    void run() {
        io.restart();
        io.poll();
    }
    asio::io_context io;
    KeyedLock locks{io.get_executor()};
    Taker first, second, third;
};

TEST_F(KeyedLockTest, IsTakenInTheOrderOfAsking) {
    take(first, "a");
    take(second, "a");
    take(third, "a");
    EXPECT_TRUE(first.held);
    EXPECT_FALSE(second.held);
    first.held.reset();
    run();
    EXPECT_TRUE(second.held);
    EXPECT_FALSE(third.held);
    second.held.reset();
    run();
    EXPECT_TRUE(third.held);
}

TEST_F(KeyedLockTest, OfAnotherKeyIsAnothers) {
    take(first, "a");
    take(second, "b");
    EXPECT_TRUE(first.held);
    EXPECT_TRUE(second.held);
}

TEST_F(KeyedLockTest, IsFreeAgainWhenNobodyWaits) {
    take(first, "a");
    first.held.reset();
    take(second, "a");
    EXPECT_TRUE(second.held);
}

TEST_F(KeyedLockTest, PassesOverWhoGaveUpWaiting) {
    take(first, "a");
    take(second, "a");
    take(third, "a");
    second.cancel.emit(asio::cancellation_type::terminal);
    run();
    EXPECT_TRUE(second.refused);
    first.held.reset();
    run();
    EXPECT_FALSE(second.held);
    EXPECT_TRUE(third.held);
}

TEST_F(KeyedLockTest, IsNotLostWithOneThatIsCancelledAsItsTurnComes) {
    take(first, "a");
    take(second, "a");
    take(third, "a");
    first.held.reset();
    second.cancel.emit(asio::cancellation_type::terminal);
    run();
    second.held.reset();
    run();
    EXPECT_TRUE(third.held);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
