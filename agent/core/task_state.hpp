#pragma once
// The live state of a task: a value that one TaskRunner owns and core::step turns into its successor. Comparable, so
// that "something changed" is `next != state`; what the payload said is shared and immutable.
//
// desired: what ECS wants. known: what the runtime last said. applied: the step in flight. sent: what ECS acknowledged.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/model/payload.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/model/status.hpp"

namespace nodeagent::core {

using model::ContainerStatus;
using model::HealthStatus;
using model::TaskStatus;

/// An error ECS users see by name: "CannotPullContainerError: pull access denied". task-engine.md C.
struct NamedError {
    std::string name;
    std::string message;
    friend bool operator==(const NamedError&, const NamedError&) = default;
};

/// A host port chosen (or given) for a container port, fixed before create so that a retry asks for the same ports.
struct PortAssignment {
    std::uint16_t container_port = 0;
    std::uint16_t host_port = 0;
    std::string protocol;     ///< "tcp", "udp"
    std::size_t mapping = 0;  ///< index into the payload's portMappings
    friend bool operator==(const PortAssignment&, const PortAssignment&) = default;
};

struct RestartTracker {
    std::int64_t count = 0;
    std::optional<WallTime> last_restart_at;
    std::optional<SteadyTime> last_restart;  ///< the same moment; not saved
    friend bool operator==(const RestartTracker&, const RestartTracker&) = default;
};

/// The end of a container that its restart policy undoes; kept in case the start fails.
struct PendingExit {
    std::optional<int> exit_code;
    std::optional<WallTime> finished_at;
    std::optional<NamedError> error;
    friend bool operator==(const PendingExit&, const PendingExit&) = default;
};

/// Who wants a container: the payload, or the agent itself (internal_containers.hpp). task-engine.md 1.2.
/// NetworkPause holds the network of an awsvpc task; only a task taken over from the reference has one.
enum class ContainerKind : std::uint8_t { Normal, NamespacePause, NetworkPause };

struct ContainerState {
    std::string name;
    ContainerKind kind = ContainerKind::Normal;
    std::shared_ptr<const model::Container> definition;  ///< never null

    std::string docker_name;  ///< chosen and saved before create; create with it is idempotent
    std::string runtime_id;   ///< empty before create
    std::string endpoint_id;  ///< UUID of the metadata URIs
    std::string image_id;
    std::string image_digest;  ///< resolved manifest digest, "sha256:..."
    bool essential = false;

    ContainerStatus desired = ContainerStatus::None;
    ContainerStatus known = ContainerStatus::None;
    ContainerStatus applied = ContainerStatus::None;  ///< None: nothing in flight; not saved
    ContainerStatus sent = ContainerStatus::None;
    ContainerStatus offered = ContainerStatus::None;  ///< highest status handed to the reporter; not saved

    bool start_uncertain = false;             ///< a start was asked for and nobody knows whether it happened
    bool oom_noted = false;                   ///< the kernel killed one of its processes
    bool came_back = false;                   ///< seen running after its end; true until it is stopped again; not saved
    bool recheck = false;                     ///< it ended again while a restart was in flight; not saved
    std::optional<PendingExit> pending_exit;  ///< a restart by policy is in flight; not saved
    std::optional<WallTime> restarted_exit;   ///< finished_at of the last end that a restart undid
    std::optional<SteadyTime> stop_again_at;  ///< a stop failed; not tried again before this; not saved

    std::optional<int> exit_code;
    std::optional<NamedError> error;  ///< the first one sticks
    std::vector<PortAssignment> port_assignments;
    std::vector<model::PortBinding> port_bindings;  ///< first non-empty set the runtime reported
    std::optional<WallTime> created_at, started_at, finished_at;
    std::optional<SteadyTime> started;  ///< started_at on the clock that nobody sets; not saved
    std::map<std::string, std::string> labels;
    std::vector<model::NetworkView> networks;
    bool network_known = false;
    std::vector<model::VolumeView> volumes;
    model::HealthView health;
    RestartTracker restarts;
    std::int64_t pid = 0;  ///< not saved
    bool metadata_file_ready = false;                   ///< the metadata file says what this run of it is like
    std::optional<std::int64_t> metadata_file_writing;  ///< run of the WriteMetadataFile in flight; not saved

