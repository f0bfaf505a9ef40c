#pragma once
// Statistics and what is made of them, on a shard of their own: reading a thousand cgroups must not delay an answer of
// the endpoints or a task's life.

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "agent/config/config.hpp"
#include "agent/model/snapshot.hpp"

namespace nodeagent {

namespace telemetry {
class Collector;
}

class TelemetryService {
  public:
    struct Parts {
        const config::Config& config;
        const model::SnapshotBoard& snapshots;
    };
    explicit TelemetryService(Parts parts);
    ~TelemetryService();

    void start();
    void stop();

    /// Null when the machine shows no cgroups.
    [[nodiscard]] telemetry::Collector* collector() const;
    /// Of its shard, for what publishes the statistics.
    [[nodiscard]] boost::asio::any_io_executor executor() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent
