#pragma once
// The host's CPU, memory, ports and GPUs: who holds what, and who waits. Pure bookkeeping per task, so nothing can be
// given back twice or by someone else. task-engine.md 1.8.
//
// The queue is FIFO over the order of acceptance. Its head blocks the others, as in the reference, but neither side
// starves: once the head has been first and has not fitted for `overtake_after`, later tasks that fit may pass it, in
// their order; once it has been first for `max_overtaken`, nobody passes it any more until it is in. Every call that
// can make room settles the queue itself and returns what follows from it: there is no wake-up to lose, and the moment
// at which overtaking begins is told by next_change(). A request that this host can never meet is refused instead of
// blocking the queue.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

struct HostTotals {
    std::int64_t cpu = 0;     ///< 1024 per logical CPU
    std::int64_t memory = 0;  ///< MiB, reserved memory subtracted
    std::vector<std::uint16_t> reserved_tcp;
    std::vector<std::uint16_t> reserved_udp;
    std::vector<std::string> gpus;
};

struct HostNeed {
    std::int64_t cpu = 0;
    std::int64_t memory = 0;  ///< MiB
    std::set<std::uint16_t> tcp;
    std::set<std::uint16_t> udp;
    std::set<std::string> gpus;
    friend bool operator==(const HostNeed&, const HostNeed&) = default;
};

struct QueueRules {
    std::chrono::nanoseconds overtake_after{0};  ///< 0: strict FIFO for ever
    std::chrono::nanoseconds max_overtaken = std::chrono::minutes(10);
};

/// What a task needs: static host ports only, none under awsvpc; memory reservations before limits.
[[nodiscard]] HostNeed host_need(const model::Task& task);

/// Whether the task takes part in the accounting at all (launch type FARGATE does not).
[[nodiscard]] bool counts_on_host(const model::Task& task);

/// What became of a task in the queue.
struct Admission {
    std::string task_arn;
    std::string refused;  ///< empty: granted; otherwise why it never can be
    [[nodiscard]] bool granted() const { return refused.empty(); }
};

class HostResources {
  public:
    explicit HostResources(HostTotals totals, QueueRules rules = {});

    /// Joins the queue at the place of `arrival` (TaskState::arrival). Repeating it changes nothing; a task that
    /// already holds its resources is granted again. Returns everything that follows, this task's admission perhaps
    /// among it.
    [[nodiscard]] std::vector<Admission> request(const std::string& task_arn, HostNeed need, std::uint64_t arrival,
                                                 SteadyTime now);
    /// Leaves the queue or gives back what is held; nothing if neither. Returns who gets in.
    [[nodiscard]] std::vector<Admission> release(const std::string& task_arn, SteadyTime now);
    /// Time has passed: returns who may pass the head by now.
    [[nodiscard]] std::vector<Admission> settle(SteadyTime now);
    /// When time alone changes who may pass whom; nothing when it does not.
    [[nodiscard]] std::optional<SteadyTime> next_change(SteadyTime now) const;
    /// A saved task that held its resources when the agent ended: they are its own, whether they fit or not.
    void restore(const std::string& task_arn, HostNeed need);

    /// One sentence what a queued task waits for, who holds it, its place, and who may pass whom; "" if it is not in
    /// the queue.
    [[nodiscard]] std::string explain(const std::string& task_arn, const Instant& now) const;
    [[nodiscard]] bool holds(const std::string& task_arn) const { return held_.contains(task_arn); }
    [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
    [[nodiscard]] HostNeed held() const;  ///< sum over all tasks, reserved ports not among it

  private:
    struct Waiting {
        std::string task_arn;
        HostNeed need;
    };
    [[nodiscard]] std::string impossible(const HostNeed& need) const;
    [[nodiscard]] bool fits(const HostNeed& need, const HostNeed& taken) const;
    [[nodiscard]] std::string missing(const HostNeed& need) const;
    [[nodiscard]] std::string holders(const std::function<std::int64_t(const HostNeed&)>& share) const;
    [[nodiscard]] bool passing(SteadyTime now) const;

    HostTotals totals_;
    QueueRules rules_;
    std::map<std::string, HostNeed> held_;
    std::map<std::pair<std::uint64_t, std::string>, Waiting> queue_;  ///< by arrival
    std::string head_;         ///< the task that was first in the queue when it was last looked at
    SteadyTime head_since_{};  ///< since when it has been
};

}  // namespace nodeagent::core