    friend bool operator==(const ContainerState&, const ContainerState&) = default;
};

enum class ResourceStatus : std::uint8_t { None, Created, Removed };

/// ResourceState::name of the task's cgroup; no volume can be called so.
inline constexpr std::string_view kCgroupResource = "~cgroup";

/// Something a task needs beside containers: its cgroup, a docker volume, values fetched for it.
struct ResourceState {
    enum class Kind : std::uint8_t {
        Cgroup,
        DockerVolume,
        // fetched with the execution role's credentials; the values are in the engine's vault only (see fetched.hpp)
        SsmSecrets,        ///< parameters of the Parameter Store
        AsmSecrets,        ///< secrets of Secrets Manager
        RegistryAuth,      ///< registry credentials out of Secrets Manager
        EnvironmentFiles,  ///< of one container
    };
    Kind kind = Kind::Cgroup;
    std::string name;         ///< of the kind (kCgroupResource, fetched.hpp), or the payload's volume name
    std::string docker_name;  ///< volumes: the name given to the runtime
    bool shared = false;      ///< volumes of scope shared outlive the task
    ResourceStatus desired = ResourceStatus::None;
    ResourceStatus known = ResourceStatus::None;
    bool in_flight = false;  ///< not saved; CreateResource is running
    friend bool operator==(const ResourceState&, const ResourceState&) = default;
};

enum class CleanUpStage : std::uint8_t { NotYet, Running, Done };

struct TaskState {
    std::string arn;
    std::shared_ptr<const model::Task> definition;  ///< never null; role credentials removed
    std::vector<ContainerState> containers;         ///< payload order, then internal ones
    std::vector<ResourceState> resources;

    TaskStatus desired = TaskStatus::None;
    TaskStatus known = TaskStatus::None;
    TaskStatus sent = TaskStatus::None;
    TaskStatus offered = TaskStatus::None;  ///< highest status handed to the reporter; not saved

    std::string credentials_id;
    std::string execution_credentials_id;
    std::string stop_reason;           ///< the task's terminal reason; set once
    bool stop_asked = false;           ///< ECS wanted it stopped before it had a reason of its own to
    std::optional<WallTime> known_at;  ///< when `known` last rose
    std::optional<WallTime> pull_started_at, pull_stopped_at, execution_stopped_at;
    bool resources_consumed = false;  ///< holds CPU, memory, ports of the host
    bool task_limits = false;         ///< has a cgroup of its own (CPU and memory limits enabled when it was added)
    std::uint64_t arrival = 0;        ///< order of acceptance; the waiting queue is FIFO over it

    bool rejected = false;     ///< refused at acceptance: its containers never were and are not reported
    bool end_refused = false;  ///< ECS will never take the report of its end: cleanup does not wait for that

    // The rest is not saved: marks of what this process has under way.
    bool resumed = false;                      ///< the first Resumed has come; nothing is planned before it
    bool execution_credentials_known = false;  ///< the execution role's credentials have come since the agent started
    bool acquiring = false;                    ///< in the waiting queue for host resources
    CleanUpStage cleanup = CleanUpStage::NotYet;
    bool fast_poll = false;             ///< poll_at is one of the short polls of a blocked task
    std::optional<SteadyTime> ended;    ///< when `known` became STOPPED: cleanup counts from it
    std::optional<SteadyTime> poll_at;  ///< when the containers are looked at again
    std::optional<SteadyTime> wake_at;  ///< the last WakeAt asked for and not yet come

    [[nodiscard]] ContainerState* find(std::string_view container_name);
    [[nodiscard]] const ContainerState* find(std::string_view container_name) const;
    friend bool operator==(const TaskState&, const TaskState&) = default;
};

/// Last '/' component of the ARN.
[[nodiscard]] std::string task_id(std::string_view task_arn);

}  // namespace nodeagent::core
