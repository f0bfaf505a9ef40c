#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "agent/base/json.hpp"
#include "agent/engine/spec/container_spec.hpp"
#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

SpecContext context() {
    SpecContext made;
    made.cluster = "c";
    made.region = "us-west-2";
    made.cgroup_parent = "/ecs/0123456789abcdef0123456789abcdef";
    return made;
}

model::DockerConfig docker_config(std::string host_config, std::string config = "{}") {
    model::DockerConfig made;
    made.config = std::move(config);
    made.host_config = std::move(host_config);
    made.version = "1.18";
    return made;
}

runtime::ContainerSpec spec_of(const core::TaskState& task, const SpecContext& with = context()) {
    const auto spec = container_spec(task, task.containers.back(), with);
    EXPECT_TRUE(spec) << (spec ? "" : spec.error().message);
    return spec ? *spec : runtime::ContainerSpec{};
}
SpecError error_of(const core::TaskState& task, const SpecContext& with = context()) {
    const auto spec = container_spec(task, task.containers.back(), with);
    EXPECT_FALSE(spec);
    return spec ? SpecError{} : spec.error();
}
std::vector<std::string> environment(const core::TaskState& task, const SpecContext& with = context()) {
    return spec_of(task, with).config["Env"].get<std::vector<std::string>>();
}

TEST(ContainerSpec, IsTheCreateRequestOfThePublishedExample) {
    model::Container web;
    web.cpu = 256;
    web.memory = 128;
    web.environment = {{"A", "b"}};
    web.logs_auth_strategy = "ExecutionRole";
    web.port_mappings = {{.container_port = 80, .host_port = 49153, .protocol = "tcp", .container_port_range = {}}};
    web.mount_points = {{.source_volume = "data", .container_path = "/data", .read_only = true}};
    web.docker_config = docker_config(
        R"({"NetworkMode":"bridge","CapAdd":[],"CapDrop":[],"LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"g","awslogs-region":"us-west-2","mode":"non-blocking"}}})");
    core::TaskState task = one_container_task(web);
    model::Task definition = *task.definition;
    definition.volumes = {
        {.name = "data", .type = "host", .host = model::HostVolume{"/srv/data"}, .docker = {}, .efs = {}}};
    task = prepared(definition);
    task.credentials_id = "CID";
    task.execution_credentials_id = "EXECID";
    SpecContext with = context();
    with.cgroup_parent = "ecstasks-0123456789abcdef0123456789abcdef.slice";

    const runtime::ContainerSpec spec = spec_of(task, with);

    EXPECT_EQ(spec.name, "ecs-fam-7-web-<rand>");
    EXPECT_EQ(spec.api_version, "1.18");
    EXPECT_EQ(spec.config,
              Json::parse(R"({"Image":"nginx:1.27","Cmd":null,"Entrypoint":null,"ExposedPorts":{"80/tcp":{}},
        "Env":["A=b","AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/CID","AWS_DEFAULT_REGION=us-west-2",
               "AWS_REGION=us-west-2","ECS_AGENT_URI=http://169.254.170.2/api/<uuid>",
               "ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/<uuid>",
               "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/<uuid>"],
        "Labels":{"com.amazonaws.ecs.task-arn":"arn:aws:ecs:us-west-2:111122223333:task/c/0123456789abcdef0123456789abcdef",
          "com.amazonaws.ecs.container-name":"web","com.amazonaws.ecs.task-definition-family":"fam",
          "com.amazonaws.ecs.task-definition-version":"7","com.amazonaws.ecs.cluster":"c"}})"));
    EXPECT_EQ(spec.host_config,
              Json::parse(R"({"NetworkMode":"bridge","PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"49153"}]},
        "Memory":134217728,"CpuShares":256,"CgroupParent":"ecstasks-0123456789abcdef0123456789abcdef.slice",
        "CapAdd":[],"CapDrop":[],"Binds":["/srv/data:/data:ro"],"Links":[],"VolumesFrom":[],
        "LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"g","awslogs-region":"us-west-2","mode":"non-blocking",
          "max-buffer-size":"10m","awslogs-credentials-endpoint":"/v2/credentials/EXECID"}}})"));
}

