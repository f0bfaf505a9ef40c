#include "agent/base/backoff.hpp"

#include <algorithm>
#include <random>

namespace nodeagent {

using std::chrono::nanoseconds;

namespace {
nanoseconds scaled(nanoseconds d, double factor) {
    return nanoseconds(static_cast<nanoseconds::rep>(static_cast<double>(d.count()) * factor));
}
nanoseconds uniform_below(nanoseconds spread, Random& random) {
    if (spread.count() <= 0) return nanoseconds::zero();
    return nanoseconds(std::uniform_int_distribution<nanoseconds::rep>(0, spread.count() - 1)(random));
}
}  // namespace

Backoff::Backoff(BackoffPolicy policy, std::uint64_t seed) : policy_(policy), base_(policy.min), random_(seed) {}

nanoseconds Backoff::next() {
    const nanoseconds base = std::min(base_, policy_.max);
    base_ = std::min(policy_.max, scaled(base, policy_.multiplier));
    return base + uniform_below(scaled(base, policy_.jitter), random_);
}

void Backoff::reset() { base_ = policy_.min; }

nanoseconds jittered(nanoseconds base, nanoseconds spread) { return base + uniform_below(spread, thread_random()); }

}  // namespace nodeagent
