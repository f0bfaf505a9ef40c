#pragma once
// The service's side of a soak: every state change of every task is booked here and must be a legal one. Tasks that
// ended stay for a while, so that what comes after the end is noticed; then they are forgotten, so that the ledger of
// an hour is as big as that of a minute.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/bench/soak_workload.hpp"

namespace nodeagent::soak {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Counts of delays in buckets of one millisecond up to a minute: the same size however long it runs.
class Delays {
  public:
    void add(std::chrono::nanoseconds delay);
    /// 0 < share <= 1; nothing before the first delay.
    [[nodiscard]] std::optional<milliseconds> percentile(double share) const;
    [[nodiscard]] std::uint64_t count() const { return count_; }

  private:
    std::vector<std::uint32_t> buckets_ = std::vector<std::uint32_t>(60'001);
    std::uint64_t count_ = 0;
};

struct Tally {
    std::uint64_t begun = 0;
    std::uint64_t ran = 0;       ///< reported RUNNING
    std::uint64_t finished = 0;  ///< reported STOPPED
    std::uint64_t changes = 0;   ///< task and container state changes booked
    std::uint64_t repeats = 0;   ///< told again after an answer that was lost
    std::uint64_t violations = 0;
    std::map<std::string, std::uint64_t> by_kind;  ///< finished
    [[nodiscard]] std::uint64_t alive() const { return begun - finished; }
};

/// Thread-safe: a control plane books from its own thread.
class Ledger {
  public:
    /// The task is about to be handed to the agent.
    void begin(const std::string& arn, const Expectation& expected, SteadyTime now);
    /// A SubmitTaskStateChange that the service took. `answered`: the agent is told so; else it will tell it again.
    void book(const nlohmann::json& submission, SteadyTime now, bool answered);
    /// Something else that must not happen.
    void violation(const std::string& what);
    /// Forgets tasks that ended before `now - keep`; complains, once each, about tasks older than `limit`.
    void sweep(SteadyTime now, std::chrono::seconds keep, std::chrono::seconds limit);

    [[nodiscard]] bool running(const std::string& arn) const;  ///< RUNNING or beyond
    [[nodiscard]] bool stopped(const std::string& arn) const;
    [[nodiscard]] Tally tally() const;
    [[nodiscard]] std::vector<std::string> first_violations() const;
    [[nodiscard]] std::vector<std::string> unfinished() const;
    [[nodiscard]] std::optional<milliseconds> accept_to_running(double share) const;

  private:
    struct Told {
        bool pending = false, running = false, stopped = false;
    };
    struct Entry {
        Expectation expected;
        SteadyTime begun;
        std::optional<SteadyTime> ended;
        Told task;
        std::map<std::string, Told> containers;
        std::vector<nlohmann::json> unanswered;
        bool late_noted = false;
    };
    void complain(const std::string& arn, const Entry* entry, const std::string& what);
    void book_task(const std::string& arn, Entry& entry, const nlohmann::json& submission, SteadyTime now);
    void book_container(const std::string& arn, Entry& entry, const nlohmann::json& change);
    void check_end(const std::string& arn, const Entry& entry);

    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
    std::deque<std::string> ended_;  ///< in order of their end
    Tally tally_;
    Delays delays_;
    std::vector<std::string> first_violations_;
};

}  // namespace nodeagent::soak
