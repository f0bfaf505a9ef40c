#pragma once
// One port: the ECS API and CloudWatch's (POST), the ACS and TCS websockets (GET /acs/ws, /tcs/ws) and ecs-local's own
// pages. A coroutine per connection; everything on the shard of `executor`.

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "agent/local/acs_conversation.hpp"
#include "agent/local/state.hpp"

namespace nodeagent::local {

struct ServerSettings {
    std::string address = "127.0.0.1";
    unsigned short port = 0;    ///< 0: any free one
    std::string access_key_id;  ///< empty: any
    Secret secret_access_key;   ///< empty: signatures are not checked
    std::string fixtures;       ///< directory of Fixtures; empty: other services are not served
    AcsTimes acs;
    std::chrono::milliseconds tcs_heartbeat{30'000};
    std::chrono::seconds credentials_lifetime{6 * 3600};
    std::chrono::seconds keep_stopped{3600};  ///< stopped tasks and deregistered instances stay visible this long
};

class Server {
  public:
    /// `state` and `clock` must outlive it.
    Server(asio::any_io_executor executor, State& state, Clock& clock, ServerSettings settings);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds and starts accepting. Unavailable names the address and the cause.
    [[nodiscard]] Result<void> start();
    /// The port it listens on, once started.
    [[nodiscard]] unsigned short port() const;
    /// Closes the listener and every connection (websockets with code 1001), and waits for them.
    asio::awaitable<void> stop();

  private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

}  // namespace nodeagent::local
