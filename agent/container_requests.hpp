#pragma once
// What a container's request to the task server makes the agent ask of ECS: tags, and task protection with the task's
// own role. The endpoints' shard calls; the work runs on the main shard, where HTTP clients live.

#include <map>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "agent/net/aws_client.hpp"
#include "metadata/task_server.hpp"

namespace nodeagent {

class ContainerRequests {
  public:
    struct Parts {
        asio::any_io_executor main_shard;
        net::HttpClient& http;
        Clock& clock;
        credentials::Provider& agent_credentials;
        net::AwsService ecs;  ///< endpoint, region, target and the agent's User-Agent
    };
    explicit ContainerRequests(Parts parts) : parts_(std::move(parts)) {}
    /// As registered; before that, protection calls name no cluster.
    void set_cluster(std::string cluster) { cluster_ = std::move(cluster); }

    asio::awaitable<Result<std::map<std::string, std::string>>> tags(std::string arn, std::string container_name);
    asio::awaitable<net::ServiceResult<metadata::ProtectionAnswer>> protection(metadata::ProtectionCall call);

  private:
    asio::awaitable<Result<std::map<std::string, std::string>>> tags_here(std::string arn, std::string container_name);
    asio::awaitable<net::ServiceResult<metadata::ProtectionAnswer>> protection_here(metadata::ProtectionCall call);

    Parts parts_;
    std::string cluster_;
};

}  // namespace nodeagent
