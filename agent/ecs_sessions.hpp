#pragma once
// The two sessions with ECS, of tasks (ACS) and of telemetry (TCS), and what they share: endpoints, the dialer, the
// instance health check.

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "agent/acs_adapter.hpp"
#include "agent/config/environment.hpp"
#include "agent/ecs/acs_session.hpp"
#include "agent/ecs/doctor.hpp"
#include "agent/ecs/poll_endpoint.hpp"
#include "agent/ecs/registration.hpp"
#include "agent/ecs/tcs_session.hpp"
#include "agent/net/ws_connection.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

struct AwsClients;

class EcsSessions {
  public:
    /// All outlive it.
    struct Parts {
        asio::any_io_executor shard;
        Clock& clock;
        const config::Environment& environment;
        const config::Config& config;
        AwsClients& aws;
        runtime::Backend& backend;
        runtime::Capabilities capabilities;
        ecs::Registered registered;
        engine::TaskEngine& engine;
        engine::StateStore& store;
        engine::StateSink& reports;
        credentials::Registry& roles;
        model::SnapshotBoard& snapshots;
        ecs::TelemetrySource* statistics;  ///< null: there are none
        Scope& scope;                      ///< of the sessions' coroutines
        /// After every change of the ACS session; must return at once.
        std::function<void(const ecs::SessionStatus&)> changed;
    };
    explicit EcsSessions(Parts parts);

    /// Opens both, with what the last process knew: attachments, the number of the last task manifest.
    asio::awaitable<void> open(engine::StoredState stored);
    [[nodiscard]] bool telemetry_connected() const { return telemetry_.status().connected; }
    [[nodiscard]] const ecs::SessionStatus& telemetry_status() const { return telemetry_.status(); }
    [[nodiscard]] ecs::SessionStatus task_status() const {
        return session_ ? session_->status() : ecs::SessionStatus{};
    }

  private:
    asio::awaitable<void> restore_attachments(engine::StoredState stored);
    asio::awaitable<Result<std::string>> discover(std::string model::PollEndpoints::*member);

    Parts parts_;
    ecs::PollEndpointCache poll_endpoints_;
    ecs::Doctor doctor_;
    net::WsDialer dialer_;
    ecs::TcsSession telemetry_;
    AcsAdapter adapter_;
    std::unique_ptr<ecs::AcsConversation> conversation_;
    std::unique_ptr<ecs::AcsSession> session_;
};

}  // namespace nodeagent
