#include "agent/engine/memory_store.hpp"

#include <utility>

namespace nodeagent::engine {

namespace {
std::map<std::string, std::string>& shelf_of(StoredState& state, Shelf shelf) {
    switch (shelf) {
        case Shelf::Tasks: return state.tasks;
        case Shelf::Images: return state.images;
        case Shelf::Unsent: return state.unsent;
        case Shelf::Metadata: break;
    }
    return state.metadata;
}
}  // namespace

asio::awaitable<Result<StoredState>> MemoryStore::load() { co_return state_; }

asio::awaitable<Result<void>> MemoryStore::commit(std::vector<StoreChange> changes) {
    for (StoreChange& change : changes) {
        auto& shelf = shelf_of(state_, change.shelf);
        if (change.text) {
            shelf.insert_or_assign(std::move(change.key), *std::move(change.text));
        } else {
            shelf.erase(change.key);
        }
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> MemoryStore::set_aside(Shelf shelf, std::string key, std::string) {
    shelf_of(state_, shelf).erase(key);
    co_return Result<void>{};
}

}  // namespace nodeagent::engine
