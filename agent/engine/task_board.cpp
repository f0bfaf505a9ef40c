#include "agent/engine/task_board.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "agent/core/view.hpp"

namespace nodeagent::engine {

TaskBoard::TaskBoard(asio::any_io_executor shard, model::SnapshotBoard& snapshots, Explain explain)
    : shard_(std::move(shard)),
      snapshots_(snapshots),
      explain_(std::move(explain)),
      self_(std::make_shared<TaskBoard*>(this)) {}

TaskBoard::~TaskBoard() { *self_ = nullptr; }

void TaskBoard::put(std::shared_ptr<const core::TaskState> task) {
    for (const core::ContainerState& container : task->containers) {
        if (!container.runtime_id.empty()) {
            by_docker_id_.try_emplace(container.runtime_id, Place{task->arn, container.name});
        }
    }
    changed_.insert(task->arn);
    states_[task->arn] = std::move(task);
    publish_soon();
}

void TaskBoard::erase(const std::string& task_arn) {
    states_.erase(task_arn);
    views_.erase(task_arn);
    changed_.erase(task_arn);
    std::erase_if(by_docker_id_, [&](const auto& entry) { return entry.second.task_arn == task_arn; });
    publish_soon();
}

void TaskBoard::refresh_waiting() {
    for (const auto& [arn, task] : states_) {
        if (task->known < core::TaskStatus::Running) changed_.insert(arn);
    }
    if (!changed_.empty()) publish_soon();
}

void TaskBoard::refresh(const std::string& task_arn) {
    if (!states_.contains(task_arn)) return;
    changed_.insert(task_arn);
    publish_soon();
}

const TaskBoard::Place* TaskBoard::find(const std::string& docker_id) const {
    const auto found = by_docker_id_.find(docker_id);
    return found == by_docker_id_.end() ? nullptr : &found->second;
}

void TaskBoard::publish_soon() {
    if (publishing_) return;
    publishing_ = true;
    asio::post(shard_, [self = self_] {
        if (*self != nullptr) (*self)->publish();
    });
}

void TaskBoard::publish() {
    publishing_ = false;
    for (const std::string& arn : changed_) {
        const core::TaskState& task = *states_.at(arn);
        Outlook outlook = explain_(task);
        views_[arn] =
            std::make_shared<const model::TaskView>(core::view(task, std::move(outlook.waiting_for), outlook.pulls));
    }
    changed_.clear();
    auto snapshot = std::make_shared<model::Snapshot>();
    snapshot->tasks = views_;
    for (const auto& [arn, view] : views_) {
        for (std::size_t i = 0; i < view->containers.size(); ++i) {
            const model::ContainerView& container = view->containers[i];
            if (container.docker_id.empty()) continue;
            snapshot->by_docker_id.insert_or_assign(container.docker_id, model::Snapshot::ContainerKey{view, i});
            snapshot->by_endpoint_id.insert_or_assign(container.endpoint_id, model::Snapshot::ContainerKey{view, i});
        }
    }
    snapshots_.publish(std::move(snapshot));
}

}  // namespace nodeagent::engine
