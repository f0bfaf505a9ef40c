// TaskEngine::accept: what a PayloadMessage does. control-plane.md 6.3, task-engine.md 1.9.

#include <algorithm>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/test_point.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/engine_state.hpp"

namespace nodeagent::engine {

namespace {

using Payloads = std::vector<std::shared_ptr<const model::Task>>;

/// Stopping makes room for what starts, so tasks to stop go first; otherwise in the order of the payload.
Payloads in_order_of_handling(Payloads tasks) {
    std::stable_partition(tasks.begin(), tasks.end(), [](const auto& task) {
        return task != nullptr && model::parse_task_status(task->desired_status) == core::TaskStatus::Stopped;
    });
    return tasks;
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
    PayloadOutcome outcome;
    std::vector<std::shared_ptr<OneShot<bool>>> receipts;
    std::vector<TaskRunner*> added;
    std::vector<StoreChange> changes;
    std::vector<std::string> with_execution_credentials;

    const auto refuse = [&](const std::string& arn, const std::string& reason) {
        log::error("task refused", {{"task", arn}, {"cause", reason}});
        model::TaskStateChange change;
        change.task_arn = arn;
        change.status = core::TaskStatus::Stopped;
        change.reason = reason;
        state.parts.reports.submit(std::move(change));
    };

    for (const auto& task : in_order_of_handling(std::move(payload.tasks))) {
        if (task == nullptr || task->arn.empty()) {
            log::error("payload holds a task without an ARN", {{"message", payload.message_id}});
            outcome.handled = false;
            continue;
        }
        const core::AcceptanceRules rules{.task_limits = state.task_limits, .arrival = state.arrivals};
        auto accepted = core::from_payload(task, state.identity, rules);
        if (!accepted && !accepted.error().handled) {
            refuse(task->arn, accepted.error().reason);
            outcome.handled = false;
            continue;
        }
        std::string wrong = take_credentials(task->role_credentials, credentials::RoleType::TaskApplication, task->arn,
                                             state.parts.credentials, outcome);
        if (wrong.empty()) {
            wrong = take_credentials(task->execution_role_credentials, credentials::RoleType::TaskExecution, task->arn,
                                     state.parts.credentials, outcome);
        }
        if (!wrong.empty()) {
            refuse(task->arn, core::unrecognised_task(wrong));
            outcome.handled = false;
            continue;
        }
        if (TaskRunner* known = state.find(task->arn)) {
            const auto desired = model::parse_task_status(task->desired_status).value_or(core::TaskStatus::None);
            if (task->execution_role_credentials) known->tell(core::ExecutionCredentialsArrived{});
            if (desired <= known->state().desired) continue;
            if (known->started()) {
                receipts.push_back(known->tell_durably(core::DesiredChanged{desired}));
            } else {
                known->tell(core::DesiredChanged{desired});  // twice in this payload: taken in once it is saved
            }
            continue;
        }
        if (!accepted) {
            refuse(task->arn, accepted.error().reason);
            continue;
        }
        ++state.arrivals;
        changes.push_back({.shelf = Shelf::Tasks, .key = task->arn, .text = core::encode_saved_task(*accepted)});
        TaskRunner& runner = state.add(*std::move(accepted));
        if (task->execution_role_credentials) runner.tell(core::ExecutionCredentialsArrived{});
        added.push_back(&runner);
    }

    if (!changes.empty()) {
        const Result<void> saved = co_await state.parts.store.commit(std::move(changes));
        if (saved) NODEAGENT_POINT("payload.saved");
        for (TaskRunner* runner : added) {
            const std::string arn = runner->state().arn;
            if (saved) {
                runner->tell(core::Resumed{});
                state.launch(*runner);
                continue;
            }
            log::error("task not accepted: it cannot be saved", {{"task", arn}, {"cause", saved.error().what}});
            state.board.erase(arn);
            state.runners.erase(arn);
            outcome.handled = false;
        }
    }
    for (auto& receipt : receipts) {
        auto one = std::move(receipt);
        (void)co_await OneShot<bool>::wait(std::move(one));
    }
    co_return outcome;
}

}  // namespace nodeagent::engine
