#include "agent/draining.hpp"

#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;

constexpr BackoffPolicy kTellBackoff{.min = 1s, .max = 30s, .jitter = 0.2, .multiplier = 1.5};

struct SavedDrain {
    std::string since;
    bool tasks_only = false;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("since", &SavedDrain::since),
                          always_field("tasksOnly", &SavedDrain::tasks_only)};
    }
};

constexpr const char* kByOperator = "the operator";

}  // namespace

Draining::Draining(DrainParts parts) : parts_(std::move(parts)), work_(parts_.shard) {}

void Draining::changed() {
    if (parts_.changed) parts_.changed();
}

void Draining::note(std::string what) {
    log::info(what);
    parts_.events.add({.when = parts_.clock.now().wall, .task_arn = {}, .container = {}, .what = std::move(what)});
}

void Draining::enter(std::string cause, bool tasks_only) {
    draining_ = true;
    told_ = false;
    ecs_error_.clear();
    tasks_only_ = tasks_only;
    cause_ = std::move(cause);
    if (!since_) since_ = parts_.clock.now().wall;
    note("container instance drains, by " + cause_ + (tasks_only ? ": tasks only, ECS is not told" : ""));
    changed();
}

asio::awaitable<void> Draining::resume(const engine::StoredState& stored) {
    const std::string text = stored.metadata_value(kDrainKey);
    if (text.empty()) co_return;
    const auto saved = decode<SavedDrain>(text);
    if (!saved) {
        log::warn("the record of a drain cannot be read; the machine takes tasks",
                  {{"cause", saved.error().what}, {"remedy", "ecs-node drain, if it was meant to be drained"}});
        (void)co_await parts_.store.erase(engine::Shelf::Metadata, std::string(kDrainKey));
        co_return;
    }
    since_ = parse_rfc3339(saved->since);
    enter(kByOperator, saved->tasks_only);
    parts_.refuse_new_tasks(std::string(kDrainRefusal));
    work_.spawn(empty_the_machine(saved->tasks_only));
}

asio::awaitable<Result<void>> Draining::begin(bool tasks_only) {
    const WallTime now = parts_.clock.now().wall;
    const SavedDrain record{.since = rfc3339_nanos(since_.value_or(now)), .tasks_only = tasks_only};
    std::string text = encode(record);
    const auto saved = co_await parts_.store.put(engine::Shelf::Metadata, std::string(kDrainKey), std::move(text));
    if (!saved) co_return with_context("save that this machine drains", saved.error());
    work_.cancel();
    co_await work_.drain();
    enter(kByOperator, tasks_only);
    parts_.refuse_new_tasks(std::string(kDrainRefusal));
    work_.spawn(empty_the_machine(tasks_only));
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Draining::end() {
    work_.cancel();
    co_await work_.drain();  // a DRAINING under way must not arrive after our ACTIVE
    const auto erased = co_await parts_.store.erase(engine::Shelf::Metadata, std::string(kDrainKey));
    if (!erased) co_return with_context("save that this machine takes tasks again", erased.error());
    const bool was_told = !draining_ || !tasks_only_;
    draining_ = false;
    since_.reset();
    cause_.clear();
    ecs_error_.clear();
    parts_.refuse_new_tasks({});
    note("container instance takes tasks again");
    changed();
    if (!was_told) co_return Result<void>{};
    const Result<void> told = co_await parts_.tell_ecs("ACTIVE");
    if (!told) {
        co_return with_context("the agent takes tasks again, but ECS could not be told (ecs-node undrain tries again)",
                               told.error());
    }
    co_return Result<void>{};
}

asio::awaitable<void> Draining::spot(SpotAction action) {
    enter("a spot interruption: " + action.action + " at " + rfc3339_nanos(action.when), false);
    work_.spawn(stop_before(action.when));
    work_.spawn(tell_until_told());  // ended by end(), which tells ECS otherwise
    co_return;
}

asio::awaitable<void> Draining::tell_until_told() {
    Backoff backoff(kTellBackoff);
    for (;;) {
        const Result<void> told = co_await parts_.tell_ecs("DRAINING");
        if (told) break;
        if (ecs_error_ != told.error().what) {
            log::error("ECS could not be told that this instance drains; trying again", {{"cause", told.error().what}});
        }
        ecs_error_ = told.error().what;
        changed();
        co_await parts_.clock.sleep_for(backoff.next());
    }
    told_ = true;
    ecs_error_.clear();
    note("ECS knows that this instance drains");
    changed();
}

asio::awaitable<void> Draining::empty_the_machine(bool tasks_only) {
    if (!tasks_only) {
        work_.spawn(tell_until_told());  // beside this: a call that hangs must not keep the tasks running
        const SteadyTime limit = parts_.clock.now().steady + kTellingLimit;
        while (!told_ && parts_.clock.now().steady < limit) co_await parts_.clock.sleep_for(100ms);
    }
    co_await stop_all();
}

asio::awaitable<void> Draining::stop_all() {
    for (const std::string& arn : parts_.tasks_left()) co_await parts_.stop_task(arn);
}

/// ECS usually stops the tasks itself. Looked at every second, because tasks come and go until then.
asio::awaitable<void> Draining::stop_before(WallTime end) {
    for (;;) {
        const auto left = end - parts_.clock.now().wall;
        if (left <= parts_.longest_stop() + kSpotMargin) break;
        co_await parts_.clock.sleep_for(1s);
    }
    parts_.refuse_new_tasks(std::string(kSpotRefusal));
    const std::size_t count = parts_.tasks_left().size();
    if (count > 0) note("the instance ends soon: " + std::to_string(count) + " tasks are stopped by the agent");
    co_await stop_all();
}

metadata::DrainReport Draining::status() const {
    return {.draining = draining_,
            .cause = cause_,
            .since = since_,
            .tasks_only = tasks_only_,
            .ecs_told = told_,
            .ecs_error = ecs_error_,
            .tasks_left = parts_.tasks_left().size()};
}

}  // namespace nodeagent
