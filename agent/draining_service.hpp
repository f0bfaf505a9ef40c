#pragma once
// Draining, joined to the rest of the agent: the operator's calls come in from the endpoints' shard, the spot notice
// from the metadata service; ECS, the engine and the endpoints are what it works on. Until begin() it refuses.

#include <memory>
#include <string>

#include "agent/credentials/imds.hpp"
#include "agent/draining.hpp"

namespace nodeagent {

namespace ecs {
class ApiClient;
struct Registered;
}  // namespace ecs
namespace engine {
class TaskEngine;
}
class Endpoints;

class DrainingService {
  public:
    /// All outlive it.
    struct Parts {
        Clock& clock;
        engine::StateStore& store;
        engine::EventLog& events;
        engine::TaskEngine& engine;
        ecs::ApiClient& api;
        const ecs::Registered& registered;
        Endpoints& endpoints;
        credentials::Imds& imds;
        Scope& scope;                     ///< of the wait for a spot notice
        bool spot_interruptions = false;  ///< look for them: ECS_ENABLE_SPOT_INSTANCE_DRAINING
    };
    explicit DrainingService(asio::any_io_executor main_shard) : main_shard_(std::move(main_shard)) {}

    /// The machine is registered and the engine has taken up its tasks: draining is possible, and an operator's wish
    /// that was saved goes on.
    asio::awaitable<void> begin(Parts parts, engine::StoredState stored);
    /// Called on the endpoints' shard. Unavailable before begin().
    asio::awaitable<Result<metadata::DrainReport>> control(metadata::DrainCall call);
    [[nodiscard]] bool draining() const;
    /// For the end of the process; the wish stays saved.
    void cancel();

  private:
    asio::awaitable<Result<metadata::DrainReport>> control_here(metadata::DrainCall call);
    asio::awaitable<Result<void>> tell_ecs(std::string instance_state);
    asio::awaitable<void> drain_on_spot_action();

    asio::any_io_executor main_shard_;
    std::unique_ptr<Parts> parts_;
    std::unique_ptr<Draining> draining_;
};

}  // namespace nodeagent
