#pragma once
// The lifecycle of a task, pure: no clock, no log, no runtime. fold() says what a fact means, plan() what to do about
// it.

#include <chrono>
#include <vector>

#include "agent/core/actions.hpp"
#include "agent/core/events.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::core {

enum class PullBehavior : std::uint8_t { Default, Always, Once, PreferCached };

/// The agent's settings that lifecycle rules depend on.
struct Settings {
    PullBehavior pull_behavior = PullBehavior::Default;
    bool pull_dependents_upfront = false;
    std::chrono::seconds stop_timeout{30};  ///< for containers without one of their own
    std::chrono::nanoseconds cleanup_wait = std::chrono::hours(3);
    std::chrono::nanoseconds cleanup_jitter{0};
    std::chrono::nanoseconds steady_poll =
        std::chrono::minutes(1);        ///< how often a running task is compared with the runtime
    bool exclude_ipv6_bindings = true;  ///< network bindings on "::" are not reported
    bool ipv6_only = false;             ///< then those on 0.0.0.0 are not
    bool metadata_files = false;        ///< containers have a file that says what they are
    std::uint64_t jitter_seed = 0;      ///< makes jitter a pure function of seed and task
};

struct Outcome {
    TaskState state;
    std::vector<Action> actions;
};

/// Total and deterministic: any event in any state gives a valid state; the same arguments give the same result.
[[nodiscard]] Outcome step(TaskState task, const Event& event, const Instant& now, const Settings& settings);

/// Nothing is left to do or to know: the runner may end and the task be erased.
[[nodiscard]] bool finished(const TaskState& task);

}  // namespace nodeagent::core
