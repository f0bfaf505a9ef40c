#include "agent/aws_clients.hpp"

#include <unistd.h>

#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/version.hpp"
#include "agent/client_options.hpp"
#include "agent/config/container_paths.hpp"
#include "agent/credentials/chain.hpp"
#include "agent/engine/spec/engine_auth.hpp"
#include "agent/net/aws_endpoint.hpp"

namespace nodeagent {

namespace {

credentials::ChainOptions chain_options(const config::Environment& environment, const config::Config& config) {
    credentials::ChainOptions options;
    options.environment = environment;
    options.external = config.external.enabled();
    options.alternate_profile = config.alternate_credential_profile;
    const config::ContainerPaths paths([](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; },
                                       !config.host_data_dir.empty());
    if (auto on_host = paths.on_host(options.rotating_file)) options.rotating_file = *std::move(on_host);
    for (const char* name : {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"}) {
        const auto setting = options.environment.find(name);
        if (setting == options.environment.end()) continue;
        if (auto on_host = paths.on_host(setting->second)) setting->second = *std::move(on_host);
    }
    return options;
}

std::string ecs_url(const config::Environment& environment, const config::Config& config) {
    auto endpoint = net::endpoint_options_from(environment, "ecs");
    endpoint.explicit_url = config.api_endpoint;
    endpoint.dualstack = endpoint.dualstack || config.ipv6_only;
    return net::resolve_endpoint("ecs", config.region, endpoint);
}

engine::EngineAuth engine_auth(const config::Config& config) {
    auto parsed = engine::EngineAuth::parse(config.engine_auth_type, config.engine_auth_data);
    if (parsed) return *std::move(parsed);
    // as in the reference: images of other registries must still run
    log::error("ECS_ENGINE_AUTH_DATA cannot be used; images are pulled without it", {{"error", parsed.error().what}});
    return {};
}

}  // namespace

AwsClients::AwsClients(const config::Environment& environment, const config::Config& config,
                       const credentials::Registry& roles, BlockingPool& disk, Clock& clock)
    : clock_(clock),
      user_agent_(agent_user_agent(config.detailed_os_family)),
      http(agent_pool_, curl_options(environment, config.insecure_tls, config.docker_host)),
      container_http(container_pool_, curl_options(environment, config.insecure_tls, config.docker_host)),
      fetch_http(fetch_pool_, curl_options(environment, config.insecure_tls, config.docker_host)),
      imds(http, clock, credentials::imds_options(environment, config.blackhole_imds)),
      provider(credentials::make_provider(chain_options(environment, config), http, imds, disk, clock)),
      ecs{.endpoint = ecs_url(environment, config),
          .signing_name = "ecs",
          .region = config.region,
          .target_prefix = "AmazonEC2ContainerServiceV20141113",
          .user_agent = user_agent_},
      api(transport(), {.endpoint = ecs.endpoint, .region = ecs.region, .user_agent = user_agent_}),
      ecr(http, clock, net::endpoint_options_from(environment, "ecr"), user_agent_),
      ecr_tokens(ecr, *provider, roles, clock),
      registry_auth(engine::make_registry_auth_source(engine_auth(config), &ecr_tokens)),
      services{.http = fetch_http,
               .clock = clock,
               .environment = environment,
               .ipv6_only = config.ipv6_only,
               .user_agent = user_agent_},
      cloudwatch{.endpoint = net::resolve_endpoint("monitoring", config.region, services.endpoint("cloudwatch")),
                 .signing_name = "monitoring",
                 .region = config.region,
                 .target_prefix = {},
                 .user_agent = user_agent_,
                 .attempt_timeout = std::chrono::seconds(10)} {}

net::AwsTransport AwsClients::transport() { return {.http = http, .credentials = *provider, .clock = clock_}; }

}  // namespace nodeagent
