#include "agent/credentials/registry.hpp"

namespace nodeagent::credentials {

bool Registry::put(TaskRoleCredentials credentials) {
    if (credentials.role.credentials_id.empty() || credentials.task_arn.empty()) return false;
    std::string id = credentials.role.credentials_id;
    auto stored = std::make_shared<const TaskRoleCredentials>(std::move(credentials));
    const std::lock_guard lock(mutex_);
    by_id_[std::move(id)] = std::move(stored);
    return true;
}

void Registry::announce(const std::string& credentials_id) {
    if (credentials_id.empty()) return;
    const std::lock_guard lock(mutex_);
    by_id_.try_emplace(credentials_id);
}

void Registry::forget(const std::string& credentials_id) {
    const std::lock_guard lock(mutex_);
    by_id_.erase(credentials_id);
}

std::shared_ptr<const TaskRoleCredentials> Registry::get(const std::string& credentials_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(credentials_id);
    return found == by_id_.end() ? nullptr : found->second;
}

bool Registry::known(const std::string& credentials_id) const {
    const std::lock_guard lock(mutex_);
    return by_id_.contains(credentials_id);
}

}  // namespace nodeagent::credentials
