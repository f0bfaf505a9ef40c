#pragma once
// Serves Prometheus: GET /metrics, the text of exposition.hpp, and GET /sd, the targets of scrape_targets.hpp. Nothing
// is computed while nobody asks, and for those who ask too often once a second. Metrics are compressed for those who
// ask for gzip (Prometheus does).
//
// Anybody who reaches the port may ask: neither answer holds anything that a task or the agent keeps secret.

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/model/host_conditions.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/telemetry/agent_figures.hpp"
#include "metadata/listener.hpp"

namespace nodeagent::telemetry {

class Collector;
class LifecycleSteps;

/// All outlive the server; the functions are called on its shard, which is the collector's.
struct MetricsSources {
    const model::SnapshotBoard& snapshots;
    Collector* collector;  ///< null: containers have no statistics
    const LifecycleSteps& steps;
    std::function<asio::awaitable<AgentFigures>()> figures;
    std::function<model::HostConditions()> host;
};

class MetricsServer {
  public:
    MetricsServer(asio::any_io_executor shard, Clock& clock, MetricsSources sources, metadata::ListenerOptions options);
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    void start();
    asio::awaitable<void> stop();
    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Of the server on `address`; "": on all. Few connections: a scraper needs one, and each may hold a whole text.
[[nodiscard]] metadata::ListenerOptions metrics_listener(const std::string& address, std::uint16_t port);

}  // namespace nodeagent::telemetry
