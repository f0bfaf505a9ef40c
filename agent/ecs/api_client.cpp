#include "agent/ecs/api_client.hpp"

#include <optional>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::ecs {

namespace {

using net::ServiceError;
using net::ServiceResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

net::AwsService service_of(const ApiClient::Options& options) {
    return {.endpoint = options.endpoint,
            .signing_name = "ecs",
            .region = options.region,
            .target_prefix = "AmazonEC2ContainerServiceV20141113",
            .user_agent = options.user_agent};
}

// An answer we cannot read is no error of the service, but the caller cannot go on either.
template <class Response>
ServiceResult<Response> decoded(const ServiceResult<std::string>& body, std::string_view operation) {
    if (!body) return body.error();
    auto response = decode<Response>(*body);
    if (response) return std::move(*response);
    ServiceError error;
    error.status = 200;
    error.kind = ErrorKind::Malformed;
    error.message = "the answer to " + std::string(operation) + " is not understood: " + response.error().what;
    return error;
}

ServiceResult<void> without_body(const ServiceResult<std::string>& body) {
    if (!body) return body.error();
    return {};
}

}  // namespace

ApiClient::ApiClient(net::AwsTransport transport, Options options)
    : clock_(transport.clock),
      standard_(transport, service_of(options), net::standard_retries()),
      submit_(transport, service_of(options), net::submit_retries()) {}

asio::awaitable<ServiceResult<model::ContainerInstance>> ApiClient::register_container_instance(
    model::RegisterContainerInstanceRequest request) {
    const auto body = co_await standard_.call_json("RegisterContainerInstance", encode(request));
    auto response = decoded<model::RegisterContainerInstanceResponse>(body, "RegisterContainerInstance");
    if (!response) co_return std::move(response).error();
    co_return std::move(response->container_instance);
}

asio::awaitable<ServiceResult<model::PollEndpoints>> ApiClient::discover_poll_endpoint(
    model::DiscoverPollEndpointRequest request, SteadyTime deadline) {
    const auto body = co_await standard_.call_json("DiscoverPollEndpoint", encode(request), deadline);
    co_return decoded<model::PollEndpoints>(body, "DiscoverPollEndpoint");
}

asio::awaitable<ServiceResult<void>> ApiClient::create_cluster(std::string name) {
    model::CreateClusterRequest request;
    request.cluster_name = std::move(name);
    const auto body = co_await standard_.call_json("CreateCluster", encode(request));
    co_return without_body(body);
}

asio::awaitable<ServiceResult<void>> ApiClient::update_container_instances_state(
    model::UpdateContainerInstancesStateRequest request) {
    const auto body = co_await standard_.call_json("UpdateContainerInstancesState", encode(request));
    co_return without_body(body);
}

asio::awaitable<ServiceResult<std::vector<model::Tag>>> ApiClient::list_tags_once(std::string body) {
    const auto answer = co_await standard_.call_json("ListTagsForResource", std::move(body));
    auto response = decoded<model::ListTagsForResourceResponse>(answer, "ListTagsForResource");
    if (!response) co_return std::move(response).error();
    co_return std::move(response->tags);
}

asio::awaitable<ServiceResult<std::vector<model::Tag>>> ApiClient::list_tags_for_resource(std::string resource_arn) {
    constexpr BackoffPolicy kPolicy{.min = milliseconds(500), .max = seconds(10), .jitter = 0.1, .multiplier = 1.5};
    model::ListTagsForResourceRequest request;
    request.resource_arn = std::move(resource_arn);
    const SteadyTime give_up = clock_.now().steady + seconds(30);
    Backoff backoff(kPolicy);
    for (;;) {
        auto tags = co_await list_tags_once(encode(request));
        if (tags || !is_transient(tags.error())) co_return tags;
        const auto delay = backoff.next();
        if (clock_.now().steady + delay >= give_up) co_return tags;
        co_await clock_.sleep_for(delay);
    }
}

asio::awaitable<ServiceResult<void>> ApiClient::submit_task_state_change(model::SubmitTaskStateChangeRequest request) {
    const auto body = co_await submit_.call_json("SubmitTaskStateChange", encode(request));
    co_return without_body(body);
}

asio::awaitable<ServiceResult<void>> ApiClient::submit_attachment_state_changes(
    model::SubmitAttachmentStateChangesRequest request) {
    const auto body = co_await submit_.call_json("SubmitAttachmentStateChanges", encode(request));
    co_return without_body(body);
}

bool is_transient(const ServiceError& error) {
    return error.quota_exhausted || error.is("ThrottlingException") || error.is("ServerException") ||
           error.is("LimitExceededException");
}

}  // namespace nodeagent::ecs
