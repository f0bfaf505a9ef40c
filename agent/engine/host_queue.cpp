#include "agent/engine/host_queue.hpp"

#include <utility>

namespace nodeagent::engine {

HostQueue::HostQueue(asio::any_io_executor shard, Clock& clock, core::HostTotals totals, core::QueueRules rules,
                     std::function<void()> changed)
    : shard_(shard), clock_(clock), ledger_(std::move(totals), rules), changed_(std::move(changed)), alarms_(shard) {}

asio::awaitable<HostAnswer> HostQueue::join(const core::TaskState& task) {
    auto& turn = waiting_[task.arn];
    if (!turn) turn = std::make_shared<Turn>(shard_);
    auto mine = turn;
    settle(ledger_.request(task.arn, core::host_need(*task.definition), task.arrival, clock_.now().steady));
    co_return co_await Turn::wait(std::move(mine));
}

void HostQueue::leave(const std::string& task_arn) {
    const auto admitted = ledger_.release(task_arn, clock_.now().steady);
    if (const auto found = waiting_.find(task_arn); found != waiting_.end()) {
        const auto turn = found->second;
        waiting_.erase(found);
        turn->give(HostAnswer{.verdict = HostAnswer::Verdict::Left, .reason = {}});
    }
    settle(admitted);
}

void HostQueue::restore(const core::TaskState& task) { ledger_.restore(task.arn, core::host_need(*task.definition)); }

void HostQueue::settle(const std::vector<core::Admission>& admissions) {
    for (const core::Admission& admission : admissions) {
        const auto found = waiting_.find(admission.task_arn);
        if (found == waiting_.end()) continue;
        const auto turn = found->second;
        waiting_.erase(found);
        const auto verdict = admission.granted() ? HostAnswer::Verdict::Granted : HostAnswer::Verdict::Refused;
        turn->give(HostAnswer{.verdict = verdict, .reason = admission.refused});
    }
    set_alarm();
    changed_();
}

void HostQueue::set_alarm() {
    const std::optional<SteadyTime> next = ledger_.next_change(clock_.now().steady);
    if (next == alarm_at_) return;
    alarm_at_ = next;
    if (next) alarms_.spawn(ring(*next));
}

asio::awaitable<void> HostQueue::ring(SteadyTime when) {
    co_await clock_.sleep_until(when);
    if (alarm_at_ != when) co_return;
    alarm_at_.reset();
    settle(ledger_.settle(clock_.now().steady));
}

}  // namespace nodeagent::engine
