#include "agent/engine/state_store.hpp"

#include <utility>

namespace nodeagent::engine {

std::vector<StoreChange> StoredState::forget_all() const {
    std::vector<StoreChange> changes;
    const auto erase = [&](Shelf shelf, const std::map<std::string, std::string>& records) {
        for (const auto& [key, text] : records) changes.push_back(StoreChange{shelf, key, std::nullopt});
    };
    erase(Shelf::Tasks, tasks);
    erase(Shelf::Images, images);
    erase(Shelf::Metadata, metadata);
    erase(Shelf::Unsent, unsent);
    return changes;
}

std::vector<StoreChange> StoredState::put_all() const {
    std::vector<StoreChange> changes;
    const auto put = [&](Shelf shelf, const std::map<std::string, std::string>& records) {
        for (const auto& [key, text] : records) changes.push_back(StoreChange{shelf, key, text});
    };
    put(Shelf::Tasks, tasks);
    put(Shelf::Images, images);
    put(Shelf::Unsent, unsent);
    return changes;
}

asio::awaitable<Result<void>> StateStore::put(Shelf shelf, std::string key, std::string text) {
    std::vector<StoreChange> changes;
    changes.push_back(StoreChange{shelf, std::move(key), std::move(text)});
    co_return co_await commit(std::move(changes));
}

asio::awaitable<Result<void>> StateStore::erase(Shelf shelf, std::string key) {
    std::vector<StoreChange> changes;
    changes.push_back(StoreChange{shelf, std::move(key), std::nullopt});
    co_return co_await commit(std::move(changes));
}

}  // namespace nodeagent::engine
