#pragma once
// The introspection server on port 51678 of all addresses: the reference's /v1/metadata, /v1/tasks, /license
// (endpoints.md 5), and our own /v1/ext routes for `ecs-node`, which answer loopback peers only; others get the command
// list that any unknown path gets.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/model/host_conditions.hpp"
#include "metadata/drain_report.hpp"
#include "metadata/listener.hpp"

namespace nodeagent::model {
class SnapshotBoard;
}

namespace nodeagent::metadata {

class IdentityBoard;

/// What a snapshot of tasks cannot tell about the agent.
struct AgentStatus {
    using WallTime = std::chrono::system_clock::time_point;
    bool acs_connected = false;
    std::optional<WallTime> acs_connected_since;
    bool tcs_connected = false;
    std::string runtime_name;  ///< "docker"
    std::string runtime_version;
    bool runtime_reachable = false;
    WallTime started_at{};
    DrainReport drain{};
};

struct AgentEvent {
    std::chrono::system_clock::time_point when;
    std::string task_arn;
    std::string container;  ///< empty: the task itself
    std::string what;
};

/// A setting as in force. The value of a secret is never printed, whatever is in it.
struct AgentSetting {
    std::string name;
    std::string value;
    std::string source;  ///< "default", "environment", "file"
    bool active = true;
    bool secret = false;
};

/// The functions are called on the server's shard; each may be empty. References must outlive the server.
struct IntrospectionSource {
    const model::SnapshotBoard& snapshots;
    const IdentityBoard& identity;
    std::function<AgentStatus()> status;
    std::function<std::vector<AgentEvent>()> events;  ///< oldest first
    std::function<std::vector<AgentSetting>()> settings;
    std::function<asio::awaitable<model::HostConditions>()> host{};
    std::string license_directory = ".";  ///< holds LICENSE, NOTICE, THIRD-PARTY
};

struct IntrospectionOptions {
    ListenerOptions listener{.addresses = {"::", "0.0.0.0"}, .port = 51678};
};

class IntrospectionServer {
  public:
    IntrospectionServer(asio::any_io_executor shard, Clock& clock, IntrospectionSource source,
                        IntrospectionOptions options = {});
    ~IntrospectionServer();
    IntrospectionServer(const IntrospectionServer&) = delete;
    IntrospectionServer& operator=(const IntrospectionServer&) = delete;

    /// start, stop, port: as TaskServer.
    void start();
    asio::awaitable<void> stop();
    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent::metadata
