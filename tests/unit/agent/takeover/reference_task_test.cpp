#include "agent/takeover/reference_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/time_format.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/step.hpp"
#include "tests/fakes/reference_records.hpp"

namespace nodeagent::takeover {
namespace {

using core::ContainerKind;
using core::ResourceState;
using core::ResourceStatus;
using fakes::reference_container;
using fakes::reference_docker_container;
using fakes::reference_task;
using model::ContainerStatus;
using model::TaskStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kTask = "arn:aws:ecs:us-west-2:123456789012:task/bench/0011";

core::Identity names() {
    core::Identity identity;
    identity.uuid = [] { return std::string("new-uuid"); };
    identity.container_name = [](const model::Task& task, const std::string& container) {
        return "ecs-" + task.family + "-" + container;
    };
    identity.volume_name = identity.container_name;
    return identity;
}

class ReferenceTask : public testing::Test {
  protected:
    /// `one` is made: it has its record in the bucket `containers`.
    void made(const Json& one, const std::string& id = "c0ffee") {
        stored["0011-" + one.at("Name").get<std::string>()] = reference_docker_container(id, "ecs-it-1-main-ab", one);
    }
    TranslatedTask translated(const Json& record) {
        auto result = translate_task(record, stored, names(), 3);
        EXPECT_TRUE(result) << result.error().what;
        return result ? *std::move(result) : TranslatedTask{};
    }
    std::string refused(const Json& record) {
        const auto result = translate_task(record, stored, names(), 3);
        return result ? "it was read" : result.error().what;
    }

