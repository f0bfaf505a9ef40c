#include <gmock/gmock.h>

#include "metadata/associations.hpp"
#include "metadata/document_cache.hpp"
#include "metadata/extensions.hpp"
#include "metadata/introspection_documents.hpp"
#include "metadata/stats_routes.hpp"
#include "metadata/task_metadata_v2.hpp"
#include "metadata/task_metadata_v3.hpp"
#include "metadata/task_metadata_v4.hpp"
#include "tests/unit/metadata/trace_snapshot.hpp"

namespace nodeagent::metadata {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kE1 = "unable to get task Arn from v3 endpoint ID: nope\"";
const std::string kE2 = "unable to get docker ID from v3 endpoint ID: nope\"";

const Tags kTags{.task = {{"judge", "yes"}}, .container_instance = {{"judge", "yes"}}, .failures = {}};

TEST(Documents, OfVersionThreeAreAsRecorded) {
    const auto snapshot = snapshot_of({i_task()});
    expect_recorded(v3_container(*snapshot, kWebEndpoint).body, "host_v3");
    expect_recorded(v3_task(*snapshot, kWebEndpoint, identity(), nullptr).body, "host_v3_task");
    expect_recorded(v3_task(*snapshot, kSideEndpoint, identity(), &kTags).body, "host_v3_taskWithTags");
}

TEST(Documents, OfVersionFourAreAsRecorded) {
    const auto snapshot = snapshot_of({i_task()});
    expect_recorded(v4_container(*snapshot, kWebEndpoint).body, "host_v4");
    expect_recorded(v4_container(*snapshot, kSideEndpoint).body, "host_v4_stopped_container");
    expect_recorded(v4_task(*snapshot, kWebEndpoint, identity(), nullptr).body, "host_v4_task");
    expect_recorded(v4_task(*snapshot, kWebEndpoint, identity(), &kTags).body, "host_v4_taskWithTags");
}

TEST(Documents, OfAStoppedTaskAreAsRecorded) {
    TaskView task = i_task();
    task.desired = task.known = TaskStatus::Stopped;
    task.execution_stopped_at = kStarted;
    for (ContainerView& one : task.containers) {
        one.desired = one.known = ContainerStatus::Stopped;
        one.finished_at = kStarted;
        one.networks.front().ipv4_address.clear();
    }
    task.containers[1].exit_code = 137;
    expect_recorded(v4_task(*snapshot_of({task}), kWebEndpoint, identity(), nullptr).body, "after_stop_v4_task");
}

TEST(Documents, ListEveryBindingAsRecorded) {
    TaskView task;
    task.arn = "arn:aws:ecs:us-west-2:123456789012:task/judge/7d9f376c5cbc5384dbf42ebff87df743";
    task.family = "fam-g1";
    task.version = "1";
    task.launch_type = "EC2";
    task.network_mode = "bridge";
    task.desired = task.known = TaskStatus::Running;
    ContainerView web = container("web", task, kWebId, kWebEndpoint);
    web.memory = 64;
    bind_port(web, 53, 18953, "udp");
    bind_port(web, 80, 18900, "tcp");
    bind_port(web, 81, 49153, "tcp");
    bind_port(web, 82, 49154, "tcp");
    web.container_arn =
        "arn:aws:ecs:us-west-2:123456789012:container/judge/7d9f376c5cbc5384dbf42ebff87df743/"
        "dd8d34f82785de2f507fb78e7bf5533a";
    task.containers = {web};
    expect_recorded(v4_task(*snapshot_of({task}), kWebEndpoint, identity(), nullptr).body, "g1_v4_task");
}

TEST(Documents, OfUnknownIdsAreJsonStringsWithTheStatusOfTheirVersion) {
    const model::Snapshot none;
    struct Row {
        Response got;
        unsigned status;
        std::string body;
    };
    const std::vector<Row> rows{
        {v3_container(none, "nope"), 500,
         "\"V3 container metadata handler: unable to get container ID from request: " + kE2},
        {v3_task(none, "nope", identity(), nullptr), 500,
         "\"V3 task metadata handler: unable to get task arn from request: " + kE1},
        {v3_container_stats(none, nullptr, "nope"), 400,
         "\"V3 container stats handler: unable to get task arn from request: " + kE1},
        {v3_task_stats(none, nullptr, "nope"), 400,
         "\"V3 task stats handler: unable to get task arn from request: " + kE1},
        {v4_container(none, "nope"), 404,
         "\"V4 container metadata handler: unable to get container ID from request: " + kE2},
        {v4_task(none, "nope", identity(), nullptr), 404,
         "\"V4 task metadata handler: unable to get task arn from request: " + kE1},
        {v4_container_stats(none, nullptr, "nope"), 404,
         "\"V4 container stats handler: unable to get task arn from request: " + kE1},
        {v4_task_stats(none, nullptr, "nope"), 404,
         "\"V4 task stats handler: unable to get task arn from request: " + kE1},
        {associations_of_type(none, 3, "nope", "gpu"), 400,
         "\"V3 container associations handler: unable to get container id from request: " + kE2},
        {association(none, 4, "nope", "gpu", "a"), 400,
         "\"V4 container associations handler: unable to get task arn from request: " + kE1},
        {v2_task(none, "127.0.0.1", identity(), nullptr), 400,
         "\"Unable to get task arn from request: unable to associate '127.0.0.1' with task\""},
        {v2_container(none, "127.0.0.1", "x"), 400,
         "\"Unable to get task arn from request: unable to associate '127.0.0.1' with task\""},
        {v2_task_stats(none, nullptr, "10.0.0.1"), 400,
         "\"Unable to get task arn from request: unable to associate '10.0.0.1' with task\""},
        {v2_container_stats(none, nullptr, "10.0.0.1", "x"), 400,
         "\"Unable to get task arn from request: unable to associate '10.0.0.1' with task\""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(row.got.status, row.status) << row.body;
        EXPECT_EQ(row.got.body, row.body);
        EXPECT_EQ(row.got.content_type, "application/json");
    }
}

TEST(Documents, WithoutNetworkSettingsFailInVersionThreeButNotInTheTaskOfVersionFour) {
    TaskView task = i_task();
    task.containers[1].network_known = false;
    const auto snapshot = snapshot_of({task});
    EXPECT_EQ(v3_container(*snapshot, kWebEndpoint).body,
              "\"Unable to generate network response for container '" + kWebId + "'\"");
    EXPECT_EQ(v3_task(*snapshot, kSideEndpoint, identity(), nullptr).status, 500U);
    EXPECT_EQ(v4_container(*snapshot, kWebEndpoint).body,
              "\"unable to generate network response for container '" + kWebId + "'\"");
    const Response answer = v4_task(*snapshot, kWebEndpoint, identity(), nullptr);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_FALSE(OrderedJson::parse(answer.body)["Containers"][1].contains("Networks"));
}

TEST(Documents, ShowPulledContainersLastAndInVersionFourOnly) {
    TaskView task = i_task();
    ContainerView pulled;
    pulled.name = "p";
    pulled.image = "busybox";
    pulled.image_id = "sha256:2";
    pulled.desired = ContainerStatus::Running;
    pulled.known = ContainerStatus::Pulled;
    pulled.cpu = 1024;
    pulled.memory = 512;
    pulled.container_arn = "arn:...";
    pulled.pulled_only = true;
    pulled.restart_count = 0;
    task.containers.insert(task.containers.begin(), pulled);
    const auto snapshot = snapshot_of({task});
    EXPECT_THAT(
        v4_task(*snapshot, kWebEndpoint, identity(), nullptr).body,
        HasSubstr(
            R"(,{"DockerId":"","Name":"p","DockerName":"","Image":"busybox","ImageID":"sha256:2","DesiredStatus":"RUNNING","KnownStatus":"PULLED","Limits":{"CPU":1024,"Memory":512},"Type":"NORMAL","ContainerARN":"arn:..."}],"VPCID")"));
    EXPECT_THAT(v3_task(*snapshot, kWebEndpoint, identity(), nullptr).body, Not(HasSubstr("PULLED")));
}

TEST(Documents, OfATaskWithItsOwnInterfaceShowItsProperties) {
    TaskView task = i_task();
    task.network_mode = "awsvpc";
    task.local_ipv4_address = "169.254.172.2";
    task.containers = {task.containers[1]};
    ContainerView& web = task.containers.front();
    web.ports = {{.container_port = 80, .host_port = 1, .bind_ip = "", .protocol = "tcp"}};
    web.labels.clear();
    web.restart_count = 0;
    web.log_driver = "awslogs";
    web.log_options = {{"awslogs-group", "/ecs/m"}};
    web.volumes = {{.docker_name = "v1", .source = "/s", .destination = ""}};
    web.health_checked = true;
    web.health = {.status = model::HealthStatus::Unhealthy, .since = std::nullopt, .exit_code = 1, .output = "<no>\n"};
    model::ElasticNetworkInterface& eni = task.network_interface.emplace();
    eni.mac_address = "0e:10:e2:01:bd:91";
    eni.ipv4_addresses = {{.primary = true, .private_address = "10.0.2.61"}};
    eni.ipv6_addresses = {{.primary = true, .address = "2001:db8:1:2:3::4"}};
    eni.subnet_gateway_ipv4_address = "10.0.17.1/20";
    eni.domain_name_servers = {"10.0.0.2"};
    eni.domain_name = {"us-west-2.compute.internal"};
    eni.private_dns_name = "ip-10-0-2-61.us-west-2.compute.internal";
    const auto snapshot = snapshot_of({task});
    EXPECT_EQ(
        v4_container(*snapshot, kWebEndpoint).body,
        R"({"DockerId":")" + kWebId +
            R"(","Name":"web","DockerName":"ecs-fam-i1-1-web-0123456789abcdef0123","Image":"busybox:latest","ImageID":"sha256:1",)"
            R"("Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":80}],"DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Limits":{"CPU":64,"Memory":48},)"
            R"("CreatedAt":"2026-01-01T00:00:01.1Z","StartedAt":"2026-01-01T00:00:02Z","Type":"NORMAL",)"
            R"("Health":{"status":"UNHEALTHY","exitCode":1,"output":"\u003cno\u003e\n"},"Volumes":[{"DockerName":"v1","Source":"/s"}],)"
            R"("LogDriver":"awslogs","LogOptions":{"awslogs-group":"/ecs/m"},"ContainerARN":")" +
            web.container_arn +
            R"(",)"
            R"("Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.2.61"],"IPv6Addresses":["2001:db8:1:2:3::4"],"AttachmentIndex":0,"MACAddress":"0e:10:e2:01:bd:91",)"
            R"("IPv4SubnetCIDRBlock":"10.0.16.0/20","IPv6SubnetCIDRBlock":"2001:db8:1:2::/64","DomainNameServers":["10.0.0.2"],"DomainNameSearchList":["us-west-2.compute.internal"],)"
            R"("PrivateDNSName":"ip-10-0-2-61.us-west-2.compute.internal","SubnetGatewayIpv4Address":"10.0.17.1/20"}],"RestartCount":0})");
    const Response by_address = v2_task(*snapshot, "169.254.172.2", identity(), nullptr);
    EXPECT_EQ(by_address.status, 200U);
    EXPECT_THAT(
        by_address.body,
        HasSubstr(
            R"("Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.2.61"],"IPv6Addresses":["2001:db8:1:2:3::4"]}],"Health")"));
    EXPECT_EQ(v2_container(*snapshot, "169.254.172.2", "x").body, "\"Unable to generate metadata for container 'x'\"");
    EXPECT_EQ(v2_container_stats(*snapshot, nullptr, "169.254.172.2", "x").body,
              "\"Unable to get container stats for: x\"");
    EXPECT_EQ(v2_container(*snapshot, "169.254.172.2", kWebId).status, 200U);
}

