#pragma once
// How the sender waits: for a socket or a moment, with an eye on its partner and on the end.

#include <chrono>
#include <cstdint>

namespace nodeagent::runtime::logs {

/// CLOCK_MONOTONIC.
using Monotonic = std::chrono::steady_clock::time_point;

class Waiter {
  public:
    virtual ~Waiter() = default;
    /// Until `fd` (-1: none) has one of `events` (poll's), or `until`. False if it has not.
    virtual bool wait(int fd, short events, Monotonic until) = 0;
    /// The time of the whole program is up: whatever goes on is to be left.
    [[nodiscard]] virtual bool over() const = 0;
};

}  // namespace nodeagent::runtime::logs