    std::map<std::string, Json> stored;
    Json main = reference_container(kTask, "main", "RUNNING");
};

TEST_F(ReferenceTask, ARunningTaskIsTheSameTaskHere) {
    main["KnownExitCode"] = nullptr;
    made(main);
    const TranslatedTask out = translated(reference_task(kTask, "RUNNING", {main}));
    const core::TaskState& task = out.task;
    EXPECT_EQ(task.arn, kTask);
    EXPECT_EQ(task.definition->family, "it");
    EXPECT_EQ(task.definition->network_mode, "bridge");
    EXPECT_EQ(task.desired, TaskStatus::Running);
    EXPECT_EQ(task.known, TaskStatus::Running);
    EXPECT_EQ(task.sent, TaskStatus::Running);
    EXPECT_EQ(task.credentials_id, "b1a6ede6-1a9f-4ab3-a02e-bd3e51b11244");
    EXPECT_EQ(task.pull_started_at, parse_rfc3339("2026-01-02T03:04:05Z"));
    EXPECT_EQ(task.pull_stopped_at, parse_rfc3339("2026-01-02T03:04:05.25Z"));
    EXPECT_EQ(task.execution_stopped_at, std::nullopt);
    EXPECT_EQ(task.known_at, parse_rfc3339("2026-01-02T03:04:06.5Z"));
    EXPECT_EQ(task.arrival, 3U);
    EXPECT_TRUE(task.resources_consumed);
    EXPECT_FALSE(task.task_limits);
    EXPECT_THAT(out.missing, IsEmpty());

    ASSERT_EQ(task.containers.size(), 1U);
    const core::ContainerState& container = task.containers.front();
    EXPECT_EQ(container.name, "main");
    EXPECT_EQ(container.runtime_id, "c0ffee");
    EXPECT_EQ(container.docker_name, "ecs-it-1-main-ab");
    EXPECT_EQ(container.endpoint_id, "9cd43f50-acff-42fe-829e-3ed4aa68f637");
    EXPECT_EQ(container.known, ContainerStatus::Running);
    EXPECT_EQ(container.sent, ContainerStatus::Running);
    EXPECT_TRUE(container.essential);
    EXPECT_EQ(container.image_digest, "sha256:0001");
    EXPECT_THAT(container.port_bindings,
                ElementsAre(model::PortBinding{
                    .container_port = 80, .host_port = 32768, .bind_ip = "0.0.0.0", .protocol = "tcp"}));
    EXPECT_EQ(container.definition->container_arn, "arn:aws:ecs:us-west-2:123456789012:container/bench/0/main");
    EXPECT_EQ(container.definition->stop_timeout, 5);
    EXPECT_EQ(container.definition->port_mappings.front().host_port, 0);
    EXPECT_EQ(*container.definition->command, (std::vector<std::string>{"sleep", "600"}));
    EXPECT_EQ(container.definition->entry_point, std::nullopt);
}

TEST_F(ReferenceTask, WhatIsSavedOfItComesBack) {
    made(main);
    const core::TaskState task = translated(reference_task(kTask, "RUNNING", {main})).task;
    const auto again = core::decode_saved_task(core::encode_saved_task(task));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(core::encode_saved_task(*again), core::encode_saved_task(task));
}

TEST_F(ReferenceTask, ItsContainerIsNotTouchedWhenTheTaskGoesOn) {
    made(main);
    core::TaskState task = translated(reference_task(kTask, "RUNNING", {main})).task;
    const Instant now{SteadyTime(std::chrono::hours(1)), *parse_rfc3339("2026-01-02T04:00:00Z")};
    core::Observation seen;
    seen.phase = core::Observation::Phase::Running;
    seen.runtime_id = "c0ffee";
    seen.started_at = parse_rfc3339("2026-01-02T03:04:06.5Z");
    std::vector<core::Action> actions;
    for (const core::Event& event :
         {core::Event(core::Resumed{}),
          core::Event(core::ContainerObserved{.container = "main", .seen = seen, .at_restore = true})}) {
        core::Outcome outcome = core::step(std::move(task), event, now, core::Settings{});
        task = std::move(outcome.state);
        actions.insert(actions.end(), outcome.actions.begin(), outcome.actions.end());
    }
    std::erase_if(actions, [](const core::Action& one) { return std::holds_alternative<core::WakeAt>(one); });
    EXPECT_THAT(actions, IsEmpty()) << "nothing is created, started, stopped or reported";
    EXPECT_EQ(task.known, TaskStatus::Running);
}

TEST_F(ReferenceTask, ValuesOfSecretsAreNotTakenOver) {
    main["environment"]["PASSWORD"] = "hunter2";
    main["secrets"] = Json::array(
        {{{"name", "PASSWORD"}, {"valueFrom", "/db"}, {"provider", "ssm"}, {"type", "ENVIRONMENT_VARIABLE"}}});
    const TranslatedTask waiting =
        translated(reference_task(kTask, "NONE", {reference_container(kTask, "a", "PULLED"), main}));
    EXPECT_THAT(core::encode_saved_task(waiting.task), Not(HasSubstr("hunter2")));
    Json pulled = main;
    pulled["KnownStatus"] = "PULLED";
    const TranslatedTask out = translated(reference_task(kTask, "NONE", {pulled}));
    EXPECT_EQ(out.task.definition->containers[0].environment, (std::map<std::string, std::string>{{"MODE", "fast"}}));
    EXPECT_THAT(core::encode_saved_task(out.task), Not(HasSubstr("hunter2")));
    made(main);
    const TranslatedTask running = translated(reference_task(kTask, "RUNNING", {main}));
    EXPECT_THAT(running.task.definition->containers[0].environment, IsEmpty());
    ASSERT_EQ(running.task.resources.size(), 1U);
    EXPECT_EQ(running.task.resources[0].kind, ResourceState::Kind::SsmSecrets);
    EXPECT_EQ(running.task.resources[0].known, ResourceStatus::Created);
}

TEST_F(ReferenceTask, AContainerStillToBeMadeGetsAName) {
    main["KnownStatus"] = "PULLED";
    const TranslatedTask out = translated(reference_task(kTask, "NONE", {main}));
    EXPECT_EQ(out.task.containers[0].docker_name, "ecs-it-main");
    EXPECT_EQ(out.task.containers[0].known, ContainerStatus::Pulled);
    EXPECT_TRUE(out.task.resources_consumed);
}

TEST_F(ReferenceTask, AnIdMeansThatTheContainerWasMade) {
    main["KnownStatus"] = "PULLED";
    made(main);
    EXPECT_EQ(translated(reference_task(kTask, "NONE", {main})).task.containers[0].known, ContainerStatus::Created);
}

TEST_F(ReferenceTask, AnEndedTaskKeepsWhatIsStillToBeTold) {
    Json ended = reference_container(kTask, "main", "STOPPED");
    ended["KnownExitCode"] = 137;
    ended["SentStatus"] = "RUNNING";
    ended["ApplyingError"] = {{"error", "Container killed due to memory usage"}, {"name", "OutOfMemoryError"}};
    made(ended);
    Json record = reference_task(kTask, "STOPPED", {ended});
    record["SentStatus"] = "RUNNING";
    record["ExecutionStoppedAt"] = "2026-01-02T03:10:00Z";
    const core::TaskState task = translated(record).task;
    EXPECT_EQ(task.known, TaskStatus::Stopped);
    EXPECT_EQ(task.sent, TaskStatus::Running);
    EXPECT_EQ(task.execution_stopped_at, parse_rfc3339("2026-01-02T03:10:00Z"));
    EXPECT_EQ(task.containers[0].exit_code, 137);
    EXPECT_EQ(task.containers[0].error, (core::NamedError{"OutOfMemoryError", "Container killed due to memory usage"}));
    EXPECT_FALSE(task.resources_consumed);
}

TEST_F(ReferenceTask, RestartsGoOnBeingCounted) {
    main["restartPolicy"] = {{"enabled", true}, {"ignoredExitCodes", {0}}, {"restartAttemptPeriod", 60}};
    main["restartTracker"] = {{"restartCount", 4}, {"lastRestartAt", "2026-01-02T03:05:00Z"}};
    made(main);
    const core::ContainerState container = translated(reference_task(kTask, "RUNNING", {main})).task.containers[0];
    EXPECT_EQ(container.restarts.count, 4);
    EXPECT_EQ(container.restarts.last_restart_at, parse_rfc3339("2026-01-02T03:05:00Z"));
    EXPECT_EQ(container.definition->restart_policy->restart_attempt_period, 60);
}

TEST_F(ReferenceTask, CgroupAndVolumesAreItsResources) {
    main["mountPoints"] = Json::array({{{"sourceVolume", "scratch"}, {"containerPath", "/s"}, {"readOnly", false}}});
    made(main);
    Json record = reference_task(kTask, "RUNNING", {main});
    record["MemoryCPULimitsEnabled"] = true;
    record["volumes"] =
        Json::array({{{"name", "scratch"}, {"type", "host"}, {"host", {{"hostPath", "ecs-it-1-scratch-ab"}}}},
                     {{"name", "logs"}, {"type", "host"}, {"host", {{"sourcePath", "/var/log/app"}}}}});
    const auto volume = [](const char* name, const char* docker, const char* scope) {
        return Json{
            {"name", name},
            {"dockerVolumeConfiguration", {{"scope", scope}, {"dockerVolumeName", docker}, {"driver", "local"}}},
            {"createdAt", fakes::kZeroTime},
            {"desiredStatus", "CREATED"},
            {"knownStatus", "CREATED"}};
    };
    record["resources"] = {{"cgroup", Json::array({{{"cgroupRoot", "/ecs/0011"},
                                                    {"cgroupMountPath", "/sys/fs/cgroup"},
                                                    {"desiredStatus", "CREATED"},
                                                    {"knownStatus", "CREATED"},
                                                    {"resourceSpec", {{"cpu", {{"shares", 10}}}}}}})},
                           {"dockerVolume", Json::array({volume("scratch", "ecs-it-1-scratch-ab", "task"),
                                                         volume("all", "all", "shared")})}};
    const core::TaskState task = translated(record).task;
    EXPECT_TRUE(task.task_limits);
    ASSERT_EQ(task.resources.size(), 3U);
    EXPECT_EQ(task.resources[0].name, core::kCgroupResource);
    EXPECT_EQ(task.resources[0].known, ResourceStatus::Created);
    EXPECT_EQ(task.resources[1].docker_name, "ecs-it-1-scratch-ab");
    EXPECT_FALSE(task.resources[1].shared);
    EXPECT_TRUE(task.resources[2].shared);
    EXPECT_EQ(task.definition->volumes[1].host->source_path, "/var/log/app");
}

TEST_F(ReferenceTask, ARunningTaskWithAbsentFeaturesRunsOnAndTheyAreNamed) {
    Json pause = reference_container(kTask, "~internal~ecs~pause", "RESOURCES_PROVISIONED");
    pause["IsInternal"] = "CNI_PAUSE";
    pause["SteadyStateStatus"] = "RESOURCES_PROVISIONED";
    main["dependsOn"] = Json::array({{{"containerName", "~internal~ecs~pause"}, {"condition", "START"}}});
    main["managedAgents"] =
        Json::array({{{"name", "ExecuteCommandAgent"}, {"status", "RUNNING"}, {"properties", nullptr}}});
    made(main);
    made(pause, "face");
    Json record = reference_task(kTask, "RUNNING", {main, pause});
    record["NetworkMode"] = "awsvpc";
    record["ENI"] = Json::array({{{"ec2Id", "eni-1"}, {"MacAddress", "02:00"}}});
    record["volumes"] =
        Json::array({{{"name", "shared"}, {"type", "efs"}, {"efsVolumeConfiguration", {{"fileSystemId", "fs-1"}}}},
                     {{"name", "disk"}, {"type", "amazonebs"}, {"ebsVolumeConfiguration", {{"volumeId", "vol-1"}}}}});
    const TranslatedTask out = translated(record);
    EXPECT_THAT(out.missing, ElementsAre("network mode awsvpc", "Amazon EBS volumes",
                                         "Amazon EFS volumes (volume shared)", "ECS Exec (container main)"));
    EXPECT_EQ(out.task.desired, TaskStatus::Running);
    ASSERT_EQ(out.task.containers.size(), 2U);
    EXPECT_EQ(out.task.definition->containers.size(), 1U);
    EXPECT_THAT(out.task.containers[0].definition->depends_on, IsEmpty());
    EXPECT_EQ(out.task.containers[1].kind, ContainerKind::NetworkPause);
    EXPECT_EQ(out.task.containers[1].runtime_id, "face");
    EXPECT_EQ(out.task.containers[1].known, ContainerStatus::Running);
    EXPECT_TRUE(core::decode_saved_task(core::encode_saved_task(out.task)));
}

TEST_F(ReferenceTask, ATaskWithAbsentFeaturesThatIsNotUpYetIsStoppedWithAReason) {
    main["KnownStatus"] = "PULLED";
    Json record = reference_task(kTask, "NONE", {main});
    record["ENI"] = {{"ec2Id", "eni-1"}};  // one object, as old versions wrote it
    const TranslatedTask out = translated(record);
    EXPECT_EQ(out.task.desired, TaskStatus::Stopped);
    EXPECT_THAT(out.task.stop_reason, HasSubstr("network mode awsvpc is not supported by this agent"));
}

TEST_F(ReferenceTask, OldSpellingsOfKindsAndNullsAreUnderstood) {
    for (const Json& kind : {Json(nullptr), Json(false), Json("NORMAL")}) {
        main["IsInternal"] = kind;
        EXPECT_EQ(translated(reference_task(kTask, "RUNNING", {main})).task.containers.size(), 1U) << kind;
    }
    for (const Json& kind : {Json(true), Json("EMPTY_HOST_VOLUME")}) {
        Json source = reference_container(kTask, "~internal~ecs-emptyvolume-source", "CREATED");
        source["IsInternal"] = kind;
        main["volumesFrom"] = Json::array({{{"sourceContainer", source["Name"]}, {"readOnly", false}}});
        EXPECT_EQ(translated(reference_task(kTask, "RUNNING", {main, source})).task.containers.size(), 1U) << kind;
    }
}

TEST_F(ReferenceTask, ADaemonOfTheReferencesOwnIsToldApart) {
    Json record = reference_task(kTask, "RUNNING", {main});
    record["IsInternal"] = true;
    EXPECT_TRUE(translated(record).internal);
}

TEST_F(ReferenceTask, AContainerIsCalledWhatTheTaskCallsIt) {
    main["name"] = "other";
    made(main);
    stored["0011-main"]["Container"]["Name"] = "third";
    const TranslatedTask out = translated(reference_task(kTask, "RUNNING", {main}));
    ASSERT_EQ(out.task.containers.size(), 1U);
    EXPECT_EQ(out.task.containers[0].name, "main");
    EXPECT_EQ(out.task.containers[0].definition->name, "main");
    EXPECT_THAT(refused(reference_task(kTask, "RUNNING", {main, main})), HasSubstr("two containers are called main"));
}

TEST_F(ReferenceTask, ARecordThatCannotBeReadSaysWhere) {
    EXPECT_THAT(refused(Json("text")), HasSubstr("expected an object"));
    EXPECT_THAT(refused(Json::object()), HasSubstr("Arn"));
    Json record = reference_task(kTask, "RUNNING", {main});
    record["KnownStatus"] = "DREAMING";
    EXPECT_THAT(refused(record), HasSubstr("unknown status"));
    main["KnownStatus"] = "DREAMING";
    EXPECT_THAT(refused(reference_task(kTask, "RUNNING", {main})),
                HasSubstr("main.KnownStatus: unknown status DREAMING"));
    main["KnownStatus"] = "RUNNING";
    main["IsInternal"] = "STRANGE";
    EXPECT_THAT(refused(reference_task(kTask, "RUNNING", {main})), HasSubstr("unknown kind STRANGE"));
    main["IsInternal"] = "NORMAL";
    main["dependsOn"] = Json::array({{{"containerName", "main"}, {"condition", "START"}}});
    EXPECT_THAT(refused(reference_task(kTask, "RUNNING", {main})), HasSubstr("wait for each other"));
    record = reference_task(kTask, "RUNNING", {});
    record["volumes"] = Json::array({{{"name", "x"}, {"type", "strange"}}});
    EXPECT_THAT(refused(record), HasSubstr("unrecognized volume type"));
}

}  // namespace
}  // namespace nodeagent::takeover
