#include "agent/core/from_payload.hpp"

#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string rejection(model::Task payload, bool handled, AcceptanceRules rules = {.task_limits = false}) {
    const auto result = accepted(std::move(payload), rules);
    EXPECT_FALSE(result.has_value());
    if (result) return {};
    EXPECT_EQ(result.error().handled, handled) << result.error().reason;
    return result.error().reason;
}
std::string rejection(const model::Container& c, bool handled) { return rejection(payload_of({c}), handled); }

TEST(FromPayload, TakesUpATaskAndNeverKeepsRoleCredentials) {
    model::Task payload = payload_of({container("app"), sidecar("log")});
    payload.role_credentials = model::RoleCredentials{};
    payload.role_credentials->credentials_id = "c-1";
    payload.role_credentials->secret_access_key = Secret("very secret");
    const TaskState task = *accepted(payload, {.task_limits = true, .arrival = 7});
    EXPECT_EQ(task.credentials_id, "c-1");
    EXPECT_FALSE(task.definition->role_credentials);
    EXPECT_EQ(task.definition->network_mode, "bridge");
    EXPECT_EQ(task.desired, TaskStatus::Running);
    EXPECT_EQ(task.arrival, 7U);
    EXPECT_EQ(task.find("app")->docker_name, "ecs-fam-app");
    EXPECT_NE(task.find("app")->endpoint_id, task.find("log")->endpoint_id);
    EXPECT_FALSE(task.find("log")->essential);
    ASSERT_EQ(task.resources.size(), 1U);
    EXPECT_EQ(task.resources[0].kind, ResourceState::Kind::Cgroup);
}

TEST(FromPayload, AnOverriddenCommandReplacesTheCommand) {
    for (const nlohmann::json& overrides :
         {nlohmann::json{{"command", {"a", "b"}}}, nlohmann::json(R"({"Command":["a","b"]})")}) {
        model::Container c = container("app");
        c.command = std::vector<std::string>{"old"};
        c.overrides = overrides;
        EXPECT_THAT(*task_of({c}).containers[0].definition->command, ElementsAre("a", "b"));
    }
    model::Container none = container("app");
    none.command = std::vector<std::string>{"old"};
    none.overrides = "{}";
    EXPECT_THAT(*task_of({none}).containers[0].definition->command, ElementsAre("old"));
}

TEST(FromPayload, WhatCannotBeUnderstoodSuppressesTheAck) {
    model::Container c = container("app");
    c.overrides = R"({"cpu":3})";
    EXPECT_THAT(rejection(c, false), HasSubstr("containers[0].overrides: unknown member \"cpu\""));
    c = container("app");
    c.overrides = "not json";
    EXPECT_THAT(rejection(c, false), HasSubstr("UnrecogniedTaskError: Error loading task - containers[0].overrides"));
    c = container("app");
    c.memory = -1;
    EXPECT_THAT(rejection(c, false), HasSubstr("containers[0].memory: -1 is out of range"));
    c = container("app");
    c.port_mappings.push_back({.container_port = 70000, .host_port = 0, .protocol = {}, .container_port_range = {}});
    EXPECT_THAT(rejection(c, false), HasSubstr("containers[0].portMappings[0].containerPort: 70000"));
    c.port_mappings[0] = {.container_port = 80, .host_port = 0, .protocol = "sctp", .container_port_range = {}};
    EXPECT_THAT(rejection(c, false), HasSubstr("TransportProtocol must be \"tcp\" or \"udp\"; Got \"sctp\""));

    model::Task payload = payload_of({container("app")});
    payload.desired_status = "SLEEPING";
    EXPECT_THAT(rejection(payload, false), HasSubstr("Error loading task - Unrecognized TaskStatus \"SLEEPING\""));
    payload = payload_of({container("app")});
    payload.volumes.push_back({.name = "v", .type = "ebs", .host = {}, .docker = {}, .efs = {}});
    EXPECT_THAT(rejection(payload, false), HasSubstr("unrecognized volume type: \"ebs\""));
    payload.volumes[0] = {.name = "v", .type = "", .host = {}, .docker = {}, .efs = {}};
    EXPECT_THAT(rejection(payload, false), HasSubstr("invalid volume: empty volume configuration"));
    payload = payload_of({container("app")});
    payload.role_credentials = model::RoleCredentials{};
    EXPECT_THAT(rejection(payload, false), HasSubstr("roleCredentials.credentialsId"));
    EXPECT_THAT(rejection(payload_of({container("app"), container("app")}), false), HasSubstr("containers[1].name"));
}

