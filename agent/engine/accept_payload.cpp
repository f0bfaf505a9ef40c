// TaskEngine::accept: what a PayloadMessage does. control-plane.md 6.3, task-engine.md 1.9.

#include <algorithm>
#include <numeric>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/test_point.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/step_sink.hpp"

namespace nodeagent::engine {

namespace {

using model::Acceptance;

/// Stopping makes room for what starts, so tasks to stop go first; otherwise in the order of the payload.
std::vector<std::size_t> order_of_handling(const std::vector<std::shared_ptr<const model::Task>>& tasks) {
    std::vector<std::size_t> order(tasks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
        return tasks[i] != nullptr && model::parse_task_status(tasks[i]->desired_status) == core::TaskStatus::Stopped;
    });
    return order;
}

/// Puts the role's credentials into the registry; "" or what is wrong with them.
std::string take_credentials(const std::optional<model::RoleCredentials>& role, credentials::RoleType type,
                             const std::string& task_arn, credentials::Registry& registry, PayloadOutcome& outcome) {
    if (!role) return {};
    if (!registry.put({.task_arn = task_arn, .role_type = type, .role = *role})) {
        return type == credentials::RoleType::TaskApplication ? "roleCredentials: credentialsId is empty"
                                                              : "executionRoleCredentials: credentialsId is empty";
    }
    outcome.credentials.push_back({.credentials_id = role->credentials_id, .expiration = role->expiration});
    return {};
}

}  // namespace

asio::awaitable<PayloadOutcome> TaskEngine::accept(model::PayloadMessage payload) {
    State& state = *state_;
    const SteadyTime came = state.parts.clock.now().steady;
    PayloadOutcome outcome;
    std::vector<std::shared_ptr<OneShot<bool>>> receipts;
    std::vector<std::pair<std::size_t, TaskRunner*>> added;
    std::vector<StoreChange> changes;
    outcome.tasks.assign(payload.tasks.size(), Acceptance::Held);

    // what ECS must hear of a task that is not taken is durable with what is taken: once the payload is acknowledged,
    // nobody else knows of it
    std::vector<std::pair<std::string, std::string>> refused;
    const auto refuse = [&](const std::string& arn, const std::string& reason, Acceptance verdict) {
        log::error("task refused", {{"task", arn}, {"cause", reason}});
        if (verdict == Acceptance::Failed) {  // not acknowledged: ECS sends it again
            state.report_refusal(arn, reason);
        } else {
            changes.push_back({.shelf = Shelf::Unsent, .key = arn, .text = reason});
            refused.emplace_back(arn, reason);
        }
        return verdict;
    };

    for (const std::size_t index : order_of_handling(payload.tasks)) {
        const std::shared_ptr<const model::Task>& task = payload.tasks[index];
        Acceptance& verdict = outcome.tasks[index];
        if (task == nullptr || task->arn.empty()) {
            log::error("payload holds a task without an ARN", {{"message", payload.message_id}});
            verdict = Acceptance::Failed;
            continue;
        }
        const core::AcceptanceRules rules{
            .task_limits = state.task_limits, .gpu_support = state.parts.config.gpu_support, .arrival = state.arrivals};
        auto accepted = core::from_payload(task, state.identity, rules);
        if (!accepted && !accepted.error().handled) {
            verdict = refuse(task->arn, accepted.error().reason, Acceptance::Failed);
            continue;
        }
        TaskRunner* known = state.find(task->arn);
        if (known == nullptr && !accepted) {
            verdict = refuse(task->arn, accepted.error().reason, Acceptance::Refused);
            continue;
        }
        if (known == nullptr && !state.refusal.empty()) {
            verdict = refuse(task->arn, state.refusal, Acceptance::Refused);
            continue;
        }
        std::string wrong = take_credentials(task->role_credentials, credentials::RoleType::TaskApplication, task->arn,
                                             state.parts.credentials, outcome);
        if (wrong.empty()) {
            wrong = take_credentials(task->execution_role_credentials, credentials::RoleType::TaskExecution, task->arn,
                                     state.parts.credentials, outcome);
        }
        if (!wrong.empty()) {
            verdict = refuse(task->arn, core::unrecognised_task(wrong), Acceptance::Failed);
            continue;
        }
        if (known != nullptr) {
            const auto desired = model::parse_task_status(task->desired_status).value_or(core::TaskStatus::None);
            if (const auto& role = task->role_credentials) state.renew(*known, false, role->credentials_id);
            if (const auto& role = task->execution_role_credentials) state.renew(*known, true, role->credentials_id);
            if (desired <= known->state().desired) continue;
            if (known->started()) {
                receipts.push_back(known->tell_durably(core::DesiredChanged{desired}));
            } else {
                known->tell(core::DesiredChanged{desired});  // twice in this payload: taken in once it is saved
            }
            continue;
        }
        ++state.arrivals;
        changes.push_back({.shelf = Shelf::Tasks, .key = task->arn, .text = core::encode_saved_task(*accepted)});
        // what an earlier task of this ARN left in the store is not this one's
        if (state.unsent.contains(task->arn))
            changes.push_back({.shelf = Shelf::Unsent, .key = task->arn, .text = std::nullopt});
        if (state.given_up.contains(task->arn)) {
            changes.push_back(
                {.shelf = Shelf::Metadata, .key = std::string(kGivenUpPrefix) + task->arn, .text = std::nullopt});
        }
        TaskRunner& runner = state.add(*std::move(accepted));
        if (task->execution_role_credentials) runner.tell(core::ExecutionCredentialsArrived{});
        added.emplace_back(index, &runner);
    }

    if (!changes.empty()) {
        const Result<void> saved = co_await state.parts.store.commit(std::move(changes));
        if (saved) NODEAGENT_POINT("payload.saved");
        for (const auto& [arn, reason] : refused) {
            if (saved) state.unsent.insert_or_assign(arn, reason);
            state.report_refusal(arn, reason);
        }
        if (!saved) {  // it was told, but may be lost: the payload must come again
            std::replace(outcome.tasks.begin(), outcome.tasks.end(), Acceptance::Refused, Acceptance::Failed);
        }
        for (const auto& [index, runner] : added) {
            const std::string arn = runner->state().arn;
            if (saved) {
                state.unsent.erase(arn);
                state.given_up.erase(arn);
                if (state.parts.steps != nullptr) state.parts.steps->accepted(runner->state(), came);
                if (state.compared_once) {
                    runner->tell(core::Resumed{});
                } else {
                    state.held.insert(arn);
                }
                state.launch(*runner);
                continue;
            }
            log::error("task not accepted: it cannot be saved", {{"task", arn}, {"cause", saved.error().what}});
            state.board.erase(arn);
            state.runners.erase(arn);
            outcome.tasks[index] = Acceptance::Failed;
        }
    }
    for (auto& receipt : receipts) {
        auto one = std::move(receipt);
        (void)co_await OneShot<bool>::wait(std::move(one));
    }
    outcome.handled = std::count(outcome.tasks.begin(), outcome.tasks.end(), Acceptance::Failed) == 0;
    co_return outcome;
}

}  // namespace nodeagent::engine
