#include "agent/base/blocking_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace nodeagent {

struct BlockingPool::State {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> jobs;
    std::vector<std::thread> threads;
    std::size_t idle = 0;
    std::size_t limit = 1;
    bool stopping = false;

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            ++idle;
            wake.wait(lock, [this] { return stopping || !jobs.empty(); });
            --idle;
            if (stopping) return;
            auto job = std::move(jobs.front());
            jobs.pop_front();
            lock.unlock();
            job();
            job = nullptr;  // what it captured goes before the next wait
            lock.lock();
        }
    }
};

BlockingPool::BlockingPool(std::size_t max_threads) : state_(std::make_shared<State>()) {
    state_->limit = max_threads == 0 ? 1 : max_threads;
}

BlockingPool::~BlockingPool() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    for (auto& thread : state_->threads) thread.join();
    state_->jobs.clear();
}

std::size_t BlockingPool::busy() const {
    const std::lock_guard lock(state_->mutex);
    return state_->jobs.size() + state_->threads.size() - state_->idle;
}

void BlockingPool::submit(std::function<void()> job) {
    const std::lock_guard lock(state_->mutex);
    state_->jobs.push_back(std::move(job));
    if (state_->jobs.size() > state_->idle && state_->threads.size() < state_->limit) {
        state_->threads.emplace_back([state = state_] { state->work(); });
    } else {
        state_->wake.notify_one();
    }
}

}  // namespace nodeagent
