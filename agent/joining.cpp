#include "agent/joining.hpp"

#include <memory>
#include <utility>

#include "agent/aws_clients.hpp"
#include "agent/base/log.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/ecs/capabilities.hpp"
#include "agent/ecs/instance_tags.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/host.hpp"
#include "agent/net/aws_endpoint.hpp"

namespace nodeagent {

namespace {

/// Tasks may share namespaces when the image of pause containers is there, or can be made.
asio::awaitable<bool> has_pause_image(runtime::Backend& backend, std::vector<std::string> programs) {
    const auto program = engine::find_pause_program(programs);
    if (program) co_return true;
    const auto image = co_await backend.inspect_image(std::string(core::kPauseImage));
    if (!image) {
        log::warn("tasks with pidMode or ipcMode `task` cannot run here: there is no pause image and none can be made",
                  {{"image", std::string(core::kPauseImage)}, {"cause", program.error().what}});
    }
    co_return image.has_value();
}

net::AwsService ec2_service(const JoinParts& parts) {
    const std::string& region = parts.config.region;
    return {.endpoint = net::resolve_endpoint("ec2", region, net::endpoint_options_from(parts.environment, "ec2")),
            .signing_name = "ec2",
            .region = region,
            .target_prefix = {},
            .user_agent = parts.aws.ecs.user_agent};
}

}  // namespace

asio::awaitable<OrEnding<ecs::Registered>> join_cluster(JoinParts parts) {
    const config::Config& config = parts.config;
    AwsClients& aws = parts.aws;
    ecs::RegistrationSources sources;
    const bool imds_off = !credentials::imds_options(parts.environment, config.blackhole_imds).refusal.empty();
    if (!config.no_instance_identity && !imds_off) {
        sources.identity_document = [&aws] { return aws.imds.identity_document(); };
        sources.identity_signature = [&aws] { return aws.imds.identity_signature(); };
    }
    std::unique_ptr<net::AwsClient> ec2;
    if (config.propagate_tags_from == config::PropagateTags::Ec2Instance) {
        ec2 = std::make_unique<net::AwsClient>(aws.transport(), ec2_service(parts), net::standard_retries(5));
        sources.instance_tags = [&client = *ec2, id = parts.ec2_instance_id] {
            return ecs::describe_instance_tags(client, id);
        };
    }
    const bool pause_image = co_await has_pause_image(parts.backend, parts.pause_programs);
    const auto& gpus = parts.host.gpus;
    ecs::CapabilityInputs offered{.config = config,
                                  .api_versions = parts.capabilities.api_versions,
                                  .volume_plugins = parts.capabilities.volume_plugins,
                                  .log_drivers = parts.capabilities.log_drivers,
                                  .task_limits = parts.task_limits,
                                  .optimized_cpu = parts.host.facts.optimized_cpu,
                                  .gpu_driver_version = gpus ? gpus->driver_version : std::string(),
                                  .pause_image = pause_image};
    ecs::RegistrationInputs inputs{.config = config,
                                   .host = parts.host.facts,
                                   .capabilities = ecs::capabilities(offered),
                                   .restored_arn = parts.restored_arn,
                                   .gpu_ids = gpus ? std::optional(gpus->ids) : std::nullopt,
                                   .outpost_arn = {}};
    ecs::Registration registration(aws.api, *aws.provider, parts.clock, std::move(sources));
    auto outcome = co_await registration.run(std::move(inputs));
    if (!outcome) {
        const auto failure = outcome.error();
        co_return Ending{failure.exit_code,
                         with_context("register this machine as a container instance", failure.error).what};
    }
    log::info("registered", {{"containerInstance", outcome->container_instance_arn},
                             {"cluster", outcome->cluster},
                             {"again", !parts.restored_arn.empty()}});
    co_return *std::move(outcome);
}

}  // namespace nodeagent
