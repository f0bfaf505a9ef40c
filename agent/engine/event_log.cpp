#include "agent/engine/event_log.hpp"

#include <utility>

namespace nodeagent::engine {

void EventLog::add(StatusChange change) {
    const std::lock_guard lock(mutex_);
    if (ring_.size() < capacity_) {
        ring_.push_back(std::move(change));
        return;
    }
    ring_[oldest_] = std::move(change);
    oldest_ = (oldest_ + 1) % capacity_;
}

std::vector<StatusChange> EventLog::recent() const {
    const std::lock_guard lock(mutex_);
    std::vector<StatusChange> ordered;
    ordered.reserve(ring_.size());
    for (std::size_t i = 0; i < ring_.size(); ++i) ordered.push_back(ring_[(oldest_ + i) % ring_.size()]);
    return ordered;
}

}  // namespace nodeagent::engine
