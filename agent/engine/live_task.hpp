#pragma once
// What an action sees of the task it works for.

#include "agent/core/events.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::engine {

/// Lives as long as the action; one shard.
class LiveTask {
  public:
    virtual ~LiveTask() = default;
    /// The task as it is now; another value after every suspension.
    [[nodiscard]] virtual const core::TaskState& state() const = 0;
    virtual void tell(core::Event fact) = 0;
};

}  // namespace nodeagent::engine
