#pragma once
// Typed calls of the ECS API (control-plane.md 3). Submit* calls go through a client of their own with the long retry
// layer. Lives on one shard.

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/model/ecs_api.hpp"
#include "agent/net/aws_client.hpp"

namespace nodeagent::ecs {

namespace asio = boost::asio;

class ApiClient {
  public:
    struct Options {
        std::string endpoint;  ///< net::resolve_endpoint("ecs", ...)
        std::string region;
        std::string user_agent;  ///< agent_user_agent(...)
    };
    ApiClient(net::AwsTransport transport, Options options);

    asio::awaitable<net::ServiceResult<model::ContainerInstance>> register_container_instance(
        model::RegisterContainerInstanceRequest request);
    /// `deadline` bounds the call with its retries.
    asio::awaitable<net::ServiceResult<model::PollEndpoints>> discover_poll_endpoint(
        model::DiscoverPollEndpointRequest request, SteadyTime deadline);
    asio::awaitable<net::ServiceResult<void>> create_cluster(std::string name);
    asio::awaitable<net::ServiceResult<void>> update_container_instances_state(
        model::UpdateContainerInstancesStateRequest request);
    /// Transient failures are tried again for up to 30 s (3.10).
    asio::awaitable<net::ServiceResult<std::vector<model::Tag>>> list_tags_for_resource(std::string resource_arn);
    asio::awaitable<net::ServiceResult<void>> submit_task_state_change(model::SubmitTaskStateChangeRequest request);
    asio::awaitable<net::ServiceResult<void>> submit_attachment_state_changes(
        model::SubmitAttachmentStateChangesRequest request);

  private:
    asio::awaitable<net::ServiceResult<std::vector<model::Tag>>> list_tags_once(std::string body);

    Clock& clock_;
    net::AwsClient standard_;
    net::AwsClient submit_;
};

/// Worth another try of a whole operation, above the SDK's retries: throttling, ServerException, LimitExceeded, or the
/// retry quota used up (3.4).
[[nodiscard]] bool is_transient(const net::ServiceError& error);

}  // namespace nodeagent::ecs
