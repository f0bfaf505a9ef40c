#include "agent/base/shard.hpp"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

namespace nodeagent {

Shard::Shard(std::string name) : name_(std::move(name)) {}

Shard::~Shard() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Shard::start() {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
        run();
    });
}

void Shard::run() {
    owner_ = std::this_thread::get_id();
    context_.run();
}

void Shard::stop() {
    work_.reset();
    context_.stop();
}

void Shard::assert_here() const {
    if (owner_ == std::thread::id{} || owner_ == std::this_thread::get_id()) return;
    std::fprintf(stderr, "bug: shard %s entered from another thread\n", name_.c_str());
    std::abort();
}

}  // namespace nodeagent
