#pragma once
// All tasks of this host: TaskArn -> TaskRunner. Routes payloads and runtime events to the runners, admits tasks to the
// host's resources, and repairs what an event stream missed. One shard; every call is made there.
//
//   accept() ----------------> runner inbox --> core::step --> actions --> runtime
//   runtime events, lists ---> runner inbox                       |
//   snapshots <--- after every change                             +------> StateSink

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/core/host_resources.hpp"
#include "agent/core/image_policy.hpp"
#include "agent/engine/engine_figures.hpp"
#include "agent/engine/spec/metadata_document.hpp"
#include "agent/engine/state_sink.hpp"
#include "agent/engine/state_store.hpp"
#include "agent/model/payload.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/model/state_change.hpp"
#include "runtime/types.hpp"

namespace nodeagent {
class BlockingPool;
class Clock;
namespace config {
struct Config;
}
namespace credentials {
class Registry;
}
namespace cgroups {
class TaskCgroups;
}
namespace runtime {
class Backend;
}
}  // namespace nodeagent

namespace nodeagent::engine {

class EventLog;
class RegistryAuthSource;
struct ServiceAccess;
struct StepSink;

/// What the engine works with; everything outlives it.
struct EngineParts {
    asio::any_io_executor shard;
    Clock& clock;
    BlockingPool& pool;
    runtime::Backend& backend;
    StateStore& store;
    cgroups::TaskCgroups* cgroups;  ///< nullptr: task-level CPU and memory limits are off
    credentials::Registry& credentials;
    RegistryAuthSource& registry_auth;
    model::SnapshotBoard& snapshots;
    StateSink& reports;
    EventLog& events;
    const config::Config& config;                  ///< cluster and region as registered
    core::HostTotals totals;                       ///< as registered
    std::vector<std::string> pause_programs = {};  ///< where ecs-pause may be (pause_image.hpp)
    /// Containers of unknown tasks that were created before this moment are of another machine's life: removed, not
    /// taken up.
    std::optional<std::chrono::system_clock::time_point> leftovers_before = std::nullopt;
    /// A task cannot be saved though it was tried for a while. Nothing happens that is not recorded: work waits, and
    /// saving is tried again for ever. The owner says so to people, or ends the process if trying cannot help. Called
    /// once for each kind of failure.
    std::function<void(Error)> on_store_failure;
    /// Space on the filesystem that holds a folder; empty: statvfs(3) on `pool`.
    std::function<asio::awaitable<Result<core::DiskUse>>(std::string folder)> disk_use{};
    /// Outlives the engine. nullptr: no secrets, registry credentials or environment files can be fetched.
    const ServiceAccess* services = nullptr;
    StepSink* steps = nullptr;  ///< nullptr: nobody measures
    MachineIdentity machine{};  ///< what metadata files say of this machine
};

struct CredentialsDue {
    std::string credentials_id;
    std::string expiration;  ///< verbatim
};

/// control-plane.md 6.3: acks are sent only when `handled`.
struct PayloadOutcome {
    bool handled = true;                   ///< no task has Failed
    std::vector<model::Acceptance> tasks;  ///< in the order of the payload
    std::vector<CredentialsDue>
        credentials;  ///< one IAMRoleCredentialsAckRequest each, task role before execution role
};

struct TaskOnHost {
    std::string arn;
    model::TaskStatus desired = model::TaskStatus::None;
    bool internal = false;
};

class TaskEngine {
  public:
    explicit TaskEngine(EngineParts parts);
    ~TaskEngine();
    TaskEngine(const TaskEngine&) = delete;
    TaskEngine& operator=(const TaskEngine&) = delete;

    /// Takes up the saved tasks (StateStore::load(), called by the owner, who checks whose state it is) and begins to
    /// connect to the runtime. Returns without waiting for the runtime: tasks are accepted and wait until it is there.
    /// Conflict: the saved tasks were made under a setting that contradicts an explicit one; the agent must not run.
    asio::awaitable<Result<void>> start(StoredState stored);
    /// The runtime's answer to the first successful probe; waits for it. Several may wait.
    asio::awaitable<runtime::Capabilities> runtime_ready();
    /// Ends event streams, waits for work in flight up to `limit`, saves every task. Containers keep running.
    asio::awaitable<void> stop(std::chrono::nanoseconds limit);

    /// Returns once everything accepted is durable.
    asio::awaitable<PayloadOutcome> accept(model::PayloadMessage payload);
    /// IAMRoleCredentialsMessage: true (ack it) when the task is known. It uses the new id from then on; what was
    /// created before goes on asking for the old one, and all of them are forgotten with the task.
    asio::awaitable<bool> refresh_credentials(std::string task_arn, bool execution_role,
                                              model::RoleCredentials credentials);
    /// Desired status of the task becomes STOPPED, durably; false when it is unknown.
    asio::awaitable<bool> stop_task(std::string task_arn);
    /// From now on new tasks are reported STOPPED with this reason; "": they are taken again.
    void refuse_new_tasks(std::string reason);
    /// How long stopping may take the task that takes longest.
    [[nodiscard]] std::chrono::seconds longest_stop() const;
    /// ARNs of the tasks that have not stopped.
    [[nodiscard]] std::vector<std::string> unstopped() const;
    /// ECS has acknowledged these statuses.
    void acknowledged(model::StateChangeAck ack);

    /// All that it has in the store as it is now, for one that lost its memory.
    [[nodiscard]] std::vector<StoreChange> everything() const;

    [[nodiscard]] std::vector<TaskOnHost> tasks() const;
    [[nodiscard]] bool runtime_answers() const;
    [[nodiscard]] EngineFigures figures() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nodeagent::engine
