#include "agent/telemetry/cloudwatch.hpp"

#include <algorithm>
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

bool expired(const net::ServiceError& error) { return error.is("ExpiredToken") || error.is("ExpiredTokenException"); }

/// What the same request may not meet a while later.
bool passes(const net::ServiceError& error) {
    if (!error.answered() || error.status >= 500) return true;
    if (error.code.empty()) return true;  // not CloudWatch's words: a proxy's
    return net::is_retryable(error) || error.kind == ErrorKind::Throttled || expired(error);
}

std::string_view remedy_for(const net::ServiceError& error) {
    if (error.is("AccessDenied") || error.is("AccessDeniedException"))
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
      insights_(options_.detailed, options_.version),
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
        const auto wait = jittered(0ns, options_.spread);
        not_before_ = transport_.clock.now().steady + std::chrono::duration_cast<SteadyTime::duration>(wait);
    }
    for (MetricRequest& request : put_metric_data(minute, options_.cluster)) {
        {
            const std::lock_guard lock(mutex_);
            ++counters_.queued_requests;
            counters_.queued_bytes += request.form.size();
        }
        queue_.push_back(std::move(request));
    }
    make_room();
    wake_.expires_at(kAtOnce);
}

void CloudWatch::make_room() {
    const std::ptrdiff_t oldest = first_under_way_ ? 1 : 0;
    while (counters_.queued_bytes > options_.queue_bytes && std::ssize(queue_) > oldest) {
        if (!std::exchange(overflowing_, true)) {
            log::warn(
                "metrics for CloudWatch are dropped, the oldest first: what waits to be sent has filled its queue",
                {{"bytes", options_.queue_bytes}, {"from", rfc3339_seconds(queue_[0].minute)}});
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
    if (!answer && passes(answer.error())) {
        put_off(answer.error());
        co_return false;
    }
    if (answer) {
        delivered();
    } else {
        refused(answer.error());
    }
    co_return true;
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
    if (expired(error)) transport_.credentials.invalidate();
    if (!std::exchange(failing_, true)) {
        log::warn("metrics do not reach CloudWatch; they are kept and sent again",
                  {{"error", net::to_error("PutMetricData", error).what}});
    }
    const auto wait = std::chrono::duration_cast<SteadyTime::duration>(backoff_.next());
    not_before_ = transport_.clock.now().steady + wait;
    const std::lock_guard lock(mutex_);
    ++counters_.attempts_failed;
}

void CloudWatch::remove(std::deque<MetricRequest>::iterator request) {
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
