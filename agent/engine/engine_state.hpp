#pragma once
// The inside of TaskEngine: its parts, built in the order they depend on each other, and the table of runners.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/scope.hpp"
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
    TaskRunner& add(core::TaskState task);
    void launch(TaskRunner& runner);
    asio::awaitable<void> own(std::string task_arn);
    TaskRunner* find(const std::string& task_arn);
    [[nodiscard]] TaskBoard::Outlook outlook(const core::TaskState& task) const;
    [[nodiscard]] bool knows(const runtime::ContainerView& container) const;
    asio::awaitable<void> fit_pulls_to_disk();
    asio::awaitable<void> remove_empty_cgroups();
    asio::awaitable<Result<core::DiskUse>> look_at_disk(std::string folder);
    asio::awaitable<void> drain(std::shared_ptr<OneShot<bool>> done);
    asio::awaitable<void> give_up(std::chrono::nanoseconds limit, std::shared_ptr<OneShot<bool>> done);

    // what the runtime says (runtime_watch.cpp)
    void connected();
    void changed(const runtime::RuntimeEvent& event);
    asio::awaitable<void> observe(TaskBoard::Place place, std::string id, std::optional<int> exit_code);
    asio::awaitable<void> resync();
    asio::awaitable<bool> compare(core::ReconcileCause cause);
    asio::awaitable<void> inspect(std::vector<core::Inspection> wanted, bool at_restore);
    asio::awaitable<void> remove_stray(core::Stray stray);
    asio::awaitable<void> compare_every_minute();
    void release_held();

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
    Actions actions;
    RunnerTools tools;
    std::map<std::string, std::unique_ptr<TaskRunner>> runners;
    /// Restored tasks: not resumed before the first comparison with the runtime, on which depends what they do next.
    std::set<std::string> held;
    /// Credentials ids that came for a task after its payload, forgotten with it.
    std::map<std::string, std::set<std::string>> later_credentials;
    bool compared_once = false;
    bool alarmed = false;

    Scope own_tasks;
    Scope watching;
    Scope stopping;
};

/// UUIDs and docker names from the operating system's randomness.
[[nodiscard]] core::Identity random_identity();

}  // namespace nodeagent::engine