TEST(ContainerSpec, LetsInjectedVariablesWinOverThoseOfTheTaskDefinition) {
    model::Container web;
    web.environment = {{"ECS_AGENT_URI", "mine"}, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "mine"}};
    core::TaskState task = one_container_task(web);
    task.credentials_id = "CID";
    EXPECT_THAT(environment(task), Contains("ECS_AGENT_URI=http://169.254.170.2/api/<uuid>"));
    EXPECT_THAT(environment(task), Contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/CID"));
}

TEST(ContainerSpec, LeavesTheRegionToATaskDefinitionOrImageThatSetsOne) {
    model::Container web;
    web.environment = {{"AWS_REGION", "eu-west-1"}};
    EXPECT_THAT(environment(one_container_task(web)), Not(Contains(StartsWith("AWS_DEFAULT_REGION="))));
    SpecContext with = context();
    with.image_env = {"PATH=/bin", "AWS_DEFAULT_REGION=ap-south-1"};
    EXPECT_THAT(environment(one_container_task({}), with), Not(Contains(StartsWith("AWS_REGION="))));
    with.image_env = {"AWS_REGIONAL=1"};
    EXPECT_THAT(environment(one_container_task({}), with), Contains("AWS_REGION=us-west-2"));
}

TEST(ContainerSpec, TakesTheCommandOfOverridesGivenAsObjectOrText) {
    model::Container web;
    web.command = std::vector<std::string>{"original"};
    web.overrides = Json::parse(R"({"command":["echo","overridden"]})");
    EXPECT_EQ(spec_of(one_container_task(web)).config["Cmd"], Json::parse(R"(["echo","overridden"])"));
    web.overrides = R"({"command":["text"]})";
    EXPECT_EQ(spec_of(one_container_task(web)).config["Cmd"], Json::parse(R"(["text"])"));
    web.overrides = "{}";
    EXPECT_EQ(spec_of(one_container_task(web)).config["Cmd"], Json::parse(R"(["original"])"));
}

TEST(ContainerSpec, KeepsCpuSharesWithinWhatTheKernelTakes) {
    const auto shares = [](std::int64_t cpu) {
        model::Container web;
        web.cpu = cpu;
        return spec_of(one_container_task(web)).host_config["CpuShares"].get<std::int64_t>();
    };
    EXPECT_EQ(shares(0), 2);
    EXPECT_EQ(shares(1), 2);
    EXPECT_EQ(shares(512), 512);
    EXPECT_EQ(shares(300000), 262144);
}

TEST(ContainerSpec, RaisesTinyMemoryLimitsToWhatDockerTakes) {
    const auto memory = [](std::int64_t mebibytes, std::int64_t task_memory, bool propagate) {
        model::Container web;
        web.memory = mebibytes;
        model::Task definition = *one_container_task(web).definition;
        definition.memory = task_memory;
        SpecContext with = context();
        with.cgroup_v2 = true;
        with.propagate_memory_limit = propagate;
        return spec_of(prepared(definition), with).host_config["Memory"].get<std::int64_t>();
    };
    EXPECT_EQ(memory(2, 0, false), 4194304);
    EXPECT_EQ(memory(64, 0, false), 67108864);
    EXPECT_EQ(memory(0, 512, false), 0);
    EXPECT_EQ(memory(0, 512, true), 536870912);
    EXPECT_EQ(memory(64, 512, true), 67108864);
}

TEST(ContainerSpec, PutsItsOwnLabelsAndCgroupOverThePayloads) {
    model::Container web;
    web.docker_config =
        docker_config(R"({"CgroupParent":"/mine"})", R"({"Labels":{"com.amazonaws.ecs.cluster":"forged","team":"x"}})");
    const auto spec = spec_of(one_container_task(web));
    EXPECT_EQ(spec.config["Labels"]["com.amazonaws.ecs.cluster"], "c");
    EXPECT_EQ(spec.config["Labels"]["team"], "x");
    EXPECT_EQ(spec.host_config["CgroupParent"], "/ecs/0123456789abcdef0123456789abcdef");
    SpecContext without = context();
    without.cgroup_parent.clear();
    EXPECT_EQ(spec_of(one_container_task(web), without).host_config["CgroupParent"], "/mine");
}