TEST(Documents, PrintAtLeastTwoCpuUnits) {
    TaskView task = i_task();
    task.containers[1].cpu = 0;
    EXPECT_THAT(v4_container(*snapshot_of({task}), kWebEndpoint).body, HasSubstr(R"("Limits":{"CPU":2,"Memory":48})"));
}

TEST(Documents, OfVersionFourNameTheTagsThatCouldNotBeFetched) {
    const Tags failed{
        .task = {{"k", "v"}},
        .container_instance = {},
        .failures = {{.field = "ContainerInstanceTags", .message = "GetResourceTags failed", .resource_arn = "arn:i"}}};
    const auto snapshot = snapshot_of({i_task()});
    EXPECT_THAT(
        v4_task(*snapshot, kWebEndpoint, identity(), &failed).body,
        HasSubstr(
            R"("TaskTags":{"k":"v"},"LaunchType":"EC2","Errors":[{"ErrorField":"ContainerInstanceTags","ErrorMessage":"GetResourceTags failed","ResourceARN":"arn:i"}],"Containers")"));
    EXPECT_THAT(v3_task(*snapshot, kWebEndpoint, identity(), &failed).body, Not(HasSubstr("Errors")));
}

TEST(Associations, ListTheDevicesOfTheContainerInPayloadOrder) {
    TaskView task = i_task();
    task.associations = {{.containers = {"web", "side"},
                          .content = {.encoding = "base64", .value = "{raw"},
                          .name = "dev2",
                          .type = "gpu"},
                         {.containers = {"web"}, .content = {}, .name = "dev1", .type = "gpu"},
                         {.containers = {"web"}, .content = {}, .name = "other", .type = "elastic-inference"}};
    const auto snapshot = snapshot_of({task});
    EXPECT_EQ(associations_of_type(*snapshot, 3, kWebEndpoint, "gpu").body, R"({"Associations":["dev2","dev1"]})");
    EXPECT_EQ(associations_of_type(*snapshot, 4, kSideEndpoint, "gpu").body, R"({"Associations":["dev2"]})");
    EXPECT_EQ(associations_of_type(*snapshot, 4, kSideEndpoint, "fpga").body, R"({"Associations":null})");
    EXPECT_EQ(association(*snapshot, 3, kSideEndpoint, "gpu", "dev2").body, "{raw") << "verbatim, JSON or not";
    EXPECT_EQ(association(*snapshot, 3, kSideEndpoint, "gpu", "").body,
              "\"V3 container associations handler: unable to get association name from request\"");
    EXPECT_EQ(association(*snapshot, 3, kSideEndpoint, "gpu", "dev9").body,
              "\"Unable to write container association response: unable to get association from association type gpu "
              "and association name dev9\"");
}

struct ScriptedStats final : StatsSource {
    std::map<std::string, ContainerSample> samples;
    [[nodiscard]] std::optional<ContainerSample> sample(const std::string&,
                                                        const std::string& docker_id) const override {
        const auto found = samples.find(docker_id);
        return found == samples.end() ? std::nullopt : std::optional(found->second);
    }
};

TEST(Stats, BeforeTheFirstSampleAreNullOrEmptyByVersion) {
    const auto snapshot = snapshot_of({i_task()});
    EXPECT_EQ(v3_container_stats(*snapshot, nullptr, kWebEndpoint).body, "null");
    EXPECT_EQ(v4_container_stats(*snapshot, nullptr, kWebEndpoint).body, "{}");
    EXPECT_EQ(v3_task_stats(*snapshot, nullptr, kWebEndpoint).body,
              "{\"" + kSideId + "\":null,\"" + kWebId + "\":null}");
    EXPECT_EQ(v4_task_stats(*snapshot, nullptr, kWebEndpoint).body, "{\"" + kSideId + "\":{},\"" + kWebId + "\":{}}");
}

TEST(Stats, OfAStoppedContainerAreAnError) {
    const auto snapshot = snapshot_of({i_task()});
    const Response old = v3_container_stats(*snapshot, nullptr, kSideEndpoint);
    EXPECT_EQ(old.status, 400U);
    EXPECT_EQ(old.body, "\"Unable to get container stats for: " + kSideId + "\"");
    EXPECT_EQ(v4_container_stats(*snapshot, nullptr, kSideEndpoint).status, 500U);
}

