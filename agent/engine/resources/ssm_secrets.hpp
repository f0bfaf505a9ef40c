#pragma once
// Secrets that are parameters of the Systems Manager Parameter Store. task-engine.md 3.8.

#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/secret.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::engine {

/// The values of all ssm secrets of the task, by secret_key(); GetParameters per region in batches of 10, all at once.
/// The error is the task's stop reason.
asio::awaitable<Result<std::map<std::string, Secret>>> fetch_ssm_secrets(const ServiceAccess& access,
                                                                         std::shared_ptr<const model::Task> task,
                                                                         credentials::AwsCredentials signer);

/// What GetParameters answered, by the name that was asked for: a name, with ":version" or ":label", or an ARN. The
/// cause as an error when some are invalid; the answer itself never appears in it.
[[nodiscard]] Result<std::map<std::string, Secret>> parse_parameters(const std::vector<std::string>& names,
                                                                     std::string_view body);

}  // namespace nodeagent::engine
