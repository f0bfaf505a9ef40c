#include "agent/local/registration_rules.hpp"

#include "agent/base/json.hpp"

namespace nodeagent::local {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
    auto definition = decode<TaskDefinition>(text);
    if (!definition) return "undecodable: " + definition.error().what;
    const auto bad = complete_task_definition(*definition);
    return bad ? bad->code + ": " + bad->message : "";
}

std::string with_container(const std::string& members) {
    return R"({"family":"f","containerDefinitions":[{"name":"c","image":"i","memory":64)" + members + "}]}";
}

TEST(TaskDefinitionRules, AcceptsTheLeastAndFillsInTheRest) {
    auto definition = *decode<TaskDefinition>(with_container(R"(,"portMappings":[{"containerPort":80}],
        "healthCheck":{"command":["CMD","true"]})"));
    ASSERT_FALSE(complete_task_definition(definition));
    const ContainerDefinition& container = definition.containers[0];
    EXPECT_EQ(container.port_mappings[0].protocol, "tcp");
    EXPECT_EQ(container.port_mappings[0].host_port, 0);
    EXPECT_EQ(container.essential, true);
    EXPECT_EQ(container.health_check->interval, 30);
    EXPECT_THAT(definition.compatibilities, Contains("EC2"));
}

TEST(TaskDefinitionRules, NamesWhatIsWrongAndWhere) {
    EXPECT_EQ(refusal(R"({"containerDefinitions":[]})"), "ClientException: Family should not be null or empty.");
    EXPECT_THAT(refusal(R"({"family":"f"})"), HasSubstr("at least one container"));
    EXPECT_THAT(refusal(R"({"family":"a b","containerDefinitions":[{}]})"),
                HasSubstr("Family contains invalid characters"));
    EXPECT_THAT(
        refusal(R"({"family":"f","containerDefinitions":[{"name":"c","image":"i"}]})"),
        HasSubstr(
            "Invalid setting for container 'c'. At least one of 'memory' or 'memoryReservation' must be specified."));
    EXPECT_THAT(refusal(R"({"family":"f","containerDefinitions":[{"name":"c","memory":64}]})"),
                HasSubstr("Container.image"));
    EXPECT_THAT(refusal(with_container(R"(,"essential":false)")), HasSubstr("must be essential"));
    EXPECT_THAT(refusal(with_container(R"(,"memoryReservation":65)")), HasSubstr("must not exceed"));
    EXPECT_THAT(refusal(with_container(R"(,"portMappings":[{"containerPort":70000}])")),
                HasSubstr("between 0 and 65535"));
    EXPECT_THAT(refusal(with_container(R"(,"mountPoints":[{"sourceVolume":"v","containerPath":"/"}])")),
                HasSubstr("Unknown volume 'v'"));
    EXPECT_THAT(refusal(with_container(R"(,"dependsOn":[{"containerName":"x","condition":"START"}])")),
                HasSubstr("'x' in dependsOn"));
    EXPECT_THAT(refusal(with_container(R"(,"dependsOn":[{"containerName":"c","condition":"START"}])")),
                HasSubstr("cycle: c -> c"));
    EXPECT_THAT(refusal(with_container(R"(,"cpu":"ten")")), HasSubstr("containerDefinitions[0].cpu"));
}

TEST(TaskDefinitionRules, AsksForTheCapabilitiesThatTheTaskUses) {
    auto definition = *decode<TaskDefinition>(
        R"({"family":"f","cpu":"256","memory":"128","taskRoleArn":"arn:aws:iam::1:role/r","containerDefinitions":[
        {"name":"c","image":"123456789012.dkr.ecr.us-west-2.amazonaws.com/i:1","privileged":true,
         "logConfiguration":{"logDriver":"json-file"}}]})");
    ASSERT_FALSE(complete_task_definition(definition));
    for (const char* name :
         {"com.amazonaws.ecs.capability.task-iam-role", "ecs.capability.task-cpu-mem-limit",
          "com.amazonaws.ecs.capability.privileged-container", "com.amazonaws.ecs.capability.logging-driver.json-file",
          "com.amazonaws.ecs.capability.ecr-auth"}) {
        EXPECT_THAT(definition.requires_attributes, Contains(Field(&RequiredAttribute::name, name)));
    }
}

TEST(TaskDefinitionRules, ReadsSizesWithAndWithoutUnits) {
    EXPECT_EQ(parse_cpu_units("256"), 256);
    EXPECT_EQ(parse_cpu_units("0.25 vCPU"), 256);
    EXPECT_EQ(parse_cpu_units("2vcpu"), 2048);
    EXPECT_EQ(parse_memory_mib("1 GB"), 1024);
    EXPECT_EQ(parse_memory_mib("many"), std::nullopt);
    EXPECT_EQ(parse_cpu_units("0.5"), std::nullopt);
    EXPECT_EQ(parse_cpu_units("-1"), std::nullopt);
}

}  // namespace
}  // namespace nodeagent::local
