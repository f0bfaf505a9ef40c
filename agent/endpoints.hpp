#pragma once
// The local HTTP endpoints on a shard of their own, and what they show of the rest of the agent. Setters are called on
// the engine's shard; they publish values that the endpoints' shard reads.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/config/load.hpp"
#include "agent/log_places.hpp"
#include "agent/model/host_conditions.hpp"
#include "metadata/control.hpp"
#include "metadata/task_server.hpp"

namespace nodeagent {

namespace engine {
class EventLog;
}

class Endpoints {
  public:
    struct Parts {
        const config::Config& config;
        const std::vector<config::EffectiveSetting>& settings;
        const model::SnapshotBoard& snapshots;
        const credentials::Registry& credentials;
        engine::EventLog& events;
        const metadata::StatsSource* stats;                            ///< null: containers have no statistics
        metadata::TagsSource tags;                                     ///< called on the endpoints' shard
        metadata::ProtectionApi protection;                            ///< likewise
        metadata::DrainControl drain;                                  ///< likewise
        metadata::InstanceCredentials instance_credentials;            ///< likewise
        std::function<asio::awaitable<model::HostConditions>()> host;  ///< likewise
        LogSurroundings logs;
    };
    struct Registered {
        std::string container_instance_arn;
        std::string cluster;
        std::string availability_zone;
    };
    explicit Endpoints(Parts parts);
    ~Endpoints();

    void start();
    /// Closes listeners and connections, ends the shard.
    void stop();
    /// Of its shard.
    [[nodiscard]] asio::any_io_executor executor() const;

    void registered(Registered registered);
    void located(std::string vpc_id, std::string availability_zone_id);
    void runtime_found(std::string name, std::string version);
    void runtime_reachable(bool reachable);
    void session(bool connected, WallTime since);
    void telemetry(bool connected);
    void draining(metadata::DrainReport report);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent
