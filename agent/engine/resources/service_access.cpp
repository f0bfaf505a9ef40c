#include "agent/engine/resources/service_access.hpp"

#include <utility>

#include "agent/credentials/fixed_provider.hpp"

namespace nodeagent::engine {

namespace {
constexpr std::chrono::milliseconds kAttemptLimit{5'000};
}

net::EndpointOptions ServiceAccess::endpoint(std::string_view service) const {
    net::EndpointOptions options = net::endpoint_options_from(environment, service);
    options.dualstack = options.dualstack || ipv6_only;
    return options;
}

asio::awaitable<net::ServiceResult<std::string>> call_service(const ServiceAccess& access, ServiceName name,
                                                              std::string region, credentials::AwsCredentials signer,
                                                              std::string operation, std::string body) {
    net::AwsService service;
    service.endpoint = net::resolve_endpoint(name.host, region, access.endpoint(name.variable));
    service.signing_name = name.host;
    service.region = std::move(region);
    service.target_prefix = name.target_prefix;
    service.user_agent = access.user_agent;
    service.attempt_timeout = kAttemptLimit;
    credentials::FixedProvider provider(std::move(signer));
    const net::AwsTransport transport{.http = access.http, .credentials = provider, .clock = access.clock};
    net::AwsClient client(transport, std::move(service), net::standard_retries());
    const SteadyTime deadline = access.clock.now().steady + kCallLimit;
    net::ServiceResult<std::string> answer = co_await client.call_json(std::move(operation), std::move(body), deadline);
    co_return answer;
}

std::string sdk_failure(std::string_view service, std::string_view operation, const net::ServiceError& error,
                        bool modelled) {
    std::string text = "operation error " + std::string(service) + ": " + std::string(operation) + ", ";
    if (!error.answered()) return text + error.message;
    text +=
        "https response error StatusCode: " + std::to_string(error.status) + ", RequestID: " + error.request_id + ", ";
    if (!modelled) text += "api error ";
    return text + (error.code.empty() ? "UnknownError" : error.code) + ": " + error.message;
}

}  // namespace nodeagent::engine
