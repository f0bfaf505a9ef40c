#include "agent/base/backoff.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, GrowsToItsCeilingAndOnlyEverAddsJitter) {
    Backoff backoff({.min = 250ms, .max = 2min, .jitter = 0.2, .multiplier = 1.5}, 7);
    std::chrono::nanoseconds base = 250ms;
    for (int i = 0; i < 40; ++i) {
        const auto delay = backoff.next();
        EXPECT_GE(delay, base);
        EXPECT_LT(delay, base + base / 5 + 1ns);
        base = std::min<std::chrono::nanoseconds>(2min, base * 3 / 2);
    }
    EXPECT_EQ(base, 2min);
    backoff.reset();
    EXPECT_LT(backoff.next(), 301ms);
}

TEST(Backoff, WithoutJitterIsExact) {
    Backoff backoff({.min = 1s, .max = 5s, .jitter = 0, .multiplier = 2});
    EXPECT_EQ(backoff.next(), 1s);
    EXPECT_EQ(backoff.next(), 2s);
    EXPECT_EQ(backoff.next(), 4s);
    EXPECT_EQ(backoff.next(), 5s);
}

}  // namespace
}  // namespace nodeagent
