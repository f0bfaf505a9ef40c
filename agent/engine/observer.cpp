#include "agent/engine/observer.hpp"

#include <utility>

namespace nodeagent::engine {

Observer::Observer(asio::any_io_executor shard, runtime::Backend& backend)
    : shard_(shard), backend_(backend), looks_(shard) {}

asio::awaitable<Result<runtime::ContainerView>> Observer::look(std::string id) {
    Looks& looks = by_id_[id];
    if (!looks.next) looks.next = std::make_shared<Answer>(shard_);
    auto answer = looks.next;
    if (!looks.under_way) {
        looks.under_way = true;
        looks_.spawn(serve(std::move(id)));
    }
    co_return co_await Answer::wait(std::move(answer));
}

asio::awaitable<void> Observer::serve(std::string id) {
    while (by_id_[id].next) {
        const auto answer = std::exchange(by_id_[id].next, nullptr);
        Result<runtime::ContainerView> seen = co_await backend_.inspect(id);
        answer->give(std::move(seen));
    }
    by_id_.erase(id);
}

}  // namespace nodeagent::engine
