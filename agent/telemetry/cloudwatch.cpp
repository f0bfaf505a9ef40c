#include "agent/telemetry/cloudwatch.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::telemetry {

using namespace std::chrono_literals;

namespace {

constexpr auto kNever = asio::steady_timer::time_point::max();
constexpr auto kAtOnce = asio::steady_timer::time_point::min();

/// An attempt is one request: what fails is tried again from the queue, where newer minutes may take its place.
net::RetryPolicy one_attempt() {
    return {.max_attempts = 1, .delay = [](int, double) { return std::chrono::nanoseconds(0); }};
}

/// For about ten minutes. A proxy that is in the way for a while costs nothing; one that will not have just this
/// request does not hold up the others for ever.
constexpr int kUnnamedTries = 20;

enum class Setback : std::uint8_t {
    Passing,      ///< the same request may not meet it a while later
    Credentials,  ///< nor with other keys, or when the clock is right again
    TooLarge,
    Unnamed,  ///< not CloudWatch's words: a proxy's
    Final
};

bool no_permission(const net::ServiceError& error) {
    constexpr std::array codes{"AccessDenied", "AccessDeniedException", "OptInRequired",
                               "SubscriptionRequiredException", "UnauthorizedOperation"};
    return std::any_of(codes.begin(), codes.end(), [&](const char* code) { return error.is(code); });
}

Setback setback_of(const net::ServiceError& error) {
    constexpr int request_timeout = 408, too_large = 413;
    const bool busy = error.status >= 500 || error.status == request_timeout || error.kind == ErrorKind::Throttled;
    if (!error.answered() || busy || net::is_retryable(error)) return Setback::Passing;
    if (error.status == too_large) return Setback::TooLarge;
    if (error.code.empty()) return Setback::Unnamed;
    if (no_permission(error)) return Setback::Final;
    const bool of_credentials =
        error.kind == ErrorKind::Denied || error.is("RequestExpired") || error.is("InvalidClientTokenId");
    return of_credentials ? Setback::Credentials : Setback::Final;
}

std::string_view remedy_for(const net::ServiceError& error) {
    if (error.answered() && error.code.empty())
        return "this is not CloudWatch's answer: check the proxy, AWS_ENDPOINT_URL_CLOUDWATCH and NO_PROXY";
    if (no_permission(error))
        return "allow cloudwatch:PutMetricData for the agent's credentials, with namespace ECS/ContainerInsights";
    if (error.kind == ErrorKind::Denied) return "check the agent's credentials and the machine's clock";
    return "check AWS_ENDPOINT_URL_CLOUDWATCH and the region; ECS_CLOUDWATCH_METRICS=off ends the attempts";
}

asio::awaitable<void> wait_for(asio::steady_timer& timer) {
    boost::system::error_code moved;  // also when the time that is waited for was changed
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, moved));
}

}  // namespace

CloudWatch::CloudWatch(asio::any_io_executor shard, Options options, Insights::Readings readings,
                       const model::SnapshotBoard& snapshots, net::AwsTransport transport)
    : options_(std::move(options)),
      readings_(std::move(readings)),
      snapshots_(snapshots),
      transport_(transport),
      client_(transport, options_.service, one_attempt()),
      insights_(options_.detailed, options_.version, options_.interval),
      backoff_(options_.backoff),
      wake_(shard, kNever),
      finished_(shard, kNever) {}

asio::awaitable<void> CloudWatch::look() {
    SteadyTime next = transport_.clock.now().steady;
    while (!finishing_) {
        look_once();
        const SteadyTime now = transport_.clock.now().steady;
        const auto step = std::chrono::duration_cast<SteadyTime::duration>(options_.interval);
        next = std::max(next + step, now);
        co_await transport_.clock.sleep_until(next);
    }
}

void CloudWatch::look_once() {
    const auto snapshot = snapshots_.current();
    if (const auto minute = insights_.look(transport_.clock.now().wall, readings_, *snapshot)) enqueue(*minute);
}

asio::awaitable<void> CloudWatch::send() {
    for (;;) {
        wake_.expires_at(kNever);  // what happens from here on ends the wait below
        const bool due = finishing_ || transport_.clock.now().steady >= not_before_;
        if (queue_.empty() || !due) {
            if (finishing_) finished_.expires_at(kAtOnce);
            co_await wait();
            continue;
        }
        const bool gone = co_await send_first();
        if (!gone && finishing_) {
            finished_.expires_at(kAtOnce);
            co_return;
        }
    }
}

asio::awaitable<void> CloudWatch::finish(std::chrono::nanoseconds limit) {
    using namespace asio::experimental::awaitable_operators;
    if (const auto minute = insights_.close(transport_.clock.now().wall)) enqueue(*minute);
    finishing_ = true;
    if (queue_.empty()) co_return;
    wake_.expires_at(kAtOnce);
    auto enough = transport_.clock.sleep_for(limit);
    auto all = wait_for(finished_);
    co_await (std::move(enough) || std::move(all));
}

/// Until something is to be looked at, or the next attempt is due.
asio::awaitable<void> CloudWatch::wait() {
    using namespace asio::experimental::awaitable_operators;
    auto woken = wait_for(wake_);
    if (queue_.empty()) {
        co_await std::move(woken);
    } else {
        auto due = transport_.clock.sleep_until(not_before_);
        co_await (std::move(due) || std::move(woken));
    }
}

