#pragma once
// The start on a machine that amazon-ecs-agent has run until now (host.md 2.5): its state is read before anything is
// registered, its containers are looked for, and its file is put away once our store has it all.

#include <optional>
#include <string>

#include "agent/base/blocking_pool.hpp"
#include "agent/config/config.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/ending.hpp"
#include "agent/engine/state_store.hpp"
#include "agent/takeover/source.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

/// What Docker has of the reference itself.
struct ReferenceContainer {
    bool there = false;
    std::string running;  ///< why this agent must not start yet; "": it does not run
};
asio::awaitable<ReferenceContainer> find_reference_container(runtime::Backend& backend);

class TakingOver {
  public:
    /// All outlive it.
    struct Parts {
        const config::Config& config;
        engine::StateStore& store;
        BlockingPool& pool;
        runtime::Backend& backend;
        bool docker = true;  ///< the runtime that the reference's containers are in
        core::Identity identity;
    };
    explicit TakingOver(Parts parts) : parts_(std::move(parts)) {}

    /// Looks for a state to take over, and keeps it from then on, locked. `fresh`: this agent has none of its own.
    /// `pending`: it has taken the file over already. Ends the agent (5) when the reference still runs, or what it left
    /// cannot be read.
    asio::awaitable<std::optional<Ending>> look(bool fresh, bool pending);
    [[nodiscard]] bool found() const { return found_.has_value(); }
    /// What was found, as our records.
    [[nodiscard]] engine::StoredState state() const { return takeover::to_stored_state(found_->import); }
    [[nodiscard]] const std::string& path() const { return found_->path; }
    /// Logs what is taken over, and what of it cannot be as it was.
    void tell() const;
    /// Once the store has it; what was found is given up. What fails is logged, and tried again at the next start.
    asio::awaitable<void> put_away();

  private:
    asio::awaitable<std::optional<Ending>> find();

    Parts parts_;
    std::optional<takeover::Source> found_;
};

}  // namespace nodeagent
