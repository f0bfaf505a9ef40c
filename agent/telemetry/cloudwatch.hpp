#pragma once
// Publishes what containers use to CloudWatch, without the telemetry endpoint: looks at the readings, makes minutes of
// them, sends each until CloudWatch has acknowledged it.
//
//   look every interval -> minute ends -> requests -> queue (bounded, oldest dropped) -> one request at a time
//
// At least once: a request whose outcome is unknown (no answer) is sent again, and CloudWatch adds both. What
// CloudWatch refuses for a reason that time does not mend is dropped. Lives on one shard; counters() may be called from
// any.

#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/clock.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/net/aws_client.hpp"
#include "agent/telemetry/insights.hpp"
#include "agent/telemetry/put_metric_data.hpp"

namespace nodeagent::telemetry {

namespace asio = boost::asio;

class CloudWatch {
  public:
    struct Options {
        std::string cluster;  ///< name
        bool detailed = false;
        cgroups::Version version{};
        std::chrono::nanoseconds interval = std::chrono::seconds(1);  ///< between looks: that of the sampling
        net::AwsService service;
        /// Of compressed requests: so many wait, or 15 times those of a minute, up to the second figure.
        std::size_t queue_bytes = 4U << 20U;
        std::size_t queue_bytes_at_most = 32U << 20U;
        /// The first request of a minute waits up to so long, that the agents of a cluster do not all come at once.
        std::chrono::nanoseconds spread = std::chrono::seconds(10);
        BackoffPolicy backoff{
            .min = std::chrono::seconds(1), .max = std::chrono::seconds(30), .jitter = 0.5, .multiplier = 2};
    };
    /// All but the options outlive it.
    CloudWatch(asio::any_io_executor shard, Options options, Insights::Readings readings,
               const model::SnapshotBoard& snapshots, net::AwsTransport transport);

    /// Two coroutines, each until cancelled.
    asio::awaitable<void> look();
    asio::awaitable<void> send();
    /// Ends the minute under way and sends at once what waits. Returns when all is sent, an attempt has failed, or
    /// after `limit`.
    asio::awaitable<void> finish(std::chrono::nanoseconds limit);

    struct Counters {
        std::uint64_t requests_sent = 0;  ///< and acknowledged
        std::uint64_t metrics_sent = 0;
        std::uint64_t attempts_failed = 0;  ///< that are made again: no answer, throttled, bad credentials, too large
        std::uint64_t metrics_refused = 0;  ///< dropped because CloudWatch, or a proxy, will not have them
        std::uint64_t metrics_dropped = 0;  ///< because the queue was full
        std::size_t queued_requests = 0;
        std::size_t queued_bytes = 0;
    };
    [[nodiscard]] Counters counters() const;

  private:
    void look_once();
    void enqueue(const MetricMinute& minute);
    void make_room();
    asio::awaitable<void> wait();
    asio::awaitable<bool> send_first();
    void delivered();
    void refused(const net::ServiceError& error);
    void put_off(const net::ServiceError& error);
    void split_first();
    void pause();
    void insert(std::deque<MetricRequest>::iterator before, MetricRequest request);
    void remove(std::deque<MetricRequest>::iterator request);

    Options options_;
    Insights::Readings readings_;
    const model::SnapshotBoard& snapshots_;
    net::AwsTransport transport_;
    net::AwsClient client_;
    Insights insights_;
    Backoff backoff_;

    std::deque<MetricRequest> queue_;
    std::size_t room_ = 0;          ///< bytes that may wait; does not shrink while something does
    int unnamed_ = 0;               ///< attempts of the first that a proxy refused
    bool first_under_way_ = false;  ///< then it stays until its outcome is known
    SteadyTime not_before_{};       ///< the next attempt
    bool finishing_ = false;
    asio::steady_timer wake_;      ///< past: send() has something new to look at
    asio::steady_timer finished_;  ///< past: finish() may return

    bool failing_ = false;  ///< logged once, until something is delivered; the next two likewise
    bool overflowing_ = false;
    bool splitting_ = false;          ///< logged once
    std::set<std::string> refusals_;  ///< codes

    mutable std::mutex mutex_;
    Counters counters_;
};

}  // namespace nodeagent::telemetry