void CloudWatch::enqueue(const MetricMinute& minute) {
    if (queue_.empty()) {
        room_ = options_.queue_bytes;
        const auto wait = jittered(0ns, options_.spread);
        not_before_ = transport_.clock.now().steady + std::chrono::duration_cast<SteadyTime::duration>(wait);
    }
    std::size_t bytes = 0;
    for (MetricRequest& request : put_metric_data(minute, options_.cluster)) {
        bytes += request.form.size();
        insert(queue_.end(), std::move(request));
    }
    // an outage of ten minutes passes without a loss on a large host, too
    constexpr std::size_t minutes = 15;
    room_ = std::max(room_, std::min(minutes * bytes, options_.queue_bytes_at_most));
    make_room();
    wake_.expires_at(kAtOnce);
}

void CloudWatch::make_room() {
    const std::ptrdiff_t oldest = first_under_way_ ? 1 : 0;
    while (counters_.queued_bytes > room_ && std::ssize(queue_) > oldest) {
        if (!std::exchange(overflowing_, true)) {
            log::warn(
                "metrics for CloudWatch are dropped, the oldest first: what waits to be sent has filled its queue",
                {{"bytes", room_}, {"from", rfc3339_seconds(queue_[0].minute)}});
        }
        const auto dropped = queue_.begin() + oldest;
        {
            const std::lock_guard lock(mutex_);
            counters_.metrics_dropped += dropped->metrics;
        }
        remove(dropped);
    }
}

/// True when the first request has left the queue.
asio::awaitable<bool> CloudWatch::send_first() {
    first_under_way_ = true;
    std::string form = queue_.front().form;
    const net::ServiceResult<std::string> answer = co_await client_.call_gzip_query(std::move(form));
    first_under_way_ = false;
    if (answer) {
        delivered();
        co_return true;
    }
    const Setback setback = setback_of(answer.error());
    if (setback == Setback::TooLarge && queue_.front().metrics > 1) {
        split_first();
        co_return false;
    }
    const bool hopeless = setback == Setback::Unnamed && ++unnamed_ >= kUnnamedTries;
    if (setback == Setback::Final || setback == Setback::TooLarge || hopeless) {
        refused(answer.error());
        co_return true;
    }
    if (setback == Setback::Credentials) transport_.credentials.invalidate();
    put_off(answer.error());
    co_return false;
}

/// The halves go out after a pause: a peer that takes nothing at all is not to get a thousand requests at once.
void CloudWatch::split_first() {
    if (!std::exchange(splitting_, true)) {
        log::info("a request to CloudWatch is too large for what answers it; it is sent in parts",
                  {{"bytes", queue_.front().form.size()}, {"metrics", queue_.front().metrics}});
    }
    std::vector<MetricRequest> halves = halves_of(queue_.front());
    remove(queue_.begin());
    for (auto half = halves.rbegin(); half != halves.rend(); ++half) insert(queue_.begin(), std::move(*half));
    pause();
}

void CloudWatch::delivered() {
    if (std::exchange(failing_, false))
        log::info("CloudWatch takes metrics again", {{"requestsWaiting", queue_.size() - 1}});
    overflowing_ = false;
    refusals_.clear();
    backoff_.reset();
    {
        const std::lock_guard lock(mutex_);
        ++counters_.requests_sent;
        counters_.metrics_sent += queue_.front().metrics;
    }
    remove(queue_.begin());
}

void CloudWatch::refused(const net::ServiceError& error) {
    if (refusals_.insert(error.code).second) {
        log::error("CloudWatch refuses metrics, which are dropped",
                   {{"error", net::to_error("PutMetricData", error).what}, {"remedy", remedy_for(error)}});
    }
    {
        const std::lock_guard lock(mutex_);
        counters_.metrics_refused += queue_.front().metrics;
    }
    remove(queue_.begin());
}

void CloudWatch::put_off(const net::ServiceError& error) {
    if (!std::exchange(failing_, true)) {
        log::warn("metrics do not reach CloudWatch; they are kept and sent again",
                  {{"error", net::to_error("PutMetricData", error).what}});
    }
    pause();
}

void CloudWatch::pause() {
    const auto wait = std::chrono::duration_cast<SteadyTime::duration>(backoff_.next());
    not_before_ = transport_.clock.now().steady + wait;
    const std::lock_guard lock(mutex_);
    ++counters_.attempts_failed;
}

void CloudWatch::insert(std::deque<MetricRequest>::iterator before, MetricRequest request) {
    {
        const std::lock_guard lock(mutex_);
        ++counters_.queued_requests;
        counters_.queued_bytes += request.form.size();
    }
    queue_.insert(before, std::move(request));
}

void CloudWatch::remove(std::deque<MetricRequest>::iterator request) {
    if (request == queue_.begin()) unnamed_ = 0;
    {
        const std::lock_guard lock(mutex_);
        --counters_.queued_requests;
        counters_.queued_bytes -= request->form.size();
    }
    queue_.erase(request);
}

CloudWatch::Counters CloudWatch::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

}  // namespace nodeagent::telemetry
