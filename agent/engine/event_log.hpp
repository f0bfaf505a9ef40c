#pragma once
// The last status changes of this host, for introspection and `ecs-node events`. Written on the engine's shard, read by
// the endpoint's: every call takes a short lock.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace nodeagent::engine {

struct StatusChange {
    std::chrono::system_clock::time_point when;
    std::string task_arn;
    std::string container;  ///< empty: the task itself
    std::string what;       ///< "PULLED -> CREATED", "CannotPullContainerError: ..."
};

class EventLog {
  public:
    explicit EventLog(std::size_t capacity = 500) : capacity_(capacity == 0 ? 1 : capacity) {}
    void add(StatusChange change);
    /// Oldest first.
    [[nodiscard]] std::vector<StatusChange> recent() const;

  private:
    mutable std::mutex mutex_;
    std::size_t capacity_;
    std::size_t oldest_ = 0;  ///< once full, the slot that is overwritten next
    std::vector<StatusChange> ring_;
};

}  // namespace nodeagent::engine
