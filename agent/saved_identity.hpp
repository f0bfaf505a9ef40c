#pragma once
// Which container instance this agent was and is, in its state store: the store is opened and judged at the start
// (control-plane.md 1), and told the identity after registration.

#include <functional>
#include <string>

#include "agent/base/clock.hpp"
#include "agent/ecs/registration.hpp"
#include "agent/ending.hpp"
#include "agent/engine/state_store.hpp"
#include "agent/taking_over.hpp"

namespace nodeagent {

class SavedIdentity {
  public:
    /// All outlive it.
    struct Parts {
        engine::StateStore& store;
        Clock& clock;
        const config::Config& config;
        /// Of this EC2 instance, from the metadata service; empty on a machine that is none.
        std::function<asio::awaitable<Result<std::string>>()> ec2_instance_id;
        TakingOver* taking_over = nullptr;  ///< nullptr: without a durable store nothing is taken over
    };
    explicit SavedIdentity(Parts parts) : parts_(std::move(parts)) {}

    /// The state to go on with, that of amazon-ecs-agent where this agent has none yet: nothing of it when the disk
    /// came from another machine. Waits as long as the store cannot be used. Ends the agent when the state belongs to
    /// another cluster.
    asio::awaitable<OrEnding<engine::StoredState>> open();
    /// Returns once it is durable; tries until then.
    asio::awaitable<void> save(ecs::Registered registered);
    /// Tells that a write failed. Every task waits by itself until it can be saved, and nothing happens that is not
    /// recorded.
    void not_saved(const Error& error) const;

    /// This machine's, else the saved one, else "". Known after open().
    [[nodiscard]] const std::string& ec2_instance_id() const { return ec2_instance_id_; }

  private:
    asio::awaitable<engine::StoredState> load_when_possible();
    asio::awaitable<OrEnding<engine::StoredState>> start_fresh(engine::StoredState left);
    asio::awaitable<OrEnding<engine::StoredState>> take_over(engine::StoredState own);

    Parts parts_;
    std::string ec2_instance_id_;
};

}  // namespace nodeagent
