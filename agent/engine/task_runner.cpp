#include "agent/engine/task_runner.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/test_point.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/status_log.hpp"
#include "agent/engine/step_sink.hpp"
#include "agent/engine/task_board.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::chrono::milliseconds kSaveDelay(100);  // a kill within it makes ECS hear a status twice

/// A full disk may get room again: saving is tried for ever, and after this many times people are told.
constexpr int kSaveAttemptsBeforeAlarm = 5;
constexpr BackoffPolicy kSaveBackoff{std::chrono::milliseconds(100), std::chrono::seconds(5), 0.2, 2};

/// The test points that this save is the first to pass.
void pass_saved_points([[maybe_unused]] const core::TaskState& before, [[maybe_unused]] const core::TaskState& after) {
#ifdef NODEAGENT_TEST_POINTS
    using core::ContainerStatus;
    const auto any_now = [&](auto holds) {
        return std::any_of(after.containers.begin(), after.containers.end(), [&](const core::ContainerState& now) {
            const core::ContainerState* earlier = before.find(now.name);
            return holds(now) && (earlier == nullptr || !holds(*earlier));
        });
    };
    const auto reached = [](ContainerStatus status) {
        return [status](const core::ContainerState& container) { return container.known == status; };
    };
    if (any_now([](const core::ContainerState& c) { return !c.port_assignments.empty(); }))
        NODEAGENT_POINT("ports.saved");
    if (any_now([](const core::ContainerState& c) { return !c.runtime_id.empty(); }))
        NODEAGENT_POINT("container.id.saved");
    if (any_now(reached(ContainerStatus::Running))) NODEAGENT_POINT("container.running.saved");
    if (any_now(reached(ContainerStatus::Stopped))) NODEAGENT_POINT("container.exit.saved");
    const auto told = [&](core::TaskStatus status) { return before.sent < status && after.sent >= status; };
    if (told(core::TaskStatus::Running)) NODEAGENT_POINT("report.running.saved");
    if (told(core::TaskStatus::Stopped)) NODEAGENT_POINT("report.stopped.saved");
#endif
}

}  // namespace

TaskRunner::TaskRunner(core::TaskState task, RunnerTools& tools)
    : tools_(tools),
      state_(std::make_shared<const core::TaskState>(std::move(task))),
      saved_(state_),
      inbox_(tools.shard),
      actions_(tools.shard),
      alarm_(tools.shard),
      saving_(tools.shard) {
    tools_.board.put(state_);
}

void TaskRunner::tell(core::Event fact) { inbox_.push(Letter{std::move(fact), nullptr}); }

std::shared_ptr<OneShot<bool>> TaskRunner::tell_durably(core::Event fact) {
    auto receipt = std::make_shared<OneShot<bool>>(tools_.shard);
    inbox_.push(Letter{std::move(fact), receipt});
    return receipt;
}

asio::awaitable<void> TaskRunner::run() {
    started_ = true;
    while (!core::finished(*state_)) {
        Letter letter = co_await inbox_.receive();
        if (letter.fact) {
            core::Event fact = *std::move(letter.fact);
            co_await take(std::move(fact), letter.receipt != nullptr);
        } else if (!core::saved_alike(*saved_, *state_)) {
            co_await save(state_);
        }
        if (letter.receipt) letter.receipt->give(true);
    }
    cancel();
    co_await drain();
    std::vector<StoreChange> changes = tools_.images.take_changes();
    changes.push_back(StoreChange{.shelf = Shelf::Tasks, .key = state_->arn, .text = std::nullopt});
    if (tools_.given_up(state_->arn)) {
        changes.push_back({.shelf = Shelf::Metadata, .key = std::string(kGivenUpPrefix) + state_->arn, .text = ""});
    }
    NODEAGENT_POINT("cleanup.row.before");
    co_await commit(std::move(changes), Alarm::Never);  // what is left of an ended task harms nobody meanwhile
    NODEAGENT_POINT("cleanup.row.erased");
    while (!inbox_.empty()) {
        const Letter left = co_await inbox_.receive();
        if (left.receipt) left.receipt->give(true);
    }
}

void TaskRunner::cancel() {
    alarm_.cancel();
    saving_.cancel();
    actions_.cancel();
}

asio::awaitable<void> TaskRunner::drain() {
    co_await alarm_.drain();
    co_await saving_.drain();
    co_await actions_.drain();
}

