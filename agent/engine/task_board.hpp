#pragma once
// What all tasks look like now: the published snapshot, and which task a runtime's container id belongs to. Views are
// made once per turn of the loop, only of tasks that changed; the others' are shared with the snapshot before.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "agent/core/task_state.hpp"
#include "agent/core/view.hpp"
#include "agent/model/snapshot.hpp"

namespace nodeagent::engine {

namespace asio = boost::asio;

class TaskBoard {
  public:
    struct Place {
        std::string task_arn;
        std::string container;
    };
    /// What a view has beside the state, asked for when it is made.
    struct Outlook {
        std::string waiting_for;
        core::PullViews pulls;
    };
    using Explain = std::function<Outlook(const core::TaskState&)>;

    TaskBoard(asio::any_io_executor shard, model::SnapshotBoard& snapshots, Explain explain);
    ~TaskBoard();

    void put(std::shared_ptr<const core::TaskState> task);
    void erase(const std::string& task_arn);
    /// What tasks that are not running wait for may have changed.
    void refresh_waiting();
    /// What this task waits for has changed, though not its state.
    void refresh(const std::string& task_arn);
    [[nodiscard]] const Place* find(const std::string& docker_id) const;

  private:
    void publish_soon();
    void publish();

    asio::any_io_executor shard_;
    model::SnapshotBoard& snapshots_;
    Explain explain_;
    std::map<std::string, std::shared_ptr<const core::TaskState>> states_;
    std::map<std::string, std::shared_ptr<const model::TaskView>> views_;
    std::set<std::string> changed_;  ///< ARNs whose view is out of date
    std::unordered_map<std::string, Place> by_docker_id_;
    bool publishing_ = false;
    std::shared_ptr<TaskBoard*> self_;  ///< what posted work finds: empty after destruction
};

}  // namespace nodeagent::engine
