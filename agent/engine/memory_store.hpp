#pragma once
// The store of an agent that does not checkpoint (ECS_CHECKPOINT=false): forgets everything when the process ends.

#include "agent/engine/state_store.hpp"

namespace nodeagent::engine {

class MemoryStore final : public StateStore {
  public:
    asio::awaitable<Result<StoredState>> load() override;
    asio::awaitable<Result<void>> commit(std::vector<StoreChange> changes) override;
    asio::awaitable<Result<void>> set_aside(Shelf shelf, std::string key, std::string why) override;

  private:
    StoredState state_;
};

}  // namespace nodeagent::engine
