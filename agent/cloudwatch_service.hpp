#pragma once
// Brings the publisher for CloudWatch to the telemetry shard, and the agent's credentials to it.

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/config/config.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/telemetry/cloudwatch.hpp"

namespace nodeagent {

struct AwsClients;

class CloudWatchService {
  public:
    struct Parts {
        asio::any_io_executor main;       ///< where the credentials live
        asio::any_io_executor telemetry;  ///< where the collector lives, and the publisher
        const config::Config& config;     ///< with the cluster that was joined; read by the constructor only
        const telemetry::Collector& collector;
        const model::SnapshotBoard& snapshots;
        AwsClients& aws;
    };
    explicit CloudWatchService(Parts parts);
    ~CloudWatchService();

    void start();
    /// What waits is sent, as far as it can be within `limit`. May be awaited on any shard.
    asio::awaitable<void> finish(std::chrono::nanoseconds limit);
    /// From any thread.
    [[nodiscard]] telemetry::CloudWatch::Counters counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent
