#pragma once
// A runtime's Error as the named error ECS users see. task-engine.md 5.2.

#include <chrono>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::engine {

/// A call to the runtime that can fail in front of ECS users.
struct RuntimeVerb {
    std::string_view error_name;    ///< when the runtime refuses
    std::string_view timeout_word;  ///< in "Could not transition to <word>"
};

inline constexpr RuntimeVerb kResolveManifest{core::kCannotPullImageManifest, "MANIFEST_PULLED"};
inline constexpr RuntimeVerb kPull{core::kCannotPullContainer, "pulled"};
inline constexpr RuntimeVerb kPullBegin{core::kCannotPullContainer, "pullBegin"};
inline constexpr RuntimeVerb kCreate{core::kCannotCreateContainer, "created"};
inline constexpr RuntimeVerb kStart{core::kCannotStartContainer, "started"};
inline constexpr RuntimeVerb kStop{core::kCannotStopContainer, "stopped"};
inline constexpr RuntimeVerb kInspect{core::kCannotInspectContainer, "inspecting"};
inline constexpr RuntimeVerb kCreateVolume{"CannotCreateVolumeError", "creating volume"};
inline constexpr RuntimeVerb kInspectVolume{"CannotInspectVolumeError", "inspecting volume"};

/// Timeout becomes DockerTimeoutError with `waited` in Go's notation; everything else the verb's name and the runtime's
/// own text.
[[nodiscard]] core::NamedError named_error(const RuntimeVerb& verb, const Error& error,
                                           std::chrono::nanoseconds waited);

}  // namespace nodeagent::engine
