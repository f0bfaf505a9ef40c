// Every field of a task definition, from where it arrives in the payload to where it stands in the create request.
// The table follows the service's translation (task-engine.md 3.2); the agent may lose or change nothing of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/json.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/engine/spec/container_spec.hpp"
#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::engine {
namespace {

SpecContext context() {
    SpecContext made;
    made.cluster = "c";
    made.region = "us-west-2";
    return made;
}

struct Row {
    const char* field;  ///< of the task definition
    const char* given;  ///< the document as it comes
    const char* path;   ///< JSON pointer of what must stand in the document sent
    const char* wanted;
};

/// What fails of the row, or "".
std::string failure(const Row& row, bool host_config) {
    model::Container web;
    web.docker_config = model::DockerConfig{};
    (host_config ? web.docker_config->host_config : web.docker_config->config) = row.given;
    const core::TaskState task = one_container_task(web);
    const auto spec = container_spec(task, task.containers.front(), context());
    if (!spec) return std::string(row.field) + ": " + spec.error().message;
    const Json& document = host_config ? spec->host_config : spec->config;
    const Json::json_pointer path(row.path);
    if (!document.contains(path)) return std::string(row.field) + " is lost";
    if (document.at(path) == Json::parse(row.wanted)) return {};
    return std::string(row.field) + " became " + document.at(path).dump();
}

TEST(PayloadFields, ReachTheHostConfig) {
    constexpr std::array kRows{
        Row{"memoryReservation", R"({"MemoryReservation":33554432})", "/MemoryReservation", "33554432"},
        Row{"privileged", R"({"Privileged":true})", "/Privileged", "true"},
        Row{"readonlyRootFilesystem", R"({"ReadonlyRootfs":true})", "/ReadonlyRootfs", "true"},
        Row{"ulimits", R"({"Ulimits":[{"Name":"nofile","Soft":1024,"Hard":2048}]})", "/Ulimits",
            R"([{"Name":"nofile","Soft":1024,"Hard":2048}])"},
        Row{"capabilities.add", R"({"CapAdd":["SYS_PTRACE"]})", "/CapAdd", R"(["SYS_PTRACE"])"},
        Row{"capabilities.drop", R"({"CapDrop":["ALL"]})", "/CapDrop", R"(["ALL"])"},
        Row{"devices",
            R"({"Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse","CgroupPermissions":"rwm"}]})",
            "/Devices/0/PathOnHost", "\"/dev/fuse\""},
        Row{"devices.permissions",
            R"({"Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/f","CgroupPermissions":"r"}]})",
            "/Devices/0/CgroupPermissions", "\"r\""},
        Row{"initProcessEnabled", R"({"Init":true})", "/Init", "true"},
        Row{"sharedMemorySize", R"({"ShmSize":134217728})", "/ShmSize", "134217728"},
        Row{"tmpfs", R"({"Tmpfs":{"/run":"size=16m,noexec"}})", "/Tmpfs/~1run", "\"size=16m,noexec\""},
        Row{"maxSwap", R"({"MemorySwap":268435456})", "/MemorySwap", "268435456"},
        Row{"swappiness", R"({"MemorySwappiness":0})", "/MemorySwappiness", "0"},
        Row{"extraHosts", R"({"ExtraHosts":["db:10.0.0.7"]})", "/ExtraHosts", R"(["db:10.0.0.7"])"},
        Row{"dnsServers", R"({"Dns":["10.0.0.2"]})", "/Dns", R"(["10.0.0.2"])"},
        Row{"dnsSearchDomains", R"({"DnsSearch":["corp.example"]})", "/DnsSearch", R"(["corp.example"])"},
        Row{"dockerSecurityOptions", R"({"SecurityOpt":["label:type:svirt_apache_t","no-new-privileges"]})",
            "/SecurityOpt", R"(["label:type:svirt_apache_t","no-new-privileges"])"},
        Row{"systemControls", R"({"Sysctls":{"net.core.somaxconn":"1024"}})", "/Sysctls/net.core.somaxconn",
            "\"1024\""},
        Row{"logConfiguration", R"({"LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}}})", "/LogConfig",
            R"({"Type":"json-file","Config":{"max-size":"1m"}})"},
        Row{"networkMode bridge", R"({"NetworkMode":"bridge"})", "/NetworkMode", "\"bridge\""},
        Row{"networkMode host", R"({"NetworkMode":"host"})", "/NetworkMode", "\"host\""},
        Row{"networkMode none", R"({"NetworkMode":"none"})", "/NetworkMode", "\"none\""},
    };
    for (const Row& row : kRows) EXPECT_EQ(failure(row, true), "");
}

TEST(PayloadFields, ReachTheConfig) {
    constexpr std::array kRows{
        Row{"user", R"({"User":"1000:1000"})", "/User", "\"1000:1000\""},
        Row{"hostname", R"({"Hostname":"web-1"})", "/Hostname", "\"web-1\""},
        Row{"workingDirectory", R"({"WorkingDir":"/srv"})", "/WorkingDir", "\"/srv\""},
        Row{"disableNetworking", R"({"NetworkDisabled":true})", "/NetworkDisabled", "true"},
        Row{"interactive", R"({"OpenStdin":true})", "/OpenStdin", "true"},
        Row{"pseudoTerminal", R"({"Tty":true})", "/Tty", "true"},
        Row{"dockerLabels", R"({"Labels":{"team":"x"}})", "/Labels/team", "\"x\""},
        Row{"healthCheck",
            R"({"Healthcheck":{"Test":["CMD-SHELL","exit 0"],"Interval":30000000000,"Timeout":5000000000,
                "StartPeriod":1000000000,"Retries":3}})",
            "/Healthcheck",
            R"({"Test":["CMD-SHELL","exit 0"],"Interval":30000000000,"Timeout":5000000000,
                "StartPeriod":1000000000,"Retries":3})"},
    };
    for (const Row& row : kRows) EXPECT_EQ(failure(row, false), "");
}

