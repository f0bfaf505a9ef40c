#pragma once
// What was fetched for tasks and must not be saved: values of secrets, registry credentials, what environment files
// define. By task ARN, in memory only, wiped with the task. One shard.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/secret.hpp"
#include "agent/engine/spec/secret_values.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

class Vault {
  public:
    struct Content {
        SecretValues secrets;
        std::map<std::string, runtime::RegistryAuth> registries;  ///< by credentialsParameter
        std::map<std::string, std::vector<Secret>> of_files;      ///< by container; to be redacted, not to be used
    };

    /// The task's own; made when there is none.
    Content& of(const std::string& task_arn) { return by_task_[task_arn]; }
    [[nodiscard]] SecretValues secrets(const std::string& task_arn) const;
    [[nodiscard]] std::optional<runtime::RegistryAuth> registry(const std::string& task_arn,
                                                                const std::string& credentials_parameter) const;
    void wipe(const std::string& task_arn) { by_task_.erase(task_arn); }

    /// `text` with every value of the task's secrets and environment files replaced, and ids of role credentials:
    /// runtimes quote what they were given in their errors.
    [[nodiscard]] std::string redacted(const std::string& task_arn, std::string text) const;

  private:
    std::map<std::string, Content> by_task_;
};

}  // namespace nodeagent::engine
