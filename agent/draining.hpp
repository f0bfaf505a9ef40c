#pragma once
// Emptying this machine: ECS is told DRAINING, then every task gets the desired status STOPPED (and stops in its own
// order with its own timeouts, which is the core's business). Begun by the operator, or by a spot interruption.
//
//   begin() --> saved, new tasks refused --> ECS told (again and again until it took it) --> tasks stopped
//                                            not told after 10 s: the tasks are stopped all the same
//   spot()  --> ECS told; it stops the tasks. What it has not stopped in time, we stop.
//
// An operator's drain survives a restart of the agent; a spot interruption is seen again. Lives on one shard.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/base/scope.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/state_store.hpp"
#include "agent/spot_action.hpp"
#include "metadata/control.hpp"

namespace nodeagent {

/// On the metadata shelf of the store; absent unless the operator has the machine drained.
inline constexpr std::string_view kDrainKey = "drain";
/// What ECS is told of a task that came all the same.
inline constexpr std::string_view kDrainRefusal =
    "this container instance is draining and takes no new tasks; run the task on another one, or ecs-node undrain";
/// The same when a spot interruption is near.
inline constexpr std::string_view kSpotRefusal =
    "this spot instance is about to be interrupted and takes no new tasks; run the task on another one";
/// Kept between the end of the tasks' own stop timeouts and the announced end of a spot instance.
inline constexpr std::chrono::seconds kSpotMargin{10};
/// So long ECS is waited for before tasks are stopped without it.
inline constexpr std::chrono::seconds kTellingLimit{10};

/// What draining works on; everything outlives it.
struct DrainParts {
    asio::any_io_executor shard;
    Clock& clock;
    engine::StateStore& store;
    engine::EventLog& events;
    /// UpdateContainerInstancesState with "DRAINING" or "ACTIVE".
    std::function<asio::awaitable<Result<void>>(std::string state)> tell_ecs;
    std::function<void(std::string reason)> refuse_new_tasks;  ///< "": take them again
    std::function<std::vector<std::string>()> tasks_left;      ///< ARNs of those that have not stopped
    std::function<asio::awaitable<void>(std::string arn)> stop_task;
    std::function<std::chrono::nanoseconds()> longest_stop;  ///< that any of them may take
    std::function<void()> changed;                           ///< status() has; must return at once
};

class Draining {
  public:
    explicit Draining(DrainParts parts);

    /// What the last process was asked to do goes on. After the engine has taken up its tasks.
    asio::awaitable<void> resume(const engine::StoredState& stored);
    /// The operator's wish, durable when this returns. `tasks_only`: ECS is not told and may place new tasks, which are
    /// refused. Repeating it does no harm.
    asio::awaitable<Result<void>> begin(bool tasks_only);
    /// ECS is told ACTIVE, new tasks are taken. Tasks that were told to stop still stop.
    asio::awaitable<Result<void>> end();
    /// Returns once ECS has been told.
    asio::awaitable<void> spot(SpotAction action);

    [[nodiscard]] metadata::DrainReport status() const;
    /// For the end of the process; the wish stays saved.
    void cancel() { work_.cancel(); }

  private:
    void enter(std::string cause, bool tasks_only);
    void note(std::string what);
    void changed();
    asio::awaitable<void> empty_the_machine(bool tasks_only);
    asio::awaitable<void> tell_until_told();
    asio::awaitable<void> stop_all();
    asio::awaitable<void> stop_before(WallTime end);

    DrainParts parts_;
    bool draining_ = false;
    bool tasks_only_ = false;
    bool told_ = false;
    std::string cause_;
    std::string ecs_error_;
    std::optional<WallTime> since_;
    Scope work_;
};

}  // namespace nodeagent