TEST(ContainerSpec, LinksAndVolumesComeFromContainersOfTheTask) {
    model::Task definition = *one_container_task({}).definition;
    model::Container app;
    app.name = "app";
    app.links = {"web:alias", "web"};
    app.volumes_from = {{.source_container = "web", .read_only = true},
                        {.source_container = "web", .read_only = false}};
    definition.containers.push_back(app);
    const auto spec = spec_of(prepared(definition));
    EXPECT_EQ(spec.host_config["Links"], Json::parse(R"(["ecs-fam-7-web-<rand>:alias","ecs-fam-7-web-<rand>:web"])"));
    EXPECT_EQ(spec.host_config["VolumesFrom"], Json::parse(R"(["ecs-fam-7-web-<rand>:ro","ecs-fam-7-web-<rand>"])"));
}

TEST(ContainerSpec, FailsByNameOnWhatCannotBeResolved) {
    const auto message = [](const std::function<void(model::Container&)>& change) {
        model::Container web;
        change(web);
        const SpecError error = error_of(one_container_task(web));
        EXPECT_EQ(error.name, "HostConfigError");
        return error.message;
    };
    EXPECT_EQ(message([](auto& c) { c.links = {"a:b:c"}; }), "Invalid link format");
    EXPECT_EQ(message([](auto& c) { c.links = {"db"}; }), "Link target not available: db");
    EXPECT_EQ(message([](auto& c) { c.volumes_from = {{.source_container = "db", .read_only = false}}; }),
              "Volume target not available: db");
    EXPECT_EQ(
        message([](auto& c) { c.mount_points = {{.source_volume = "v", .container_path = "/x", .read_only = false}}; }),
        "Invalid volume referenced: v");
    EXPECT_THAT(message([](auto& c) { c.docker_config = docker_config("not json"); }),
                StartsWith("Unable to decode given host config: "));
    EXPECT_EQ(message([](auto& c) { c.logs_auth_strategy = "ExecutionRole"; }),
              "No execution credentials set for the task");
}

TEST(ContainerSpec, FailsWhenAMountPointHasNoPath) {
    model::Container web;
    web.mount_points = {{.source_volume = "data", .container_path = "", .read_only = false}};
    model::Task definition = *one_container_task(web).definition;
    definition.volumes = {{.name = "data", .type = {}, .host = model::HostVolume{"/srv"}, .docker = {}, .efs = {}}};
    EXPECT_EQ(error_of(prepared(definition)).message,
              "Unable to resolve volume mounts; invalid path: web data; /srv -> ");
}

TEST(ContainerSpec, FailsWhenExecutionCredentialsAreGone) {
    model::Container web;
    web.logs_auth_strategy = "ExecutionRole";
    core::TaskState task = one_container_task(web);
    task.execution_credentials_id = "EXECID";
    SpecContext with = context();
    with.execution_credentials_known = false;
    EXPECT_EQ(error_of(task, with).message, "Unable to get execution role credentials for task");
}

TEST(ContainerSpec, WantsAHealthCheckWhenHealthIsToBeReported) {
    model::Container web;
    web.health_check_type = "docker";
    web.docker_config = docker_config("{}", R"({"HealthCheck":null})");
    EXPECT_EQ(error_of(one_container_task(web)).name, "DockerClientConfigError");
    EXPECT_EQ(error_of(one_container_task(web)).message,
              "docker health check is nil while container health check type is DOCKER");
    web.docker_config = docker_config("{}", R"({"HealthCheck":{"Test":["CMD","true"]}})");
    EXPECT_EQ(spec_of(one_container_task(web)).config["Healthcheck"]["Test"][1], "true");
}

TEST(ContainerSpec, NamesABrokenConfigDocument) {
    model::Container web;
    web.docker_config = docker_config("{}", R"({"User":5})");
    EXPECT_EQ(error_of(one_container_task(web)).name, "DockerClientConfigError");
    EXPECT_EQ(error_of(one_container_task(web)).message,
              "Unable decode given docker config: User: expected a string, got number");
}

