#pragma once
// Credentials of task roles and execution roles, by credentials id, as ACS sent them. Written on the engine's shard,
// read by the endpoint's shard: every call takes a short lock. Never saved, never logged.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/model/payload.hpp"

namespace nodeagent::credentials {

enum class RoleType : unsigned char { TaskApplication, TaskExecution };

struct TaskRoleCredentials {
    std::string task_arn;
    RoleType role_type = RoleType::TaskApplication;
    model::RoleCredentials role;
};

class Registry {
  public:
    /// Last write wins; ids and task ARN must be non-empty (false otherwise, nothing stored).
    bool put(TaskRoleCredentials credentials);
    /// An id that a saved task refers to, but whose credentials have not come yet: known() is true, get() is empty.
    void announce(const std::string& credentials_id);
    void forget(const std::string& credentials_id);
    [[nodiscard]] std::shared_ptr<const TaskRoleCredentials> get(const std::string& credentials_id) const;
    [[nodiscard]] bool known(const std::string& credentials_id) const;

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<const TaskRoleCredentials>> by_id_;  ///< nullptr: announced
};

}  // namespace nodeagent::credentials
