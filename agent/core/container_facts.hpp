#pragma once
// What the runtime says about one container, folded into its state. Observed state always wins; statuses only rise.

#include <optional>
#include <vector>

#include "agent/core/actions.hpp"
#include "agent/core/events.hpp"

namespace nodeagent::core {

/// How often a thing that failed or is blocked is looked at again.
inline constexpr std::chrono::seconds kRetryDelay{5};

/// A moment in the past on the clock that nobody sets, as exactly as the wall clock tells now; one that seems to be in
/// the future (the wall clock was set back) counts as now.
[[nodiscard]] SteadyTime steady_of(WallTime past, const Instant& now);

/// Puts the container's times on the steady clock that are not there yet, as early as can be: from then on the wall
/// clock may be set.
void anchor_times(ContainerState& container, const Instant& now);

/// The first error sticks for the life of the container; one that has stopped takes none.
void note_error(ContainerState& container, const std::optional<NamedError>& error);

/// Takes over what `seen` says. With `may_restart` an end may be undone by the restart policy, which adds an action.
void observe(ContainerState& container, const Observation& seen, bool may_restart, const Instant& now,
             std::vector<Action>& actions);

/// How a container ended; everything may be unknown.
struct Ending {
    std::optional<int> exit_code;
    std::optional<WallTime> finished_at;
    std::optional<NamedError> error;
};
[[nodiscard]] Ending ending_of(const ContainerState& container, const Observation& seen);
void mark_stopped(ContainerState& container, const Ending& ending);

/// A StartContainer action has come back.
void start_returned(ContainerState& container, const ContainerStarted& result, const Instant& now,
                    std::vector<Action>& actions);
/// A StopContainer action has come back.
void stop_returned(ContainerState& container, const ContainerStopDone& result, const Instant& now,
                   std::vector<Action>& actions);

/// Seconds between the stop signal and SIGKILL.
[[nodiscard]] std::chrono::seconds stop_grace(const ContainerState& container, std::chrono::seconds fallback);

}  // namespace nodeagent::core
