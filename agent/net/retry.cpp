#include "agent/net/retry.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "agent/base/strings.hpp"

namespace nodeagent::net {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr int kQuota = 500;
constexpr int kRetryCost = 5;
constexpr int kTimeoutRetryCost = 10;
constexpr int kFirstTimeReward = 1;

nanoseconds fraction_of(double value, nanoseconds unit) {
    return nanoseconds(static_cast<nanoseconds::rep>(value * static_cast<double>(unit.count())));
}

bool is_timeout_code(const ServiceError& error) {
    return error.is("RequestTimeout") || error.is("RequestTimeoutException");
}

}  // namespace

bool is_throttle_code(std::string_view code) {
    constexpr std::array<std::string_view, 9> kCodes{"ThrottledException",
                                                     "TooManyRequestsException",
                                                     "ProvisionedThroughputExceededException",
                                                     "TransactionInProgressException",
                                                     "RequestLimitExceeded",
                                                     "BandwidthLimitExceeded",
                                                     "LimitExceededException",
                                                     "SlowDown",
                                                     "PriorRequestNotComplete"};
    if (code.starts_with("Throttling") || code.starts_with("RequestThrottled") || code == "EC2ThrottledException") {
        return true;
    }
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

bool is_retryable(const ServiceError& error) {
    if (!error.answered()) return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Timeout;
    const bool passing = error.status == 500 || error.status == 502 || error.status == 503 || error.status == 504;
    return passing || is_timeout_code(error) || is_throttle_code(error.code);
}

RetryPolicy standard_retries(int max_attempts) {
    return {max_attempts, [](int retry, double fraction) -> nanoseconds {
                constexpr seconds kCap{20};
                if (retry > 4) return kCap;  // 2^5 s would pass the cap: the SDK then waits the whole of it
                return std::min<nanoseconds>(fraction_of(fraction * std::exp2(retry), seconds(1)), kCap);
            }};
}

RetryPolicy submit_retries() {
    return {298, [](int retry, double fraction) -> nanoseconds {
                if (retry > 13) return std::chrono::minutes(5);
                const auto unit = milliseconds(30 + static_cast<int>(fraction * 30));  // 30..59
                return (1 << retry) * unit;
            }};
}

int RetryQuota::take(const ServiceError& reason) {
    const bool timed_out = reason.answered() ? is_timeout_code(reason) : reason.kind == ErrorKind::Timeout;
    const int cost = timed_out ? kTimeoutRetryCost : kRetryCost;
    if (available_ < cost) return 0;
    available_ -= cost;
    return cost;
}

void RetryQuota::succeeded(int last_cost) {
    available_ = std::min(kQuota, available_ + (last_cost > 0 ? last_cost : kFirstTimeReward));
}

}  // namespace nodeagent::net
