#pragma once
// The AWS credentials of who calls ecs-node: its environment, its profile; where it has none, those the agent hands out
// to root on its control socket.

#include <functional>
#include <memory>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/clock.hpp"
#include "agent/cli/endpoint.hpp"
#include "agent/config/environment.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/net/http_client.hpp"

namespace nodeagent::cli {

/// Asks the agent for GET `target` of its control socket; called on a thread of the pool.
using AskAgent = std::function<Result<Reply>(const std::string& target)>;

/// All outlive the provider. The instance's metadata service is never asked: the agent does that.
[[nodiscard]] std::unique_ptr<credentials::Provider> caller_credentials(const config::Environment& environment,
                                                                        net::HttpClient& http, BlockingPool& pool,
                                                                        Clock& clock, AskAgent agent);

}  // namespace nodeagent::cli
