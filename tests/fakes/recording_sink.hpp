#pragma once
// A StateSink that keeps what the engine reports, and acknowledges it like the reporter does: a task change takes the
// container changes before it along.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/engine/state_sink.hpp"

namespace nodeagent::fakes {

class RecordingSink final : public engine::StateSink {
  public:
    void submit(model::ContainerStateChange change) override {
        containers.push_back(change);
        waiting_.push_back(std::move(change));
    }
    void submit(model::TaskStateChange change) override {
        tasks.push_back(change);
        model::StateChangeAck ack{.task_arn = change.task_arn, .task_status = change.status, .containers = {}};
        std::erase_if(waiting_, [&](const model::ContainerStateChange& one) {
            if (one.task_arn != change.task_arn) return false;
            ack.containers.emplace_back(one.container_name, one.status);
            return true;
        });
        if (acknowledge) acknowledge(std::move(ack));
    }

    [[nodiscard]] const model::TaskStateChange* task(const std::string& arn, model::TaskStatus status) const {
        for (const auto& change : tasks) {
            if (change.task_arn == arn && change.status == status) return &change;
        }
        return nullptr;
    }
    [[nodiscard]] const model::ContainerStateChange* container(const std::string& arn, const std::string& name,
                                                               model::ContainerStatus status) const {
        for (const auto& change : containers) {
            if (change.task_arn == arn && change.container_name == name && change.status == status) return &change;
        }
        return nullptr;
    }

    std::vector<model::ContainerStateChange> containers;
    std::vector<model::TaskStateChange> tasks;
    std::function<void(model::StateChangeAck)> acknowledge;  ///< empty: ECS does not answer

  private:
    std::vector<model::ContainerStateChange> waiting_;
};

}  // namespace nodeagent::fakes