std::optional<StoreChange> TaskRunner::unsaved() const {
    if (core::saved_alike(*saved_, *state_)) return std::nullopt;
    return StoreChange{.shelf = Shelf::Tasks, .key = state_->arn, .text = core::encode_saved_task(*state_)};
}

asio::awaitable<void> TaskRunner::take(core::Event fact, bool save_at_once) {
    const Instant now = tools_.clock.now();
    core::Outcome outcome = core::step(*state_, fact, now, tools_.settings);
    std::vector<core::Action> actions = std::move(outcome.actions);
    auto next = std::make_shared<const core::TaskState>(std::move(outcome.state));
    if (!core::saved_alike(*saved_, *next)) {
        save_at_once = save_at_once || std::any_of(actions.begin(), actions.end(), [&](const core::Action& action) {
                           return must_be_durable(*next, action);
                       });
        if (save_at_once) {
            co_await save(next);
        } else {
            save_later();
        }
    }
    note_status_changes(*state_, *next, now.wall, tools_.events);
    if (tools_.steps != nullptr) tools_.steps->changed(*state_, *next, now.steady);
    const bool changed = *state_ != *next;
    state_ = std::move(next);
    if (changed) tools_.board.put(state_);
    for (core::Action& action : actions) {
        if (const auto* wake = std::get_if<core::WakeAt>(&action)) {
            set_alarm(wake->when);
        } else if (!tools_.actions.done_at_once(*this, action)) {
            actions_.spawn(tools_.actions.execute(*this, std::move(action)));
        }
    }
}

bool TaskRunner::must_be_durable(const core::TaskState& next, const core::Action& action) const {
    if (std::holds_alternative<core::ReportContainer>(action) || std::holds_alternative<core::ReportTask>(action)) {
        return true;
    }
    // A container is found again by its name, which was saved with the task; its ports must be the same if it is
    // created again.
    if (const auto* create = std::get_if<core::CreateContainer>(&action)) {
        const core::ContainerState* before = saved_->find(create->container);
        const core::ContainerState* after = next.find(create->container);
        return before == nullptr || after == nullptr || before->docker_name != after->docker_name ||
               before->port_assignments != after->port_assignments;
    }
    return false;
}

asio::awaitable<void> TaskRunner::save(std::shared_ptr<const core::TaskState> next) {
    std::vector<StoreChange> changes = tools_.images.take_changes();
    changes.push_back(StoreChange{.shelf = Shelf::Tasks, .key = next->arn, .text = core::encode_saved_task(*next)});
    co_await commit(std::move(changes), Alarm::WhenItLasts);
    const std::shared_ptr<const core::TaskState> before = std::exchange(saved_, std::move(next));
    pass_saved_points(*before, *saved_);
}

asio::awaitable<void> TaskRunner::commit(std::vector<StoreChange> changes, Alarm alarm) {
    Backoff backoff(kSaveBackoff);
    for (int attempt = 1;; ++attempt) {
        std::vector<StoreChange> copy = changes;
        const Result<void> done = co_await tools_.store.commit(std::move(copy));
        if (done) co_return;
        if (attempt == 1) {
            log::error("task not saved; trying again", {{"task", state_->arn}, {"cause", done.error().what}});
        }
        if (alarm == Alarm::WhenItLasts && attempt == kSaveAttemptsBeforeAlarm && tools_.on_store_failure) {
            tools_.on_store_failure(with_context("save task " + state_->arn, done.error()));
        }
        count_retry(Retried::Save, done.error().kind);
        co_await tools_.clock.sleep_for(backoff.next());
    }
}

void TaskRunner::save_later() {
    if (save_planned_) return;
    save_planned_ = true;
    saving_.spawn(ask_to_save());
}

asio::awaitable<void> TaskRunner::ask_to_save() {
    co_await tools_.clock.sleep_for(kSaveDelay);
    save_planned_ = false;
    inbox_.push(Letter{std::nullopt, nullptr});
}

void TaskRunner::set_alarm(SteadyTime when) {
    alarm_.cancel();
    alarm_.spawn(ring(when));
}

asio::awaitable<void> TaskRunner::ring(SteadyTime when) {
    co_await tools_.clock.sleep_until(when);
    tell(core::Woken{});
}

}  // namespace nodeagent::engine