TEST(PayloadFields, CommandEntryPointAndPortsComeFromTheContainerItself) {
    model::Container web;
    web.command = std::vector<std::string>{"-c", "true"};
    web.entry_point = std::vector<std::string>{"sh"};
    web.port_mappings = {{.container_port = 53, .host_port = 5353, .protocol = "udp", .container_port_range = {}},
                         {.container_port = 0, .host_port = 0, .protocol = {}, .container_port_range = "8000-8001"}};
    const core::TaskState task = one_container_task(web);
    const auto spec = container_spec(task, task.containers.front(), context());
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->config["Cmd"], Json::parse(R"(["-c","true"])"));
    EXPECT_EQ(spec->config["Entrypoint"], Json::parse(R"(["sh"])"));
    EXPECT_EQ(spec->config["ExposedPorts"], Json::parse(R"({"53/udp":{},"8000/tcp":{},"8001/tcp":{}})"));
    EXPECT_EQ(spec->host_config["PortBindings"]["53/udp"], Json::parse(R"([{"HostIp":"","HostPort":"5353"}])"));
}

// ---- what containers of a task share
// -----------------------------------------------------------------------------------

core::TaskState sharing(const std::string& pid_mode, const std::string& ipc_mode, const std::string& pause_id) {
    model::Task definition = *one_container_task({}).definition;
    definition.pid_mode = pid_mode;
    definition.ipc_mode = ipc_mode;
    core::TaskState task = prepared(definition);
    task.credentials_id = "CID";
    core::ContainerState pause;
    pause.kind = core::ContainerKind::NamespacePause;
    pause.definition = core::internal_definition(pause.kind);
    pause.name = pause.definition->name;
    pause.docker_name = "ecs-fam-7-internalecspausenamespace-<rand>";
    pause.runtime_id = pause_id;
    task.containers.push_back(std::move(pause));
    return task;
}

TEST(PayloadFields, ModeTaskJoinsTheNamespacesOfThePauseContainer) {
    const core::TaskState both = sharing("task", "task", "p1");
    const auto spec = container_spec(both, both.containers.front(), context());
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->host_config["PidMode"], "container:p1");
    EXPECT_EQ(spec->host_config["IpcMode"], "container:p1");
    const core::TaskState pid_only = sharing("task", "host", "p1");
    const auto other = container_spec(pid_only, pid_only.containers.front(), context());
    EXPECT_EQ(other->host_config["PidMode"], "container:p1");
    EXPECT_EQ(other->host_config["IpcMode"], "host");
}

TEST(PayloadFields, WithoutAPauseContainerNothingJoinsIt) {
    const core::TaskState task = sharing("task", "", "");
    const auto spec = container_spec(task, task.containers.front(), context());
    ASSERT_FALSE(spec);
    EXPECT_EQ(spec.error().name, "HostConfigError");
}

TEST(PayloadFields, ThePauseContainerHasNoNetworkAndSharesItsIpcNamespaceWhenAsked) {
    SpecContext with = context();
    with.cgroup_parent = "/ecs/t";
    with.pause_labels = {{"team", "x"}, {"com.amazonaws.ecs.cluster", "forged"}};
    const core::TaskState task = sharing("task", "task", "");
    const auto spec = container_spec(task, task.containers.back(), with);
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->config["Image"], "amazon/amazon-ecs-pause:0.1.0");
    EXPECT_EQ(spec->config["Env"], Json::array()) << "no credentials, no endpoints, no region";
    EXPECT_EQ(spec->config["Labels"]["com.amazonaws.ecs.container-name"], "~internal~ecs~pause~namespace");
    EXPECT_EQ(spec->config["Labels"]["com.amazonaws.ecs.cluster"], "c");
    EXPECT_EQ(spec->config["Labels"]["team"], "x");
    EXPECT_EQ(spec->host_config["NetworkMode"], "none");
    EXPECT_EQ(spec->host_config["IpcMode"], "shareable");
    EXPECT_EQ(spec->host_config["CgroupParent"], "/ecs/t");
    EXPECT_FALSE(spec->host_config.contains("PidMode"));
    const core::TaskState pid_only = sharing("task", "", "");
    EXPECT_FALSE(container_spec(pid_only, pid_only.containers.back(), with)->host_config.contains("IpcMode"));
}

TEST(PayloadFields, OutsideEc2AGpuNeedsNoRuntimeAndOnEc2ItNeedsOne) {
    model::Container web;
    web.environment = {{"NVIDIA_VISIBLE_DEVICES", "all"}};
    model::Task definition = *one_container_task(web).definition;
    definition.associations = {{.containers = {"web"}, .content = {}, .name = "gpu-1", .type = "gpu"}};
    const core::TaskState task = prepared(definition);
    SpecContext with = context();
    with.gpu_support = true;
    with.external = true;
    EXPECT_FALSE(container_spec(task, task.containers.front(), with)->host_config.contains("Runtime"));
    with.external = false;
    with.nvidia_runtime.clear();
    const auto spec = container_spec(task, task.containers.front(), with);
    ASSERT_FALSE(spec);
    EXPECT_EQ(spec.error().message, "Runtime is not set for GPU containers");
}

}  // namespace
}  // namespace nodeagent::engine
