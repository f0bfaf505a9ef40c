#include "runtime/containerd/exits.hpp"

#include <boost/asio/post.hpp>

namespace nodeagent::runtime::containerd {

struct Exits::State {
    asio::any_io_executor shard;
    std::shared_ptr<Client> client;
    Told told;  ///< the shard's

    std::mutex mutex;
    bool closed = false;
    std::map<Key, std::shared_ptr<void>> waiting;
};

Exits::Exits(asio::any_io_executor shard, std::shared_ptr<Client> client, Told told)
    : state_(std::make_shared<State>()) {
    state_->shard = std::move(shard);
    state_->client = std::move(client);
    state_->told = std::move(told);
}

void Exits::close() {
    state_->told = nullptr;
    std::map<Key, std::shared_ptr<void>> waiting;
    {
        const std::lock_guard lock(state_->mutex);
        state_->closed = true;
        waiting.swap(state_->waiting);
    }
    waiting.clear();  // cancels, outside the lock that the answers take
}

void Exits::watch(const std::string& container, const std::string& exec) {
    const Key key(container, exec);
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed || !state_->waiting.try_emplace(key).second) return;
    }
    const std::weak_ptr<State> weak = state_;
    std::shared_ptr<void> handle = state_->client->wait(container, exec, [weak, key](Result<Exit> exit) {
        std::shared_ptr<State> state = weak.lock();
        if (!state) return;
        std::shared_ptr<void> done;  // let go of outside the lock
        {
            const std::lock_guard lock(state->mutex);
            if (const auto found = state->waiting.find(key); found != state->waiting.end()) {
                done = std::move(found->second);
                state->waiting.erase(found);
            }
        }
        // handed on, not kept: the last to let go would end the client on the client's own thread
        const asio::any_io_executor shard = state->shard;
        asio::post(shard, [state = std::move(state), key, exit = std::move(exit)] {
            if (state->told) state->told(key, exit);
        });
    });
    const std::lock_guard lock(state_->mutex);
    // the answer may have come first
    if (const auto found = state_->waiting.find(key); found != state_->waiting.end()) found->second = std::move(handle);
}

}  // namespace nodeagent::runtime::containerd
