#pragma once
// A store in memory that fails on demand.

#include <utility>
#include <vector>

#include "agent/engine/memory_store.hpp"

namespace nodeagent::fakes {

class FlakyStore final : public engine::StateStore {
  public:
    asio::awaitable<Result<engine::StoredState>> load() override {
        if (load_failures > 0) {
            --load_failures;
            co_return Error{.kind = ErrorKind::Conflict, .what = "database is locked"};
        }
        co_return co_await memory_.load();
    }
    asio::awaitable<Result<void>> commit(std::vector<engine::StoreChange> changes) override {
        ++commits;
        if (failures != 0) {
            if (failures > 0) --failures;
            co_return Error{.kind = ErrorKind::Unavailable, .what = "database or disk is full"};
        }
        for (const engine::StoreChange& change : changes) history.push_back(change);
        co_return co_await memory_.commit(std::move(changes));
    }
    asio::awaitable<Result<void>> set_aside(engine::Shelf shelf, std::string key, std::string why) override {
        damaged.push_back(key + ": " + why);
        return memory_.set_aside(shelf, std::move(key), std::move(why));
    }

    int load_failures = 0;  ///< loads that fail from now on
    int failures = 0;       ///< commits that fail from now on; negative: all
    int commits = 0;
    std::vector<engine::StoreChange> history;  ///< what became durable, in order
    std::vector<std::string> damaged;

  private:
    engine::MemoryStore memory_;
};

}  // namespace nodeagent::fakes
