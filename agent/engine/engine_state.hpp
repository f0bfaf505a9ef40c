#pragma once
// The inside of TaskEngine: its parts, built in the order they depend on each other, and the table of runners.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/scope.hpp"
#include "agent/core/adopt.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/core/reconcile.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/host_queue.hpp"
#include "agent/engine/image_claims.hpp"
#include "agent/engine/image_janitor.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/image_puller.hpp"
#include "agent/engine/observer.hpp"
#include "agent/engine/runtime_link.hpp"
#include "agent/engine/task_board.hpp"
#include "agent/engine/task_engine.hpp"
#include "agent/engine/task_runner.hpp"

namespace nodeagent::engine {

struct TaskEngine::State {
    explicit State(EngineParts given);

    // taking up, running and ending tasks (task_engine.cpp)
    asio::awaitable<Result<void>> restore(StoredState stored);
    /// Books what a task that is here already holds: host resources, images, ids of credentials that are to come.
    void take_up(const core::TaskState& task);
    TaskRunner& add(core::TaskState task);
    void launch(TaskRunner& runner);
    asio::awaitable<void> own(std::string task_arn);
    /// Tells ECS that a task which is not taken has stopped.
    void report_refusal(const std::string& task_arn, const std::string& reason);
    asio::awaitable<void> forget_refusal(std::string task_arn);
    /// ACS sent credentials under this id for a task that is here; they are in the registry already.
    void renew(TaskRunner& runner, bool execution_role, std::string credentials_id);
    TaskRunner* find(const std::string& task_arn);
    [[nodiscard]] TaskBoard::Outlook outlook(const core::TaskState& task) const;
    [[nodiscard]] bool knows(const runtime::ContainerView& container) const;
    asio::awaitable<void> fit_pulls_to_disk();
    asio::awaitable<void> remove_empty_cgroups();
    /// Before anything can be fetched: files of tasks that no state knows.
    asio::awaitable<void> sweep_environment_files();
    /// Before anything can be created: files of tasks that neither are here nor have a container, as `task_arns` do.
    asio::awaitable<void> sweep_metadata_files(std::set<std::string> task_arns);
    asio::awaitable<Result<core::DiskUse>> look_at_disk(std::string folder);
    asio::awaitable<void> drain(std::shared_ptr<OneShot<bool>> done);
    asio::awaitable<void> give_up(std::chrono::nanoseconds limit, std::shared_ptr<OneShot<bool>> done);

    // what the runtime says (runtime_watch.cpp)
    void connected();
    void changed(const runtime::RuntimeEvent& event);
    asio::awaitable<void> observe(TaskBoard::Place place, std::string id, std::optional<int> exit_code);
    asio::awaitable<void> resync();
    asio::awaitable<bool> compare(core::ReconcileCause cause);
    asio::awaitable<std::set<std::string>> inspect(std::vector<core::Inspection> wanted);
    asio::awaitable<void> compare_every_minute();
    void release_held(std::set<std::string> unseen);

    // containers that no task knows (strays.cpp)
    asio::awaitable<void> settle_strays(std::vector<core::Stray> strays);
    asio::awaitable<void> adopt(std::string task_arn, std::vector<std::string> ids);
    asio::awaitable<void> discard(std::string task_arn, std::vector<core::FoundContainer> left_over);
    asio::awaitable<std::vector<std::string>> discard_resources(std::string task_arn, std::set<std::string> volumes);
    asio::awaitable<void> remove_stray(core::Stray stray);
    /// `present`: ids of all containers there are, and ARNs of their tasks. What is gone needs no memory.
    asio::awaitable<void> forget_gone(std::set<std::string> present);
    asio::awaitable<void> forget_given_up(std::string task_arn);

    EngineParts parts;
    core::Identity identity;
    bool task_limits = false;
    std::uint64_t arrivals = 0;

    TaskBoard board;
    HostQueue host;
    RuntimeLink link;
    Observer observer;
    ImageLedger images;
    ImageClaims claims;
    ImageJanitor janitor;
    ImagePuller puller;
    Vault vault;
    Actions actions;
    RunnerTools tools;
    std::map<std::string, std::unique_ptr<TaskRunner>> runners;
    /// Tasks restored or accepted before the first comparison with the runtime: not resumed until then, because what
    /// they do next depends on what of them is there.
    std::set<std::string> held;
    /// All credentials ids of tasks that got one after their payload, forgotten with the task.
    std::map<std::string, std::set<std::string>> credentials_of;
    std::set<std::string> removing;  ///< strays that are being removed, by runtime id; lost tasks, by ARN
    /// Ended tasks whose clean-up was given up: what is left of them is removed, not taken up again. Saved as metadata,
    /// kGivenUpPrefix: a container that cannot be stopped still runs after a restart, and ECS knows its task as
    /// stopped.
    std::set<std::string> given_up;
    std::set<std::string> lamented;             ///< tasks and strays of which it was said that they cannot be removed
    std::set<std::string> foreign;              ///< tasks of other clusters that were logged
    std::string refusal;                        ///< of new tasks; "": none
    std::map<std::string, std::string> unsent;  ///< what Shelf::Unsent holds
    bool compared_once = false;
    std::optional<ErrorKind> alarmed;  ///< what on_store_failure was last called for

    Scope own_tasks;
    Scope watching;
    Scope stopping;
};

/// UUIDs and docker names from the operating system's randomness.
[[nodiscard]] core::Identity random_identity();

}  // namespace nodeagent::engine
