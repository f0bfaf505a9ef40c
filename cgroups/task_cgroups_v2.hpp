#pragma once
// Task cgroups as slices "ecstasks-<id>.slice" in "ecstasks.slice" of the unified hierarchy: made by systemd where it
// manages the host's cgroups, else by ourselves.

#include "cgroups/systemd_units.hpp"
#include "cgroups/task_cgroups.hpp"

namespace nodeagent::cgroups {

class TaskCgroupsV2 final : public TaskCgroups {
  public:
    /// `systemd` null: plain directories.
    TaskCgroupsV2(Hierarchy hierarchy, DirectoryOps& directories, std::unique_ptr<SystemdUnits> systemd);
    Result<void> prepare() override;
    Result<void> create(const std::string& task_id, const TaskLimits& limits) override;
    Result<void> remove(const std::string& task_id) override;
    [[nodiscard]] Result<std::vector<std::string>> unoccupied() const override;
    /// "ecstasks-<id>.slice" for the systemd driver; the path of the same slice for cgroupfs, which knows no slices.
    [[nodiscard]] std::string parent_for(const std::string& task_id) const override;

  private:
    Result<void> create_directory(const std::string& task_id, const TaskLimits& limits);

    Hierarchy hierarchy_;
    DirectoryOps& directories_;
    std::unique_ptr<SystemdUnits> systemd_;
};

/// The unit properties that express the limits. task-engine.md 4.
[[nodiscard]] SliceProperties slice_properties(const std::string& slice, const TaskLimits& limits);

}  // namespace nodeagent::cgroups
