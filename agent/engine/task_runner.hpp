#pragma once
// The coroutine that owns one task: hears facts, asks core::step what follows, makes the new state durable where it
// must be, and starts the work. Nobody else changes the task.
//
//   inbox --> step --> save (before an effect that a restart could not find again) --> actions --> inbox
//
// What is not saved at once (a digest, an acknowledgement) is saved with the next thing that is, or a moment later:
// after a crash the runtime or ECS tells it again.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/inbox.hpp"
#include "agent/base/scope.hpp"
#include "agent/core/step.hpp"
#include "agent/engine/live_task.hpp"
#include "agent/engine/one_shot.hpp"
#include "agent/engine/state_store.hpp"

namespace nodeagent::engine {

class Actions;
class EventLog;
class ImageLedger;
class TaskBoard;
struct StepSink;

/// What every runner works with; everything outlives them.
struct RunnerTools {
    asio::any_io_executor shard;
    Clock& clock;
    StateStore& store;
    ImageLedger& images;
    Actions& actions;
    TaskBoard& board;
    EventLog& events;
    StepSink* steps;  ///< may be null
    core::Settings settings;
    std::function<void(Error)> on_store_failure;
    /// Whether clean-up of the ended task was given up, which becomes durable in the commit that erases its row.
    std::function<bool(const std::string& task_arn)> given_up;
};

class TaskRunner final : public LiveTask {
  public:
    /// `task` is what the store holds.
    TaskRunner(core::TaskState task, RunnerTools& tools);

    [[nodiscard]] const core::TaskState& state() const override { return *state_; }
    void tell(core::Event fact) override;
    /// The receipt is given once what follows from the fact is durable, or the task has ended.
    std::shared_ptr<OneShot<bool>> tell_durably(core::Event fact);

    /// The life of the task, until nothing of it is left on the host or in the store. Once. Facts are taken in and
    /// saved at once; work begins when it is told core::Resumed.
    asio::awaitable<void> run();
    [[nodiscard]] bool started() const { return started_; }

    /// Ends all work at its next wait, but not run(), which ends with its caller's scope. For the end of the process.
    void cancel();
    asio::awaitable<void> drain();
    /// What the store lacks of the present state; nothing when it is up to date.
    [[nodiscard]] std::optional<StoreChange> unsaved() const;

  private:
    using Receipt = std::shared_ptr<OneShot<bool>>;
    struct Letter {
        std::optional<core::Event> fact;  ///< nothing: save what is not saved
        Receipt receipt;
    };
    asio::awaitable<void> take(core::Event fact, bool save_at_once);
    asio::awaitable<void> save(std::shared_ptr<const core::TaskState> next);
    /// Until it is durable, however long that takes.
    enum class Alarm : unsigned char { Never, WhenItLasts };
    asio::awaitable<void> commit(std::vector<StoreChange> changes, Alarm alarm);
    [[nodiscard]] bool must_be_durable(const core::TaskState& next, const core::Action& action) const;
    void save_later();
    void set_alarm(SteadyTime when);
    asio::awaitable<void> ring(SteadyTime when);
    asio::awaitable<void> ask_to_save();

    RunnerTools& tools_;
    std::shared_ptr<const core::TaskState> state_;
    std::shared_ptr<const core::TaskState> saved_;
    Inbox<Letter> inbox_;
    bool started_ = false;
    bool save_planned_ = false;
    Scope actions_;
    Scope alarm_;
    Scope saving_;
};

}  // namespace nodeagent::engine
