#include "agent/local/payload_builder.hpp"

#include "agent/local/registration_rules.hpp"

namespace nodeagent::local {
namespace {

using testing::ElementsAre;

TaskDefinition definition_of(const std::string& text) {
    auto definition = decode<TaskDefinition>(text);
    EXPECT_TRUE(definition) << text;
    definition->revision = 1;
    const auto bad = complete_task_definition(*definition);
    EXPECT_FALSE(bad) << bad->message;
    return *definition;
}

Task task_of(const TaskDefinition& definition) {
    Task task;
    task.arn = "arn:aws:ecs:us-west-2:123456789012:task/judge/1";
    task.cluster_arn = "arn:aws:ecs:us-west-2:123456789012:cluster/judge";
    task.desired_status = "RUNNING";
    task.group = "family:" + definition.family;
    task.launch_type = "EC2";
    for (const ContainerDefinition& container : definition.containers) {
        TaskContainer made;
        made.arn = "arn:aws:ecs:us-west-2:123456789012:container/judge/1/" + container.name;
        made.name = container.name;
        task.containers.push_back(made);
    }
    return task;
}

Json payload_of(const TaskDefinition& definition, const Task& task) {
    const PayloadInput input{
        .task = task, .definition = definition, .region = "us-west-2", .role = nullptr, .execution_role = nullptr};
    return Json::parse(dump_json(build_payload_task(input)));
}

Json payload_of(const std::string& text) {
    const TaskDefinition definition = definition_of(text);
    return payload_of(definition, task_of(definition));
}

Json host_config_of(const Json& payload) {
    return Json::parse(payload["containers"][0]["dockerConfig"]["hostConfig"].get<std::string>());
}
Json config_of(const Json& payload) {
    return Json::parse(payload["containers"][0]["dockerConfig"]["config"].get<std::string>());
}

// The members and their values are those of traces/g_ports/payload.json.
TEST(PayloadBuilder, GivesAPlainTaskTheShapeOfTheRecordedOnes) {
    const Json payload = payload_of(R"({"family":"fam-g1","networkMode":"bridge","containerDefinitions":[
        {"name":"web","image":"busybox:latest","command":["httpd","-f"],"cpu":10,"memory":64,
         "portMappings":[{"containerPort":80,"hostPort":18900},{"containerPort":53,"hostPort":18953,"protocol":"udp"}]}]})");
    EXPECT_EQ(payload["arn"], "arn:aws:ecs:us-west-2:123456789012:task/judge/1");
    EXPECT_EQ(payload["family"], "fam-g1");
    EXPECT_EQ(payload["version"], "1");
    EXPECT_EQ(payload["desiredStatus"], "RUNNING");
    EXPECT_EQ(payload["networkMode"], "bridge");
    EXPECT_EQ(payload["group"], "family:fam-g1");
    EXPECT_EQ(payload["launchType"], "EC2");
    EXPECT_EQ(payload["volumes"], Json::array());
    EXPECT_FALSE(payload.contains("cpu"));
    const Json& container = payload["containers"][0];
    EXPECT_EQ(container["command"], Json::parse(R"(["httpd","-f"])"));
    EXPECT_FALSE(container.contains("entryPoint"));
    EXPECT_EQ(container["essential"], true);
    EXPECT_EQ(container["cpu"], 10);
    EXPECT_EQ(container["memory"], 64);
    EXPECT_EQ(container["overrides"], "{}");
    EXPECT_EQ(container["portMappings"], Json::parse(R"([{"containerPort":80,"hostPort":18900,"protocol":"tcp"},
                                                         {"containerPort":53,"hostPort":18953,"protocol":"udp"}])"));
    EXPECT_EQ(container["dockerConfig"]["config"], "{}");
    EXPECT_EQ(host_config_of(payload), Json::parse(R"({"NetworkMode":"bridge","CapAdd":[],"CapDrop":[]})"));
    EXPECT_EQ(container["dockerConfig"]["version"], "1.18");
    EXPECT_EQ(container["containerArn"], "arn:aws:ecs:us-west-2:123456789012:container/judge/1/web");
    EXPECT_EQ(container["environment"], Json::parse(R"({"AWS_EXECUTION_ENV":"AWS_ECS_EC2"})"));
}