TEST(Stats, CarryRatesInVersionFourOnly) {
    ScriptedStats source;
    source.samples[kWebId] = {.object = std::make_shared<const std::string>(R"({"read":"x"})"),
                              .rates = NetworkRates{.received = 4.8F, .sent = 0}};
    const auto snapshot = snapshot_of({i_task()});
    EXPECT_EQ(v3_container_stats(*snapshot, &source, kWebEndpoint).body, R"({"read":"x"})");
    EXPECT_EQ(v4_container_stats(*snapshot, &source, kWebEndpoint).body,
              R"({"read":"x","network_rate_stats":{"rx_bytes_per_sec":4.800000190734863,"tx_bytes_per_sec":0}})");
}

TEST(Stats, WithARateThatIsNoNumberCannotBeEncoded) {
    ScriptedStats source;
    source.samples[kWebId] = {.object = std::make_shared<const std::string>("{}"),
                              .rates = NetworkRates{.received = NAN, .sent = 0}};
    const auto snapshot = snapshot_of({i_task()});
    for (const Response& answer :
         {v4_container_stats(*snapshot, &source, kWebEndpoint), v4_task_stats(*snapshot, &source, kWebEndpoint)}) {
        EXPECT_EQ(answer.status, 500U);
        EXPECT_EQ(answer.body, "{}");
    }
}

