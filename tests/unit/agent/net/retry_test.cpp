#include "agent/net/retry.hpp"

namespace nodeagent::net {
namespace {

using namespace std::chrono_literals;

ServiceError answered(int status, std::string code = {}) {
    ServiceError error;
    error.status = status;
    error.code = std::move(code);
    return error;
}

ServiceError unanswered(ErrorKind kind) {
    ServiceError error;
    error.kind = kind;
    return error;
}

TEST(Retry, TriesAgainWhatMayPass) {
    for (const int status : {500, 502, 503, 504}) EXPECT_TRUE(is_retryable(answered(status))) << status;
    for (const char* code : {"ThrottlingException", "Throttling", "RequestThrottledException", "SlowDown",
                             "LimitExceededException", "EC2ThrottledException", "RequestTimeout"}) {
        EXPECT_TRUE(is_retryable(answered(400, code))) << code;
    }
    EXPECT_TRUE(is_retryable(unanswered(ErrorKind::Unavailable)));
    EXPECT_TRUE(is_retryable(unanswered(ErrorKind::Timeout)));
}

TEST(Retry, GivesUpOnWhatWillStayWrong) {
    for (const char* code : {"InvalidParameterException", "ClientException", "AccessDeniedException", ""}) {
        EXPECT_FALSE(is_retryable(answered(400, code))) << code;
    }
    EXPECT_FALSE(is_retryable(answered(501)));
    EXPECT_FALSE(is_retryable(unanswered(ErrorKind::Denied)));
}

TEST(Retry, DelaysOfTheStandardLayerDoubleUpToTwentySeconds) {
    const RetryPolicy policy = standard_retries();
    EXPECT_EQ(policy.max_attempts, 3);
    EXPECT_EQ(policy.delay(1, 0.5), 1s);
    EXPECT_EQ(policy.delay(2, 0.5), 2s);
    EXPECT_EQ(policy.delay(4, 0.999), std::chrono::nanoseconds(15'984'000'000));
    EXPECT_EQ(policy.delay(5, 0.0), 20s);
}

TEST(Retry, DelaysOfTheSubmitLayerGrowThenStayAtFiveMinutes) {
    const RetryPolicy policy = submit_retries();
    EXPECT_EQ(policy.max_attempts, 298);
    EXPECT_EQ(policy.delay(1, 0.0), 60ms);
    EXPECT_EQ(policy.delay(1, 0.999), 118ms);
    EXPECT_EQ(policy.delay(13, 0.0), 8192 * 30ms);
    EXPECT_EQ(policy.delay(14, 0.0), 5min);
    EXPECT_EQ(policy.delay(297, 0.9), 5min);
}

TEST(RetryQuota, PaysForAHundredRetriesAndRefundsTheLastOnSuccess) {
    RetryQuota quota;
    for (int i = 0; i < 99; ++i) EXPECT_EQ(quota.take(answered(500)), 5);
    EXPECT_EQ(quota.take(unanswered(ErrorKind::Timeout)), 0) << "a timeout costs twice as much";
    EXPECT_EQ(quota.take(answered(500)), 5);
    EXPECT_EQ(quota.take(answered(500)), 0);
    quota.succeeded(5);
    EXPECT_EQ(quota.available(), 5);
    quota.succeeded(0);
    EXPECT_EQ(quota.available(), 6) << "a call that needed no retry gives one back";
    for (int i = 0; i < 1000; ++i) quota.succeeded(0);
    EXPECT_EQ(quota.available(), 500);
}

}  // namespace
}  // namespace nodeagent::net
