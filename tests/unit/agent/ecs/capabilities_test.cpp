#include "agent/ecs/capabilities.hpp"

#include <set>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::ecs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;

std::vector<std::string> names(const std::vector<model::Attribute>& attributes) {
    std::vector<std::string> out;
    for (const model::Attribute& attribute : attributes) out.push_back(attribute.name);
    return out;
}

std::vector<std::string> all_api_versions() {
    std::vector<std::string> versions;
    for (int minor = 17; minor <= 41; ++minor) versions.push_back("1." + std::to_string(minor));
    return versions;
}

// The environment of the traces (traces/README.md).
config::Config traced_config() {
    config::Config config;
    config.cluster = "judge";
    config.task_iam_role.set = true;
    config.task_iam_role_network_host = true;
    config.available_logging_drivers = {"json-file", "none", "syslog"};
    return config;
}

TEST(Capabilities, AreTheReferencesWithoutWhatThisBuildCannotDo) {
    const auto text = read_file(std::string(NODEAGENT_TEST_DATA) + "/register_bodies.json");
    const Json recorded = Json::parse(*text).at("first").at("attributes");
    std::set<std::string> expected;
    for (const Json& attribute : recorded) {
        const std::string name = attribute.at("name");
        if (name.find("capability") != std::string::npos) expected.insert(name);
    }
    const std::set<std::string> absent{
        "com.amazonaws.ecs.capability.logging-driver.awsfirelens",
        "ecs.capability.aws-appmesh",
        "ecs.capability.efs",
        "ecs.capability.firelens.fluentbit",
        "ecs.capability.firelens.fluentd",
        "ecs.capability.firelens.non-root-user",
        "ecs.capability.firelens.options.config.file",
        "ecs.capability.firelens.options.config.s3",
        "ecs.capability.logging-driver.awsfirelens.log-driver-buffer-limit",
        "ecs.capability.storage.ebsta-non-root-user",
        "ecs.capability.storage.s3-files",
    };
    for (const std::string& name : absent) EXPECT_EQ(expected.erase(name), 1U) << name;

    const config::Config config = traced_config();
    const auto ours = names(capabilities({.config = config,
                                          .api_versions = all_api_versions(),
                                          .volume_plugins = {},
                                          .task_limits = true,
                                          .optimized_cpu = true,
                                          .gpu_driver_version = {}}));
    EXPECT_EQ(std::set<std::string>(ours.begin(), ours.end()), expected);
    EXPECT_EQ(ours.size(), expected.size()) << "none twice";
}

TEST(Capabilities, FollowTheDockerApi) {
    const config::Config config = traced_config();
    const auto ours = names(capabilities({.config = config,
                                          .api_versions = {"1.17", "1.18"},
                                          .volume_plugins = {},
                                          .task_limits = true,
                                          .optimized_cpu = false,
                                          .gpu_driver_version = {}}));
    EXPECT_THAT(ours, IsSupersetOf({"com.amazonaws.ecs.capability.docker-remote-api.1.18",
                                    "com.amazonaws.ecs.capability.logging-driver.json-file",
                                    "ecs.capability.increased-task-cpu-limit"}));
    for (const char* later :
         {"com.amazonaws.ecs.capability.docker-remote-api.1.19", "com.amazonaws.ecs.capability.logging-driver.none",
          "com.amazonaws.ecs.capability.task-iam-role", "com.amazonaws.ecs.capability.ecr-auth",
          "ecs.capability.task-cpu-mem-limit", "ecs.capability.container-health-check"}) {
        EXPECT_THAT(ours, Not(Contains(std::string(later))));
    }
}

TEST(Capabilities, FollowTheSettings) {
    config::Config config = traced_config();
    config.privileged_disabled.set = true;
    config.selinux_capable.set = true;
    config.apparmor_capable.set = true;
    config.task_iam_role_network_host = false;
    config.disable_docker_health_check.set = true;
    config.available_logging_drivers = {"json-file", "awslogs", "fluentd", "none"};
    config.external.set = true;
    const auto ours = names(capabilities({.config = config,
                                          .api_versions = all_api_versions(),
                                          .volume_plugins = {"rexray/ebs", "vieux/sshfs:1.2"},
                                          .task_limits = false,
                                          .optimized_cpu = true,
                                          .gpu_driver_version = {}}));
    EXPECT_THAT(ours, IsSupersetOf({"com.amazonaws.ecs.capability.selinux", "com.amazonaws.ecs.capability.apparmor",
                                    "com.amazonaws.ecs.capability.logging-driver.awslogs",
                                    "com.amazonaws.ecs.capability.logging-driver.fluentd",
                                    "ecs.capability.docker-plugin.local", "ecs.capability.docker-plugin.rexray/ebs",
                                    "ecs.capability.docker-plugin.vieux/sshfs.1.2", "ecs.capability.external"}));
    for (const char* off :
         {"com.amazonaws.ecs.capability.privileged-container",
          "com.amazonaws.ecs.capability.task-iam-role-network-host", "ecs.capability.container-health-check",
          "ecs.capability.task-cpu-mem-limit", "ecs.capability.increased-task-cpu-limit", "ecs.capability.task-eia",
          "ecs.capability.task-eia.optimized-cpu"}) {
        EXPECT_THAT(ours, Not(Contains(std::string(off))));
    }
}

TEST(Capabilities, OfferSharedNamespacesOnlyWithAPauseImage) {
    const config::Config config = traced_config();
    CapabilityInputs inputs{.config = config,
                            .api_versions = all_api_versions(),
                            .volume_plugins = {},
                            .task_limits = true,
                            .optimized_cpu = false,
                            .gpu_driver_version = {}};
    const std::string sharing = "ecs.capability.pid-ipc-namespace-sharing";
    EXPECT_THAT(names(capabilities(inputs)), Not(Contains(sharing)));
    inputs.pause_image = true;
    EXPECT_THAT(names(capabilities(inputs)), Contains(sharing));
}

TEST(Capabilities, NameTheGpuDriverOnlyWithGpuSupport) {
    config::Config config = traced_config();
    const CapabilityInputs inputs{.config = config,
                                  .api_versions = all_api_versions(),
                                  .volume_plugins = {},
                                  .task_limits = true,
                                  .optimized_cpu = false,
                                  .gpu_driver_version = "550.1"};
    const model::Attribute version{.name = "ecs.capability.gpu-driver-version", .value = "550.1"};
    EXPECT_THAT(capabilities(inputs), Not(Contains(version)));
    config.gpu_support = true;
    EXPECT_THAT(capabilities(inputs), Contains(version));
    EXPECT_THAT(names(capabilities(inputs)), Contains(std::string("ecs.capability.nvidia-driver-version.550.1")));
}

}  // namespace
}  // namespace nodeagent::ecs