TEST(ContainerSpec, SharesTheHostsNamespacesWhenTheTaskSaysSo) {
    model::Task definition = *one_container_task({}).definition;
    definition.pid_mode = "host";
    definition.ipc_mode = "none";
    const auto spec = spec_of(prepared(definition));
    EXPECT_EQ(spec.host_config["PidMode"], "host");
    EXPECT_EQ(spec.host_config["IpcMode"], "none");
    EXPECT_FALSE(spec_of(one_container_task({})).host_config.contains("PidMode"));
}

TEST(ContainerSpec, GivesGpusByVariableAndRuntimeOrOutsideEc2ByRequest) {
    model::Task definition = *one_container_task({}).definition;
    definition.associations = {{.containers = {"web"}, .content = {}, .name = "gpu-1", .type = "gpu"},
                               {.containers = {"web"}, .content = {}, .name = "gpu-2", .type = "gpu"},
                               {.containers = {"web"}, .content = {}, .name = "dev1", .type = "elastic-inference"}};
    SpecContext with = context();
    with.gpu_support = true;
    const auto spec = spec_of(prepared(definition), with);
    EXPECT_THAT(spec.config["Env"].get<std::vector<std::string>>(), Contains("NVIDIA_VISIBLE_DEVICES=gpu-1,gpu-2"));
    EXPECT_EQ(spec.host_config["Runtime"], "nvidia");

    with.external = true;
    const auto outside = spec_of(prepared(definition), with);
    EXPECT_FALSE(outside.host_config.contains("Runtime"));
    EXPECT_EQ(outside.host_config["DeviceRequests"],
              Json::parse(R"([{"Capabilities":[["gpu"]],"DeviceIDs":["gpu-1","gpu-2"]}])"));
}

TEST(ContainerSpec, UsesTheNeuronRuntimeForInferentia) {
    model::Container web;
    web.environment = {{"AWS_NEURON_VISIBLE_DEVICES", "0"}};
    SpecContext with = context();
    EXPECT_FALSE(spec_of(one_container_task(web), with).host_config.contains("Runtime"));
    with.inferentia_support = true;
    EXPECT_EQ(spec_of(one_container_task(web), with).host_config["Runtime"], "neuron");
}

TEST(ContainerSpec, GivesNonBlockingLogsABufferUnlessTheyHaveOne) {
    const auto options = [](const std::string& config) {
        model::Container web;
        web.docker_config = docker_config(R"({"LogConfig":{"Type":"json-file","Config":)" + config + "}}");
        return spec_of(one_container_task(web)).host_config["LogConfig"]["Config"];
    };
    EXPECT_EQ(options(R"({"mode":"non-blocking"})")["max-buffer-size"], "10m");
    EXPECT_EQ(options(R"({"mode":"non-blocking","max-buffer-size":"1m"})")["max-buffer-size"], "1m");
    EXPECT_FALSE(options(R"({"mode":"blocking"})").contains("max-buffer-size"));
}

TEST(ContainerSpec, TellsDockerTheLogEndpointsItCannotKnow) {
    model::Container web;
    web.docker_config = docker_config(R"({"LogConfig":{"Type":"awslogs","Config":{"awslogs-region":"us-west-2"}}})");
    const auto endpoint = [&web](const SpecContext& with) {
        return spec_of(one_container_task(web), with).host_config["LogConfig"]["Config"].value("awslogs-endpoint", "");
    };
    SpecContext with = context();
    EXPECT_EQ(endpoint(with), "");
    with.region = "us-iso-east-1";
    EXPECT_EQ(endpoint(with), "https://logs.us-iso-east-1.c2s.ic.gov");
    with.region = "us-west-2";
    with.ipv6_only = true;
    with.docker_version = "17.12.1";
    EXPECT_EQ(endpoint(with), "");
    with.docker_version = "20.10.24+dfsg1";
    EXPECT_EQ(endpoint(with), "https://logs.us-west-2.api.aws");
}

}  // namespace
}  // namespace nodeagent::engine
