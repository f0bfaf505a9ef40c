#pragma once
// The named errors that ECS users see, in their exact wording. task-engine.md C, 11.

#include <string>
#include <string_view>

#include "agent/core/task_state.hpp"

namespace nodeagent::core {

inline constexpr std::string_view kCannotPullContainer = "CannotPullContainerError";
inline constexpr std::string_view kCannotPullImageManifest = "CannotPullImageManifestError";
inline constexpr std::string_view kCannotPullEcrContainer = "CannotPullECRContainerError";
inline constexpr std::string_view kCannotPullContainerAuth = "CannotPullContainerAuthError";
inline constexpr std::string_view kCannotCreateContainer = "CannotCreateContainerError";
inline constexpr std::string_view kCannotStartContainer = "CannotStartContainerError";
inline constexpr std::string_view kCannotStopContainer = "CannotStopContainerError";
inline constexpr std::string_view kCannotInspectContainer = "CannotInspectContainerError";
inline constexpr std::string_view kCannotGetDockerClient =
    "CannotGetDockerclientError";  // lower-case c, as ECS knows it
inline constexpr std::string_view kDockerTimeout = "DockerTimeoutError";
inline constexpr std::string_view kDockerState = "DockerStateError";
inline constexpr std::string_view kOutOfMemory = "OutOfMemoryError";
inline constexpr std::string_view kContainerVanished = "ContainerVanishedError";
inline constexpr std::string_view kTaskStoppedBeforePull = "TaskStoppedBeforePullBeginError";
inline constexpr std::string_view kHostConfig = "HostConfigError";
inline constexpr std::string_view kUnknown = "UnknownError";

/// Exit code given to a container whose dependency can never be met.
inline constexpr int kDependencyExitCode = 143;

/// "<name>: <message>"; UnknownError without a name.
[[nodiscard]] std::string to_text(const NamedError& error);

[[nodiscard]] NamedError out_of_memory();
[[nodiscard]] NamedError vanished();
[[nodiscard]] NamedError docker_state(std::string text);
/// `word`: "pulled", "created", "started", "stopped", "MANIFEST_PULLED", ... (5.2)
[[nodiscard]] NamedError docker_timeout(std::string_view word, std::chrono::nanoseconds waited);
[[nodiscard]] NamedError task_stopped_before_pull(std::string_view task_arn);
/// A failed pull in the words ECS shows: hints prepended, layer URLs blanked (5.5). `name` is one of the pull errors.
[[nodiscard]] NamedError pull_failure(std::string_view name, std::string_view message, std::string_view image);

/// Task reasons.
[[nodiscard]] std::string dependencies_unresolvable(std::string_view task_arn);
inline constexpr std::string_view kCannotProgress = "TaskStateError: Agent could not progress task's state to stopped";
inline constexpr std::string_view kCgroupFailed = "CgroupError: Agent could not create task's platform resources";
inline constexpr std::string_view kVolumeFailed = "VolumeError: Agent could not create task's volume resources";
/// A resource's failure as a task reason: first letter in upper case, runs of white space are one space (1.6).
[[nodiscard]] std::string terminal_reason(std::string_view text);

/// After these the container may run although its start failed: it is stopped for real (11.2).
[[nodiscard]] bool start_may_have_happened(const NamedError& error);

}  // namespace nodeagent::core
