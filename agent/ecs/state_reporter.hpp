#pragma once
// Tells ECS what became of tasks and containers: in order per task, batched, for as long as it takes (control-plane.md
// 9).
//
//   container change --> batch of its task --+
//   task change ---------------------------- + --> queue of its task --> SubmitTaskStateChange --> ack to the engine
//   every 10-30 s, for batches left over ----+
//
// Lives on one shard.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/scope.hpp"
#include "agent/ecs/api_client.hpp"
#include "agent/ecs/send_slots.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/model/state_change.hpp"

namespace nodeagent::ecs {

/// Which bindings are not told (3.6).
struct BindingFilter {
    bool ipv4_any = false;  ///< drop 0.0.0.0: the instance has IPv6 only
    bool ipv6_any = true;   ///< drop ::
};

/// Since the reporter was made. Every submission that ended is one of the three.
struct Submissions {
    std::size_t queued = 0;  ///< or under way, over all tasks
    std::uint64_t acknowledged = 0;
    std::uint64_t refused = 0;  ///< for good
    std::uint64_t failed = 0;   ///< tried again later
};

class StateReporter {
  public:
    struct Options {
        std::string cluster;
        BindingFilter filter;
    };
    using OnAck = std::function<void(model::StateChangeAck)>;
    static constexpr std::size_t kConcurrentSubmissions = 10;

    /// `on_ack` is told of every change that ECS takes, and with `refused` of one that it never will. It runs on the
    /// shard, inside the reporter's coroutine: it must not call back into the reporter.
    StateReporter(ApiClient& api, const model::SnapshotBoard& board, Clock& clock, asio::any_io_executor shard,
                  Options options, OnAck on_ack);
    ~StateReporter();

    /// Starts the timer that flushes left-over container changes.
    void start();
    /// Queued until a task change of its task goes out.
    void submit(model::ContainerStateChange change);
    void submit(model::TaskStateChange change);

    /// Takes nothing more in, flushes what is left, waits for the queues at most `limit`, then gives up on them.
    asio::awaitable<void> stop(std::chrono::nanoseconds limit);

    /// Submissions that are queued or under way, over all tasks.
    [[nodiscard]] std::size_t queued() const;
    [[nodiscard]] Submissions submissions() const;

  private:
    struct Entry {
        model::TaskStateChange task;
        std::vector<model::ContainerStateChange> containers;
    };
    /// Everything of one task. `sent` is what the service has acknowledged to this process.
    struct Lane {
        std::vector<model::ContainerStateChange> batch;
        std::deque<Entry> entries;
        bool working = false;
        model::TaskStatus sent = model::TaskStatus::None;
        std::map<std::string, model::ContainerStatus> containers_sent;
    };
    enum class Verdict : unsigned char { Acknowledged, Refused, TryAgain };
    struct Sent {
        Verdict kind = Verdict::TryAgain;
        std::string why;  ///< when it was not acknowledged
    };

    asio::awaitable<void> tick();
    asio::awaitable<void> work(std::string task_arn);
    asio::awaitable<Sent> send(Entry entry);
    asio::awaitable<void> give_up_after(std::chrono::nanoseconds limit);
    void flush();
    void enqueue(const std::string& task_arn, model::TaskStateChange change);
    void acknowledge(Lane& lane, const Entry& entry);
    [[nodiscard]] static model::StateChangeAck ack_of(const Entry& entry, std::string refused);
    [[nodiscard]] bool worth_sending(const Lane& lane, const Entry& entry) const;

    ApiClient& api_;
    const model::SnapshotBoard& board_;
    Clock& clock_;
    Options options_;
    OnAck on_ack_;
    std::map<std::string, Lane> lanes_;
    bool closed_ = false;
    Submissions done_;
    SendSlots slots_;
    Scope timers_;
    Scope work_;
};

/// Nothing when a container with a port range has more than 100 bindings, which the service does not take.
[[nodiscard]] Result<model::SubmitTaskStateChangeRequest> build_submission(
    const std::string& cluster, const BindingFilter& filter, const model::TaskStateChange& task,
    const std::vector<model::ContainerStateChange>& containers);

}  // namespace nodeagent::ecs
