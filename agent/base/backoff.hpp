#pragma once
// Capped exponential delays with additive jitter: the pure sequence EB(min, max, jitter, multiplier) of the protocol.
// next() = base + uniform[0, base * jitter); base then grows to min(max, base * multiplier).

#include <chrono>
#include <cstdint>

#include "agent/base/random.hpp"

namespace nodeagent {

struct BackoffPolicy {
    std::chrono::nanoseconds min;
    std::chrono::nanoseconds max;
    double jitter = 0.0;      ///< share of the delay that may be added; the sum may exceed max by it
    double multiplier = 2.0;  ///< >= 1
};

class Backoff {
  public:
    explicit Backoff(BackoffPolicy policy, std::uint64_t seed = thread_random()());
    std::chrono::nanoseconds next();
    void reset();

  private:
    BackoffPolicy policy_;
    std::chrono::nanoseconds base_;
    Random random_;
};

/// base + uniform[0, spread).
std::chrono::nanoseconds jittered(std::chrono::nanoseconds base, std::chrono::nanoseconds spread);

}  // namespace nodeagent