TEST(DocumentCache, RendersATaskOnceAndAgainWhenItHasChanged) {
    DocumentCache cache;
    const auto who = std::make_shared<const InstanceIdentity>(identity());
    const auto first = snapshot_of({i_task()});
    const auto task = first->tasks.at(kTaskArn);
    const auto document = cache.task_document(first, who, task);
    EXPECT_EQ(cache.task_document(first, who, task), document);
    TaskView changed = i_task();
    changed.known = TaskStatus::Stopped;
    const auto second = snapshot_of({changed});
    EXPECT_THAT(*cache.task_document(second, who, second->tasks.at(kTaskArn)), HasSubstr(R"("KnownStatus":"STOPPED")"));
    EXPECT_EQ(cache.size(), 1U) << "the old one is gone";
    InstanceIdentity moved = identity();
    moved.vpc_id = "vpc-2";
    const auto elsewhere = std::make_shared<const InstanceIdentity>(moved);
    EXPECT_THAT(*cache.task_document(second, elsewhere, second->tasks.at(kTaskArn)), HasSubstr("vpc-2"));
}

Request query(std::string_view text) {
    return Request{.method = "GET",
                   .path = "/v1/tasks",
                   .query = text,
                   .has_query = true,
                   .body = {},
                   .user_agent = {},
                   .forwarded_for = {}};
}

std::shared_ptr<const model::Snapshot> introspected() {
    TaskView running = i_task();
    running.arn = "arn:aws:ecs:us-west-2:123456789012:task/judge/4e4f28672e56dc9deba47bf0c14ce84e";
    running.family = "fam-j1";
    running.containers[0].known = ContainerStatus::Running;
    running.containers[0].docker_name = "ecs-fam-j1-1-side-0123456789abcdef0123";
    running.containers[1].docker_name = "ecs-fam-j1-1-web-0123456789abcdef0123";
    running.containers[1].ports.clear();
    bind_port(running.containers[1], 80, 18902, "tcp");
    TaskView stopped;
    stopped.arn = "arn:aws:ecs:us-west-2:123456789012:task/judge/946c0b54414a43d059b1ad576fdce2ae";
    stopped.family = "fam-j2";
    stopped.version = "1";
    stopped.desired = stopped.known = TaskStatus::Stopped;
    stopped.containers = {container("one", stopped, std::string(64, 'c'), "e1")};
    return snapshot_of({running, stopped});
}

TEST(Introspection, ListsTasksAsRecorded) {
    expect_recorded(introspection_tasks(*introspected(), Request{}).body, "introspection_tasks");
    expect_recorded(introspection_metadata(identity()).body, "introspection_metadata");
    EXPECT_EQ(introspection_tasks(model::Snapshot{}, Request{}).body, R"({"Tasks":[]})");
}

TEST(Introspection, FindsOneTaskByArnByIdAndByTheBeginningOfAnId) {
    const auto snapshot = introspected();
    const std::string arn = "arn:aws:ecs:us-west-2:123456789012:task/judge/946c0b54414a43d059b1ad576fdce2ae";
    for (const std::string& text :
         {"taskarn=" + arn, "dockerid=" + std::string(64, 'c'), std::string("dockerid=ccc")}) {
        const Response found = introspection_tasks(*snapshot, query(text));
        EXPECT_EQ(found.status, 200U) << text;
        EXPECT_THAT(found.body, StartsWith(R"({"Arn":")" + arn + "\"")) << text;
    }
}

TEST(Introspection, AnswersEmptyTasksForQueriesWithoutOneResult) {
    const auto snapshot = introspected();
    const std::vector<std::pair<std::string, unsigned>> rows{
        {"taskarn=none", 404},        {"taskarn=", 404},  {"dockerid=" + std::string(13, 'c'), 404},
        {"dockerid=d", 404},          {"dockerid=", 400}, {"taskarn=&dockerid=", 400},
        {"dockerid=c&taskarn=x", 400}};
    for (const auto& [text, status] : rows) {
        const Response answer = introspection_tasks(*snapshot, query(text));
        EXPECT_EQ(answer.status, status) << text;
        EXPECT_EQ(answer.body, R"({"Arn":"","KnownStatus":"","Family":"","Version":"","Containers":null})") << text;
    }
}

