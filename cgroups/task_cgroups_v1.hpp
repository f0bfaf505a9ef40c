#pragma once
// Task cgroups as directories "ecs/<id>" in every v1 controller.

#include "cgroups/task_cgroups.hpp"

namespace nodeagent::cgroups {

class TaskCgroupsV1 final : public TaskCgroups {
  public:
    TaskCgroupsV1(Hierarchy hierarchy, DirectoryOps& directories);
    Result<void> prepare() override;
    Result<void> create(const std::string& task_id, const TaskLimits& limits) override;
    Result<void> remove(const std::string& task_id) override;
    [[nodiscard]] Result<std::vector<std::string>> unoccupied() const override;
    [[nodiscard]] std::string parent_for(const std::string& task_id) const override;

  private:
    Result<Cgroup> parent_in(const std::string& controller) const;
    Result<void> create_in(const std::string& controller, const std::string& task_id, const TaskLimits& limits) const;

    Hierarchy hierarchy_;
    std::vector<std::string> controllers_;  ///< those of ours that are mounted
    DirectoryOps& directories_;
};

}  // namespace nodeagent::cgroups