TEST(PayloadBuilder, TranslatesLinuxSettingsIntoTheHostConfigText) {
    const Json payload = payload_of(R"({"family":"f","containerDefinitions":[{"name":"c","image":"i","memory":128,
        "memoryReservation":64,"privileged":true,"readonlyRootFilesystem":true,
        "ulimits":[{"name":"nofile","softLimit":10,"hardLimit":20}],
        "extraHosts":[{"hostname":"db","ipAddress":"10.0.0.1"}],"dnsServers":["10.0.0.2"],
        "systemControls":[{"namespace":"net.core.somaxconn","value":"1024"}],
        "logConfiguration":{"logDriver":"json-file","options":{"max-size":"1m"}},
        "linuxParameters":{"capabilities":{"add":["NET_ADMIN"],"drop":["MKNOD"]},"initProcessEnabled":true,
            "sharedMemorySize":16,"maxSwap":32,"swappiness":10,
            "devices":[{"hostPath":"/dev/fuse","permissions":["read","write"]}],
            "tmpfs":[{"containerPath":"/run","size":8,"mountOptions":["noexec"]}]}}]})");
    EXPECT_EQ(host_config_of(payload), Json::parse(R"({
        "NetworkMode":"bridge","CapAdd":["NET_ADMIN"],"CapDrop":["MKNOD"],"MemoryReservation":67108864,"Privileged":true,
        "ReadonlyRootfs":true,"Ulimits":[{"Name":"nofile","Soft":10,"Hard":20}],"ExtraHosts":["db:10.0.0.1"],
        "Dns":["10.0.0.2"],"Sysctls":{"net.core.somaxconn":"1024"},"LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}},
        "Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse","CgroupPermissions":"rw"}],"Init":true,
        "ShmSize":16777216,"Tmpfs":{"/run":"noexec,size=8m"},"MemorySwap":167772160,"MemorySwappiness":10})"));
    EXPECT_EQ(payload["containers"][0]["dockerConfig"]["version"], "1.25");
}

TEST(PayloadBuilder, MakesTheNameOfALogStreamFromItsPrefix) {
    const Json payload = payload_of(R"({"family":"f","containerDefinitions":[{"name":"web","image":"i","memory":8,
        "logConfiguration":{"logDriver":"awslogs",
                            "options":{"awslogs-group":"g","awslogs-stream-prefix":"live"}}}]})");
    EXPECT_EQ(host_config_of(payload)["LogConfig"]["Config"],
              Json::parse(R"({"awslogs-group":"g","awslogs-stream":"live/web/1"})"));
}

TEST(PayloadBuilder, TurnsAHealthCheckIntoNanosecondsAndAsksForItsReport) {
    const Json payload = payload_of(R"({"family":"f","containerDefinitions":[{"name":"c","image":"i","memory":64,
        "user":"65534","dockerLabels":{"a":"b"},
        "healthCheck":{"command":["CMD-SHELL","true"],"interval":10,"startPeriod":5}}]})");
    EXPECT_EQ(payload["containers"][0]["healthCheckType"], "docker");
    EXPECT_EQ(config_of(payload),
              Json::parse(R"({"User":"65534","Labels":{"a":"b"},"Healthcheck":{"Test":["CMD-SHELL","true"],
        "Interval":10000000000,"Timeout":5000000000,"StartPeriod":5000000000,"Retries":3}})"));
}

TEST(PayloadBuilder, SendsACommandOverrideApartAndMergesTheEnvironment) {
    const TaskDefinition definition = definition_of(R"({"family":"f","containerDefinitions":[{"name":"c","image":"i",
        "memory":64,"command":["a"],"environment":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]})");
    Task task = task_of(definition);
    task.overrides = *decode<TaskOverride>(
        R"({"containerOverrides":[{"name":"c","command":["b"],"environment":[{"name":"X","value":"9"}],"memory":96}]})");
    const Json container = payload_of(definition, task)["containers"][0];
    EXPECT_EQ(container["command"], Json::parse(R"(["a"])"));
    EXPECT_EQ(container["overrides"], R"({"command":["b"]})");
    EXPECT_EQ(container["environment"]["X"], "9");
    EXPECT_EQ(container["environment"]["Y"], "2");
    EXPECT_EQ(container["memory"], 96);
}

