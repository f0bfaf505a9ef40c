#include "runtime/containerd/images/shared_work.hpp"

#include <chrono>

namespace nodeagent::runtime::containerd {

namespace {
constexpr std::chrono::milliseconds kWatchInterval{200};
}

std::optional<SharedWork::Turn> SharedWork::take(const std::string& key, const std::stop_token& stop,
                                                 const std::function<void(std::int64_t)>& watch) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (stop.stop_requested()) return std::nullopt;
        const auto found = entries_.find(key);
        if (found == entries_.end()) {
            auto entry = std::make_shared<Entry>();
            entries_.emplace(key, entry);
            return Turn(*this, key, std::move(entry));
        }
        const std::shared_ptr<Entry> busy = found->second;
        changed_.wait_for(lock, stop, kWatchInterval, [&busy] { return !busy->taken; });
        if (!watch || !busy->taken) continue;
        lock.unlock();
        watch(busy->progress);
        lock.lock();
    }
}

void SharedWork::release(const std::string& key, const std::shared_ptr<Entry>& entry) {
    const std::lock_guard lock(mutex_);
    entry->taken = false;
    entries_.erase(key);
    changed_.notify_all();
}

}  // namespace nodeagent::runtime::containerd
