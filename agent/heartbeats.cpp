#include "agent/heartbeats.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace nodeagent {

void Heartbeats::add(std::string shard, asio::any_io_executor executor) {
    watched_.push_back({std::move(shard), std::move(executor), std::make_shared<std::atomic<bool>>(false)});
}

std::vector<std::string> Heartbeats::look() {
    std::vector<std::string> silent;
    for (Watched& one : watched_) {
        if (one.owes->exchange(true)) {
            silent.push_back(one.shard);
        } else {
            asio::post(one.executor, [owes = one.owes] { owes->store(false); });
        }
    }
    return silent;
}

}  // namespace nodeagent
