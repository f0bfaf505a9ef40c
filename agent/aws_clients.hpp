#pragma once
// The clients of AWS services: HTTP on threads of their own by who asks, the agent's credentials, the metadata service,
// ECS and ECR.

#include <memory>
#include <string>

#include "agent/base/blocking_pool.hpp"
#include "agent/config/config.hpp"
#include "agent/config/environment.hpp"
#include "agent/credentials/imds.hpp"
#include "agent/ecs/api_client.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/engine/spec/ecr_client.hpp"
#include "agent/engine/spec/ecr_tokens.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "agent/net/curl_http_client.hpp"

namespace nodeagent {

struct AwsClients {
    /// All outlive it. `disk` reads credential files.
    AwsClients(const config::Environment& environment, const config::Config& config, const credentials::Registry& roles,
               BlockingPool& disk, Clock& clock);
    /// For another service of the region, with the agent's credentials.
    [[nodiscard]] net::AwsTransport transport();

  private:
    Clock& clock_;
    std::string user_agent_;
    BlockingPool agent_pool_{16};
    BlockingPool container_pool_{2};  ///< what containers make us ask must not starve what we report
    BlockingPool fetch_pool_{6};      ///< nor what tasks have fetched: secrets, environment files

  public:
    net::CurlHttpClient http;            ///< the agent's own requests
    net::CurlHttpClient container_http;  ///< those that containers cause
    net::CurlHttpClient fetch_http;      ///< those that tasks cause
    credentials::Imds imds;
    std::unique_ptr<credentials::Provider> provider;  ///< the agent's own credentials
    net::AwsService ecs;
    ecs::ApiClient api;
    engine::EcrClient ecr;
    engine::EcrTokens ecr_tokens;
    std::unique_ptr<engine::RegistryAuthSource> registry_auth;
    engine::ServiceAccess services;  ///< for tasks
    net::AwsService cloudwatch;
};

}  // namespace nodeagent
