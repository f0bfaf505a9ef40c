#pragma once
// Tasks waiting for the host's CPU, memory, ports and GPUs: core::HostResources decides, this wakes who got in.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/core/host_resources.hpp"
#include "agent/engine/one_shot.hpp"

namespace nodeagent::engine {

struct HostAnswer {
    enum class Verdict : std::uint8_t { Granted, Refused, Left };
    Verdict verdict = Verdict::Granted;
    std::string reason;  ///< of a refusal
};

class HostQueue {
  public:
    /// `changed` is called after each call that may alter what others wait for.
    HostQueue(asio::any_io_executor shard, Clock& clock, core::HostTotals totals, core::QueueRules rules,
              std::function<void()> changed);

    /// Waits for its turn; Left when leave() was called meanwhile.
    asio::awaitable<HostAnswer> join(const core::TaskState& task);
    /// Leaves the queue, or gives back what is held.
    void leave(const std::string& task_arn);
    /// At a restart: the task held its resources.
    void restore(const core::TaskState& task);

    [[nodiscard]] std::string explain(const std::string& task_arn) const {
        return ledger_.explain(task_arn, clock_.now());
    }

    [[nodiscard]] std::size_t waiting() const { return ledger_.waiting(); }

    void cancel() { alarms_.cancel(); }
    asio::awaitable<void> drain() { return alarms_.drain(); }

  private:
    using Turn = OneShot<HostAnswer>;
    void settle(const std::vector<core::Admission>& admissions);
    void set_alarm();
    asio::awaitable<void> ring(SteadyTime when);

    asio::any_io_executor shard_;
    Clock& clock_;
    core::HostResources ledger_;
    std::function<void()> changed_;
    std::map<std::string, std::shared_ptr<Turn>> waiting_;
    std::optional<SteadyTime> alarm_at_;  ///< when time alone changes who may pass; other alarms are out of date
    Scope alarms_;
};

}  // namespace nodeagent::engine
