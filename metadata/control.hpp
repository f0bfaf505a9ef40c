#pragma once
// The control socket: what changes the agent, and therefore is no part of the introspection server, which containers
// can reach. A unix socket for root and the agent's own user; the kernel tells who connects.
//
//   GET /v1/drain      how far it is                     POST /v1/drain  {"tasksOnly":false}
//   POST /v1/undrain   take tasks again
//   GET /v1/instance-credentials   the agent's own keys, for logging programs without a role of their task's
//   GET /v1/logs?id=ID             where the containers of a task log to (task_logs.hpp)
// Answers: 200 with the report; 400 (the wish cannot be read), 404 and 409 (no task, several) or 503 with
// {"error":...}.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/credentials/provider.hpp"
#include "metadata/drain_report.hpp"
#include "metadata/listener.hpp"
#include "metadata/message.hpp"
#include "metadata/task_logs.hpp"

namespace nodeagent::metadata {

enum class DrainCall : std::uint8_t { Ask, Begin, BeginTasksOnly, End };

/// Called on the listener's shard.
using DrainControl = std::function<asio::awaitable<Result<DrainReport>>(DrainCall)>;

/// Likewise. Of the task with that ARN, id or beginning of an id; NotFound, Conflict if it fits several.
using LogPlaces = std::function<Result<TaskLogs>(const std::string& id)>;

/// Likewise.
using InstanceCredentials = std::function<asio::awaitable<Result<credentials::AwsCredentials>>()>;

class ControlServer {
  public:
    struct Calls {
        DrainControl drain;
        InstanceCredentials credentials;  ///< empty: 503
        LogPlaces logs;                   ///< likewise
    };
    ControlServer(asio::any_io_executor shard, Clock& clock, Calls calls, std::string socket_path);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    void start();
    asio::awaitable<void> stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

[[nodiscard]] Response drain_document(const DrainReport& report);

}  // namespace nodeagent::metadata
