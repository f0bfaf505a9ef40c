#pragma once
// Statistics and what is made of them, on a shard of their own: reading a thousand cgroups must not delay an answer of
// the endpoints or a task's life.

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/config/config.hpp"
#include "agent/model/host_conditions.hpp"
#include "agent/model/snapshot.hpp"

namespace nodeagent {

namespace engine {
struct StepSink;
}
namespace telemetry {
class Collector;
struct AgentFigures;
}  // namespace telemetry
namespace asio = boost::asio;

class TelemetryService {
  public:
    struct Parts {
        const config::Config& config;
        const model::SnapshotBoard& snapshots;
        std::function<asio::awaitable<telemetry::AgentFigures>()> figures;  ///< called on the telemetry shard
    };
    explicit TelemetryService(Parts parts);
    ~TelemetryService();

    void start();
    void stop();

    /// Null when the machine shows no cgroups.
    [[nodiscard]] telemetry::Collector* collector() const;
    /// Of its shard, for what publishes the statistics.
    [[nodiscard]] asio::any_io_executor executor() const;
    /// Null when nobody measures the steps of tasks.
    [[nodiscard]] engine::StepSink* steps() const;
    /// How the machine fares. From any shard; the telemetry shard looks.
    [[nodiscard]] asio::awaitable<model::HostConditions> host_conditions();
    /// The folder of Docker's images and containers, once the runtime has told.
    void docker_root(std::string folder);
    /// Whether this is an EC2 instance, whose metadata containers may reach.
    void on_ec2(bool it_is);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent
