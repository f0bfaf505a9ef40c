// What a container waits for besides its image: the host's room, ports, cgroup, volumes, credentials.
#include "task_builder.hpp"

#include "agent/core/stop_reason.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(StepResources, WaitsForTheHostBeforeAnythingElse) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{});
    EXPECT_THAT(b.last, SizeIs(1));
    EXPECT_THAT(all_of<AcquireHostResources>(b.last), SizeIs(1));
    b.hear(HostResourcesGranted{});
    EXPECT_THAT(names_in<ResolveManifest>(b.last), ElementsAre("app"));
    EXPECT_TRUE(b.task.resources_consumed);
}

TEST(StepResources, AWishToStopEndsTheWaitForTheHostAtOnce) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_THAT(all_of<ReleaseHostResources>(b.last), SizeIs(1));
    b.hear(HostResourcesGranted{});  // was on its way
    EXPECT_FALSE(b.task.resources_consumed);
}

TEST(StepResources, ATaskTheHostCanNeverHoldStopsWithTheReason) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(HostResourcesRefused{"too much"});
    EXPECT_EQ(b.task_reports().at(0).reason, "too much");
    EXPECT_EQ(b.task_reports().at(0).status, TaskStatus::Stopped);
}

TEST(StepResources, PortsAreChosenAndKeptBeforeTheCreateThatUsesThem) {
    model::Container web = container("web");
    web.port_mappings.push_back({.container_port = 80, .host_port = 0, .protocol = {}, .container_port_range = {}});
    Bench b(task_of({web}));
    b.hear(Resumed{})
        .hear(HostResourcesGranted{})
        .hear(ManifestResolved{"web", "", {}})
        .hear(ImagePulled{"web", "i", false, {}});
    EXPECT_THAT(names_in<AssignPorts>(b.last), ElementsAre("web"));
    EXPECT_THAT(names_in<CreateContainer>(b.last), IsEmpty());
    const PortsAssigned assigned{"web", {{80, 49153, "tcp", 0}}, {}};
    b.hear(assigned);
    EXPECT_THAT(names_in<CreateContainer>(b.last), ElementsAre("web"));
    b.hear(assigned);  // heard twice
    EXPECT_THAT(names_in<CreateContainer>(b.last), IsEmpty());
    b.hear(Resumed{});  // the agent was restarted before the create returned
    EXPECT_THAT(names_in<AssignPorts>(b.last), IsEmpty());
    EXPECT_THAT(names_in<CreateContainer>(b.last), ElementsAre("web"));
}

TEST(StepResources, NoFreePortIsAHostConfigError) {
    model::Container web = container("web");
    web.port_mappings.push_back({.container_port = 80, .host_port = 0, .protocol = {}, .container_port_range = {}});
    Bench b(task_of({web}));
    b.hear(Resumed{})
        .hear(HostResourcesGranted{})
        .hear(ManifestResolved{"web", "", {}})
        .hear(ImagePulled{"web", "i", false, {}});
    b.hear(
        PortsAssigned{"web", {}, error(kHostConfig, "error retrieving docker port map: a host port is unavailable")});
    EXPECT_EQ(b.container_reports().back().reason,
              "HostConfigError: error retrieving docker port map: a host port is unavailable");
}

TEST(StepResources, WaitsForTheCgroupBeforePulling) {
    Bench b(*accepted(payload_of({container("app")}), {.task_limits = true}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    EXPECT_THAT(names_in<PullImage>(b.history), IsEmpty());
    b.hear(ResourceSettled{
        .name = std::string(kCgroupResource), .status = ResourceStatus::Created, .error = {}, .stop_reason = {}});
    EXPECT_THAT(names_in<PullImage>(b.last), ElementsAre("app"));
}

TEST(StepResources, AFailedResourceStopsTheTaskWithItsReason) {
    Bench b(*accepted(payload_of({container("app")}), {.task_limits = true}));
    b.hear(Resumed{}).hear(HostResourcesGranted{}).hear(ManifestResolved{"app", "", {}});
    b.hear(ResourceSettled{.name = std::string(kCgroupResource),
                           .error = error("CgroupError", "x"),
                           .stop_reason = std::string(kCgroupFailed)});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.task_reports().back().reason, "CgroupError: Agent could not create task's platform resources");
}

TEST(StepResources, AMissingSharedVolumeRefusesTheTaskBeforeItTakesPartInAnything) {
    model::Container app = container("app");
    app.mount_points.push_back({"absent", "/v", false});
    model::Task payload = payload_of({app});
    payload.volumes.push_back(
        {.name = "absent",
         .type = "docker",
         .host = {},
         .docker =
             model::DockerVolume{
                 .scope = "shared", .autoprovision = false, .driver = {}, .driver_opts = {}, .labels = {}},
         .efs = {}});
    Bench b(*accepted(payload));
    b.hear(Resumed{});
    EXPECT_THAT(all_of<AcquireHostResources>(b.last), IsEmpty());
    b.hear(ResourceSettled{.name = "absent",
                           .error = error("CannotInspectVolumeError", "x"),
                           .stop_reason = "resource cannot be initialized",
                           .rejects_task = true});
    ASSERT_THAT(b.task_reports(), SizeIs(1));
    EXPECT_EQ(b.task_reports()[0].reason, "resource cannot be initialized");
    EXPECT_FALSE(b.task_reports()[0].execution_stopped_at);
    EXPECT_THAT(b.container_reports(), IsEmpty());
}

TEST(StepResources, WaitsForExecutionCredentialsAfterARestart) {
    model::Container app = container("app");
    app.registry_authentication = model::RegistryAuthentication{"ecr", model::EcrAuthData{"", "r", "1", true}, {}};
    model::Task payload = payload_of({app});
    payload.execution_role_credentials = model::RoleCredentials{};
    payload.execution_role_credentials->credentials_id = "exec";
    Bench b(*accepted(payload));
    b.task.execution_credentials_known = false;  // as decoded from the store
    b.hear(Resumed{}).hear(HostResourcesGranted{});
    EXPECT_THAT(names_in<ResolveManifest>(b.history), IsEmpty());
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    b.hear(ExecutionCredentialsArrived{});
    EXPECT_THAT(names_in<ResolveManifest>(b.last), ElementsAre("app"));
}

}  // namespace
}  // namespace nodeagent::core::testing
