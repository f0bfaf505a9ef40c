#pragma once
// The SDK's retry layers as values (control-plane.md 3.2): which failures, how often, how long between, and the quota
// that keeps a broken service from being hammered.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "agent/net/service_error.hpp"

namespace nodeagent::net {

[[nodiscard]] bool is_throttle_code(std::string_view code);
/// Connection errors, HTTP 500/502/503/504, request timeouts, throttling.
[[nodiscard]] bool is_retryable(const ServiceError& error);

struct RetryPolicy {
    int max_attempts = 3;
    /// Wait before retry n (from 1); `fraction` is uniform in [0, 1).
    std::function<std::chrono::nanoseconds(int retry, double fraction)> delay;
};

/// fraction * 2^n seconds, capped at 20 s.
[[nodiscard]] RetryPolicy standard_retries(int max_attempts = 3);
/// For Submit*: 298 attempts; 2^n * 30..59 ms up to n = 13, then 5 minutes.
[[nodiscard]] RetryPolicy submit_retries();

/// Token bucket of one client: 500, a retry costs 5 (10 after a timeout), given back when the call succeeds in the end.
class RetryQuota {
  public:
    /// The cost taken, or 0 when the bucket cannot pay it.
    [[nodiscard]] int take(const ServiceError& reason);
    /// A call succeeded; `last_cost` is what its last retry took, 0 when there was none.
    void succeeded(int last_cost);
    [[nodiscard]] int available() const { return available_; }

  private:
    int available_ = 500;
};

}  // namespace nodeagent::net