TEST(Introspection, DropsADesiredStatusThatLiesBehind) {
    TaskView task = i_task();
    task.known = TaskStatus::Stopped;
    EXPECT_THAT(introspection_tasks(*snapshot_of({task}), Request{}).body,
                HasSubstr(R"(722ef","KnownStatus":"STOPPED")"));
    task.internal = true;
    EXPECT_EQ(introspection_tasks(*snapshot_of({task}), Request{}).body, R"({"Tasks":[]})");
}

TEST(Introspection, BeforeRegistrationHasNoInstanceArn) {
    EXPECT_THAT(introspection_metadata({.cluster = "c",
                                        .container_instance_arn = "",
                                        .availability_zone = "",
                                        .availability_zone_id = "",
                                        .vpc_id = ""})
                    .body,
                StartsWith(R"({"Cluster":"c","ContainerInstanceArn":null,"Version":"Amazon ECS Agent - v1.105.1 (*)"));
}

TEST(Introspection, FailsWithoutBodyWhenTheLicenseIsNotThere) {
    const Response answer = introspection_license("/nonexistent");
    EXPECT_EQ(answer.status, 500U);
    EXPECT_EQ(answer.content_type, "text/plain");
    EXPECT_TRUE(answer.body.empty());
}

TEST(Extensions, ShowATaskByArnIdOrUniqueBeginning) {
    const auto snapshot = introspected();
    for (const std::string id : {"arn:aws:ecs:us-west-2:123456789012:task/judge/4e4f28672e56dc9deba47bf0c14ce84e",
                                 "4e4f28672e56dc9deba47bf0c14ce84e", "4e"}) {
        const Response answer = extension_task(*snapshot, id);
        EXPECT_EQ(answer.status, 200U) << id;
        EXPECT_EQ(OrderedJson::parse(answer.body)["containers"][1]["ports"],
                  OrderedJson::parse(R"(["0.0.0.0:18902->80/tcp","[::]:18902->80/tcp"])"));
    }
    EXPECT_EQ(extension_task(*snapshot, "ff").body, R"({"error":"no task ff on this instance"})");
    EXPECT_EQ(extension_task(*snapshot, "").status, 404U);
}

TEST(Extensions, AskForMoreOfAnAmbiguousId) {
    TaskView a = i_task(), b = i_task();
    a.arn = "arn:task/c/aa1";
    b.arn = "arn:task/c/aa2";
    EXPECT_EQ(extension_task(*snapshot_of({a, b}), "aa").status, 409U);
}

TEST(Extensions, CountTasksInTheStatus) {
    TaskView waiting = i_task();
    waiting.arn = "arn:task/c/w";
    waiting.known = TaskStatus::None;
    waiting.waiting_for = "memory";
    const Response answer = extension_status(*snapshot_of({i_task(), waiting}), identity(), AgentStatus{},
                                             {.resident_bytes = 5, .open_descriptors = 6});
    const OrderedJson status = OrderedJson::parse(answer.body);
    EXPECT_EQ(status["tasks"], OrderedJson::parse(R"({"running":1,"pending":1,"stopped":0,"waiting":1})"));
    EXPECT_EQ(status["acsConnectedSince"], nullptr);
    EXPECT_EQ(status["residentBytes"], 5);
}

TEST(Extensions, TellHowTheHostSetUpWent) {
    model::HostConditions host;
    const auto told = [&] {
        const Response answer = extension_status(*snapshot_of({}), identity(), AgentStatus{}, ProcessUse{}, &host);
        return OrderedJson::parse(answer.body)["host"];
    };
    EXPECT_FALSE(told().contains("setup"));
    host.setup = model::HostSetupCondition{.at = "T", .problems = {"p"}, .instance_metadata_open = {}};
    EXPECT_EQ(told()["setup"], OrderedJson::parse(R"({"at":"T","problems":["p"]})"));
    host.setup->instance_metadata_open = true;
    EXPECT_EQ(told()["setup"]["instanceMetadataOpen"], true);
}

TEST(Extensions, NeverPrintASecretValue) {
    const Response answer = extension_settings(
        {{.name = "ECS_ENGINE_AUTH_DATA", .value = "hunter2", .source = "file", .active = true, .secret = true}});
    EXPECT_THAT(answer.body, Not(HasSubstr("hunter2")));
    EXPECT_EQ(
        answer.body,
        R"({"settings":[{"name":"ECS_ENGINE_AUTH_DATA","value":"\u003credacted\u003e","source":"file","active":true,"secret":true}]})");
}

}  // namespace
}  // namespace nodeagent::metadata