TEST(PayloadBuilder, SendsTaskSizesAsVcpusAndMebibytes) {
    const Json payload = payload_of(R"({"family":"f","cpu":"0.5 vCPU","memory":"1 GB","containerDefinitions":[
        {"name":"c","image":"i"}]})");
    EXPECT_EQ(payload["cpu"], 0.5);
    EXPECT_EQ(payload["memory"], 1024);
}

TEST(PayloadBuilder, TellsSecretsManagerFromParameterStoreByTheArn) {
    const Json payload =
        payload_of(R"({"family":"f","executionRoleArn":"arn:aws:iam::123456789012:role/e","containerDefinitions":[
        {"name":"c","image":"i","memory":64,"secrets":[
            {"name":"A","valueFrom":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:s"},{"name":"B","valueFrom":"/p"}]}]})");
    const Json& secrets = payload["containers"][0]["secrets"];
    EXPECT_EQ(secrets[0]["provider"], "asm");
    EXPECT_EQ(secrets[0]["region"], "eu-west-1");
    EXPECT_EQ(secrets[1]["provider"], "ssm");
    EXPECT_EQ(secrets[1]["region"], "us-west-2");
}

TEST(PayloadBuilder, SendsVolumesAsTheAgentReadsThem) {
    const Json payload = payload_of(R"({"family":"f","volumes":[{"name":"h","host":{"sourcePath":"/srv"}},{"name":"e"},
        {"name":"d","dockerVolumeConfiguration":{"labels":{"k":"v"}}}],
        "containerDefinitions":[{"name":"c","image":"i","memory":64,"mountPoints":[{"sourceVolume":"h","containerPath":"/x"}]}]})");
    EXPECT_EQ(payload["volumes"], Json::parse(R"([{"name":"h","host":{"sourcePath":"/srv"}},{"name":"e","host":{}},
        {"name":"d","type":"docker","dockerVolumeConfiguration":{"scope":"task","autoprovision":false,"driver":"local",
         "driverOpts":{},"labels":{"k":"v"}}}])"));
    EXPECT_EQ(payload["containers"][0]["mountPoints"],
              Json::parse(R"([{"sourceVolume":"h","containerPath":"/x","readOnly":false}])"));
}

TEST(PayloadBuilder, RefusesAnOverrideOfAContainerThatIsNotThere) {
    const TaskDefinition definition =
        definition_of(R"({"family":"f","containerDefinitions":[{"name":"c","image":"i","memory":64}]})");
    const auto demand = demand_of(definition, *decode<TaskOverride>(R"({"containerOverrides":[{"name":"x"}]})"));
    ASSERT_FALSE(demand);
    EXPECT_EQ(demand.error().code, "InvalidParameterException");
    EXPECT_THAT(demand.error().message, testing::HasSubstr("container named x"));
}

TEST(Demand, CountsReservationsBeforeLimitsAndOnlyStaticPorts) {
    const TaskDefinition definition = definition_of(R"({"family":"f","containerDefinitions":[
        {"name":"a","image":"i","cpu":100,"memory":512,"memoryReservation":128,"portMappings":[{"containerPort":1,"hostPort":81}]},
        {"name":"b","image":"i","cpu":20,"memory":64,"portMappings":[{"containerPort":2},{"containerPort":3,"hostPort":83,"protocol":"udp"}]}]})");
    const auto demand = demand_of(definition, {});
    ASSERT_TRUE(demand);
    EXPECT_EQ(demand->cpu, 120);
    EXPECT_EQ(demand->memory, 192);
    EXPECT_THAT(demand->tcp_ports, ElementsAre(81));
    EXPECT_THAT(demand->udp_ports, ElementsAre(83));
}

}  // namespace
}  // namespace nodeagent::local
