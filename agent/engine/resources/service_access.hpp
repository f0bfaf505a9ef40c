#pragma once
// How the engine calls AWS services in the name of a task's execution role: SSM, Secrets Manager, S3.

#include <string>
#include <string_view>

#include "agent/base/clock.hpp"
#include "agent/config/environment.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/net/aws_client.hpp"
#include "agent/net/aws_endpoint.hpp"

namespace nodeagent::engine {

namespace asio = boost::asio;

/// Everything referred to outlives the calls.
struct ServiceAccess {
    net::HttpClient& http;
    Clock& clock;
    config::Environment environment;  ///< AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, FIPS and dual-stack
    bool ipv6_only = false;           ///< the host has no IPv4: dual-stack endpoints
    std::string user_agent;

    [[nodiscard]] net::EndpointOptions endpoint(std::string_view service) const;
};

/// What a service is called in its various places.
struct ServiceName {
    std::string_view sdk;            ///< "Secrets Manager", in error texts
    std::string_view variable;       ///< "secrets_manager", of AWS_ENDPOINT_URL_<SERVICE>
    std::string_view host;           ///< "secretsmanager", in its host name and in signatures
    std::string_view target_prefix;  ///< of X-Amz-Target
};

/// Time limit of one call with all its attempts; an attempt has 5 s, as in the reference.
inline constexpr std::chrono::seconds kCallLimit{60};

/// One JSON 1.1 call, signed with `signer`, tried three times.
asio::awaitable<net::ServiceResult<std::string>> call_service(const ServiceAccess& access, ServiceName name,
                                                              std::string region, credentials::AwsCredentials signer,
                                                              std::string operation, std::string body);

/// A failure in the words of AWS SDKs, which users search for:
/// "operation error SSM: GetParameters, https response error StatusCode: 400, RequestID: id, api error Code: message".
/// `modelled`: the operation declares the error; then "api error " is left out.
[[nodiscard]] std::string sdk_failure(std::string_view service, std::string_view operation,
                                      const net::ServiceError& error, bool modelled);

}  // namespace nodeagent::engine
