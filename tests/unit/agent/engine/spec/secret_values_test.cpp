#include "agent/engine/spec/secret_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/engine/spec/container_spec.hpp"
#include "spec_task.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::StartsWith;

model::ContainerSecret secret(std::string name, std::string provider, std::string target) {
    model::ContainerSecret made;
    made.name = std::move(name);
    made.value_from = "v-" + made.name;
    made.region = "us-west-2";
    made.provider = std::move(provider);
    made.type = target == "LOG_DRIVER" ? "BOOTSTRAP" : "ENVIRONMENT_VARIABLE";
    made.target = std::move(target);
    return made;
}

runtime::ContainerSpec spec_of(model::Container definition, const SpecContext& context) {
    const core::TaskState task = one_container_task(std::move(definition));
    auto spec = container_spec(task, task.containers[0], context);
    EXPECT_TRUE(spec) << spec.error().message;
    return *std::move(spec);
}

TEST(SecretValues, SecretsBeatTheDefinitionWhichBeatsEnvironmentFiles) {
    model::Container web;
    web.environment = {{"BOTH", "definition"}, {"TWICE", "definition"}, {"ECS_AGENT_URI", "definition"}};
    web.secrets = {secret("BOTH", "ssm", "CONTAINER"), secret("ONLY", "asm", "CONTAINER")};
    SpecContext context;
    context.region = "us-west-2";
    context.secrets.ssm.emplace("v-BOTH_us-west-2", Secret("from ssm"));
    context.secrets.asm_secrets.emplace("v-ONLY_us-west-2", Secret("from asm"));
    context.file_environment = {{"BOTH", "file"}, {"TWICE", "file"}, {"FILE", "file"}, {"AWS_REGION", "file"}};
    const auto env = spec_of(web, context).config["Env"];
    EXPECT_THAT(env, Contains("BOTH=from ssm"));
    EXPECT_THAT(env, Contains("ONLY=from asm"));
    EXPECT_THAT(env, Contains("TWICE=definition"));
    EXPECT_THAT(env, Contains("FILE=file"));
    EXPECT_THAT(env, Contains("AWS_REGION=file"));
    EXPECT_THAT(env, Not(Contains("AWS_DEFAULT_REGION=us-west-2"))) << "a file that chose a region keeps it";
    EXPECT_THAT(env, Contains("ECS_AGENT_URI=http://169.254.170.2/api/<uuid>"));
}

TEST(SecretValues, ASecretWithoutAValueIsEmpty) {
    model::Container web;
    web.secrets = {secret("LOST", "ssm", "CONTAINER")};
    EXPECT_THAT(spec_of(web, {}).config["Env"], Contains("LOST="));
}

TEST(SecretValues, LogDriverSecretsBecomeOptionsOfTheDriver) {
    model::Container web;
    web.docker_config = model::DockerConfig{"{}", R"({"LogConfig":{"Type":"splunk","Config":{"splunk-url":"u"}}})", ""};
    web.secrets = {secret("splunk-token", "asm", "LOG_DRIVER"), secret("splunk-index", "asm", "LOG_DRIVER")};
    SpecContext context;
    context.secrets.asm_secrets.emplace("v-splunk-token_us-west-2", Secret("token"));
    const runtime::ContainerSpec spec = spec_of(web, context);
    const Json& options = spec.host_config["LogConfig"]["Config"];
    EXPECT_EQ(options, (Json{{"splunk-url", "u"}, {"splunk-token", "token"}})) << "one without a value is left out";
    for (const auto& variable : spec.config["Env"]) {
        EXPECT_THAT(variable.get<std::string>(), Not(StartsWith("splunk-token=")));
    }
}

}  // namespace
}  // namespace nodeagent::engine