TEST(FromPayload, WhatCannotRunIsUnderstoodAndRefusedWithTheReason) {
    const std::string prefix = "resource cannot be initialized for task " + kArn + ": ";
    model::Task payload = payload_of({container("app")});
    payload.memory = 32;
    EXPECT_EQ(rejection(payload, true, {.task_limits = true}),
              prefix + "task memory spec builder: container memory limit(64) greater than task memory limit(32)");
    EXPECT_TRUE(accepted(payload, {.task_limits = false}).has_value());
    model::Container c = container("app");
    c.links = {"nobody"};
    EXPECT_EQ(rejection(c, true), prefix + "could not find container for link nobody");
    c = container("app");
    c.volumes_from.push_back({"nobody", false});
    EXPECT_EQ(rejection(c, true), prefix + "could not find volume source container with name nobody");
    c = container("app");
    c.links = {"a:b:c"};
    EXPECT_EQ(rejection(c, true), prefix + "invalid link format");
    payload = payload_of({container("app")});
    payload.volumes.push_back({.name = "v",
                               .type = "docker",
                               .host = {},
                               .docker = model::DockerVolume{"task", true, "local", {}, {}},
                               .efs = {}});
    EXPECT_EQ(rejection(payload, true), prefix + "volume [v] : task scoped volume could not be autoprovisioned");
    EXPECT_EQ(rejection(with_dependency(container("app"), "app", "START"), true),
              "Task dependencies cannot be resolved, taskArn: " + kArn);
    EXPECT_EQ(rejection(payload_of({}), true), prefix + "the task has no containers");
}

TEST(FromPayload, AGpuBelongsToExactlyOneContainerWhereGpusAreSupported) {
    const std::string prefix = "resource cannot be initialized for task " + kArn + ": ";
    model::Task payload = payload_of({container("app"), container("web")});
    payload.associations = {{.containers = {"app", "web"}, .content = {}, .name = "gpu-1", .type = "gpu"}};
    EXPECT_TRUE(accepted(payload));
    EXPECT_EQ(rejection(payload, true, {.gpu_support = true}),
              prefix + "could not associate multiple containers to GPU gpu-1");
    payload.associations[0].containers = {"nobody"};
    EXPECT_EQ(rejection(payload, true, {.gpu_support = true}),
              prefix + "could not find container with name nobody for associating GPU gpu-1");
    payload.associations[0].containers = {"web"};
    EXPECT_TRUE(accepted(payload, {.gpu_support = true}));
}

TEST(FromPayload, RefusesByNameWhatThisAgentLacks) {
    model::Task payload = payload_of({container("app")});
    payload.network_mode = "awsvpc";
    EXPECT_THAT(rejection(payload, true), HasSubstr("awsvpc"));
    payload = payload_of({container("app")});
    payload.attachments.push_back({"arn", "serviceconnectdetail", {}});
    EXPECT_THAT(rejection(payload, true), HasSubstr("Service Connect"));
    payload = payload_of({container("app")});
    payload.volumes.push_back({.name = "v", .type = "efs", .host = {}, .docker = {}, .efs = {}});
    EXPECT_THAT(rejection(payload, true), HasSubstr("Amazon EFS"));

    model::Container c = container("app");
    c.docker_config = model::DockerConfig{"{}", R"({"LogConfig":{"Type":"awsfirelens"}})", "1.21"};
    EXPECT_THAT(rejection(c, true), HasSubstr("FireLens"));
    c = container("app");
    c.managed_agents.push_back({"ExecuteCommandAgent", {}});
    EXPECT_THAT(rejection(c, true), HasSubstr("ECS Exec"));
    c = container("app");
    c.credential_specs = {"spec"};
    EXPECT_THAT(rejection(c, true), HasSubstr("gMSA"));
}

TEST(FromPayload, MakesAResourceOfEveryVolumeTheAgentHasToCreate) {
    model::Container app = container("app");
    app.mount_points = {{"empty", "/e", false}, {"path", "/p", false}};
    model::Task payload = payload_of({app});
    const auto volume = [&](std::string name, std::string type, std::optional<model::HostVolume> host,
                            std::optional<model::DockerVolume> docker) {
        payload.volumes.push_back({std::move(name), std::move(type), std::move(host), std::move(docker), {}});
    };
    volume("empty", "", model::HostVolume{""}, {});
    volume("unused", "host", model::HostVolume{""}, {});
    volume("path", "host", model::HostVolume{"/srv"}, {});
    volume("mine", "docker", {}, model::DockerVolume{"task", false, "local", {}, {}});
    volume("ours", "docker", {}, model::DockerVolume{"shared", true, "local", {}, {}});
    const TaskState task = *accepted(payload);
    ASSERT_EQ(task.resources.size(), 3U);
    EXPECT_EQ(task.resources[0].docker_name, "ecs-fam-empty");
    EXPECT_EQ(task.resources[1].docker_name, "ecs-fam-mine");
    EXPECT_EQ(task.resources[2].docker_name, "ours");
    EXPECT_TRUE(task.resources[2].shared);
}

}  // namespace
}  // namespace nodeagent::core::testing
