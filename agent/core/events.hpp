#pragma once
// The facts a task hears. They may come late, twice or shuffled; step() folds each into the state or ignores it.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/task_state.hpp"
#include "agent/model/state_change.hpp"

namespace nodeagent::core {

/// What the runtime says a container is right now; the engine translates runtime::ContainerView to it.
struct Observation {
    enum class Phase : std::uint8_t { Created, Running, Stopped };
    Phase phase = Phase::Created;
    std::string runtime_id;
    std::string image_id;
    std::optional<int> exit_code;
    bool oom_killed = false;
    std::string runtime_error;  ///< State.Error, "" when none
    std::optional<WallTime> created_at, started_at, finished_at;
    std::map<std::string, std::string> labels;
    std::vector<model::PortBinding> ports;
    std::vector<model::NetworkView> networks;
    std::vector<model::VolumeView> volumes;
    std::optional<HealthStatus> health;  ///< nothing while starting or without a check
    std::string health_output;
    std::optional<int> health_exit_code;
    std::int64_t pid = 0;
};

/// The runner starts, after acceptance or a restart of the agent: nothing is in flight. Facts told before it are taken
/// in, but no work is planned until it comes.
struct Resumed {};
/// ACS (payload, stop verification) wants this status; only a rise counts.
struct DesiredChanged {
    TaskStatus desired = TaskStatus::Running;
};
/// The host's CPU, memory, ports and GPUs are reserved for this task.
struct HostResourcesGranted {};
/// They never can be: the request exceeds what the host has. `reason` for people.
struct HostResourcesRefused {
    std::string reason;
};
/// A resource reached the status, or failed to (error set).
struct ResourceSettled {
    std::string name;
    ResourceStatus status = ResourceStatus::Created;
    std::optional<NamedError> error;
    std::string stop_reason;  ///< what becomes the task's reason when creation failed
    /// The failure was found by looking, before anything was made (a shared volume that does not exist or differs): the
    /// task counts as refused at acceptance, no container of it is reported.
    bool rejects_task = false;
};
struct ManifestResolved {
    std::string container;
    std::string digest;  ///< "" when there is none or it was not needed
    std::optional<NamedError> error;
};
/// A real pull begins (not a cache hit).
struct PullBegan {
    std::string container;
};
struct ImagePulled {
    std::string container;
    std::string image_id;
    bool pulled = false;  ///< a real pull took place; false: the cached image was used
    std::optional<NamedError> error;
};
struct PortsAssigned {
    std::string container;
    std::vector<PortAssignment> ports;
    std::optional<NamedError> error;
};
struct ContainerCreated {
    std::string container;
    std::string runtime_id;
    std::optional<Observation> seen;
    std::optional<NamedError> error;
};
struct ContainerStarted {
    std::string container;
    std::optional<Observation> seen;
    std::optional<NamedError> error;
};
/// A stop action came back. No error: it has ended. An error and no `seen`: the runtime cannot be reached, the stop is
/// tried again after 5 s. An error and `seen` running: the runtime works but cannot stop it; it counts as stopped, with
/// the error, as in the reference.
struct ContainerStopDone {
    std::string container;
    std::optional<Observation> seen;
    std::optional<NamedError> error;
};
/// A WriteMetadataFile has ended. `written` false: the container it was about does not run any more. True as well when
/// it never can be written.
struct MetadataFileWritten {
    std::string container;
    std::int64_t run = 0;  ///< of the action
    bool written = false;
};
/// From the event stream, a reconcile or an inspect: the truth about the container now.
struct ContainerObserved {
    std::string container;
    Observation seen;
    bool at_restore =
        false;  ///< first look after a restart of the agent: the restart policy does not undo what it missed
};
/// The runtime has no such container, though it was created.
struct ContainerVanished {
    std::string container;
};
/// The kernel killed a process of the container for memory: an annotation, never a state.
struct OutOfMemoryNoted {
    std::string container;
};
struct ExecutionCredentialsArrived {};
/// ACS sent credentials of the task's role, or of its execution role, under this id: what is created from now on uses
/// it.
struct CredentialsRenewed {
    std::string credentials_id;  ///< "" is ignored
    bool execution_role = false;
};
/// ECS acknowledged these statuses, or will never take them.
struct SentAcknowledged {
    model::StateChangeAck ack;
};
/// A WakeAt has come.
struct Woken {};
/// Everything of the task is gone from the host.
struct CleanedUp {};

using Event =
    std::variant<Resumed, DesiredChanged, HostResourcesGranted, HostResourcesRefused, ResourceSettled, ManifestResolved,
                 PullBegan, ImagePulled, PortsAssigned, ContainerCreated, ContainerStarted, ContainerStopDone,
                 MetadataFileWritten, ContainerObserved, ContainerVanished, OutOfMemoryNoted,
                 ExecutionCredentialsArrived, CredentialsRenewed, SentAcknowledged, Woken, CleanedUp>;

}  // namespace nodeagent::core
