#include "agent/core/adopt.hpp"

#include "agent/core/host_resources.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/reconcile.hpp"
#include "agent/core/saved_task.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Phase = Observation::Phase;

FoundContainer found(const std::string& name, Observation seen) {
    FoundContainer c;
    c.docker_name = "ecs-web-3-" + name;
    c.image = "img:" + name;
    c.network_mode = "default";
    c.cpu_shares = 128;
    c.memory_mib = 64;
    c.endpoint_id = "endpoint-" + name;
    c.seen = std::move(seen);
    c.seen.labels = {{std::string(kTaskArnLabel), kArn},
                     {std::string(kContainerNameLabel), name},
                     {std::string(kFamilyLabel), "web"},
                     {std::string(kVersionLabel), "3"}};
    return c;
}

TaskState adopted(std::vector<FoundContainer> all, bool task_limits = false) {
    return adopted_task(kArn, std::move(all), counted_identity(), {.task_limits = task_limits, .arrival = 4}, kNow, {});
}

TEST(Adopt, ARunningContainerMakesATaskThatIsToRunAndSaysSoToEcs) {
    FoundContainer web = found("web", running("web"));
    web.credentials_id = "c-1";
    web.seen.ports = {{.container_port = 80, .host_port = 32768, .bind_ip = "0.0.0.0", .protocol = "tcp"},
                      {.container_port = 80, .host_port = 32768, .bind_ip = "::", .protocol = "tcp"}};
    Bench b(adopted({web}));
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    EXPECT_EQ(b.task.definition->family, "web");
    EXPECT_EQ(b.task.definition->version, "3");
    EXPECT_EQ(b.task.definition->network_mode, "bridge");
    EXPECT_EQ(b.task.credentials_id, "c-1");
    EXPECT_TRUE(b.task.resources_consumed);
    EXPECT_EQ(b.task.containers[0].endpoint_id, "endpoint-web");
    EXPECT_EQ(b.task.containers[0].definition->image, "img:web");
    EXPECT_THAT(b.task.containers[0].definition->port_mappings, SizeIs(1));

    b.hear(Resumed{});
    ASSERT_THAT(all_of<ReportContainer>(b.last), SizeIs(1));
    EXPECT_THAT(all_of<ReportContainer>(b.last)[0].change.network_bindings, SizeIs(1));
    ASSERT_THAT(all_of<ReportTask>(b.last), SizeIs(1));
    EXPECT_EQ(all_of<ReportTask>(b.last)[0].change.status, TaskStatus::Running);
    EXPECT_THAT(names_in<CreateContainer>(b.last), IsEmpty());
}

TEST(Adopt, ItsEndIsReportedWithTheExitCodesAndItIsCleanedUpLikeAnyOther) {
    Bench b(adopted({found("web", running("web"))}));
    b.hear(Resumed{});
    b.run(ContainerObserved{.container = "web", .seen = exited("web", 7)});
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b.task.containers[0].exit_code, 7);
    EXPECT_FALSE(b.task.resources_consumed);
    b.task.sent = TaskStatus::Stopped;
    b.now = later(std::chrono::hours(4));
    b.hear(Woken{});
    EXPECT_THAT(all_of<CleanUp>(b.last), SizeIs(1));
}

TEST(Adopt, WhatEndedBeforeIsReportedStoppedWithItsCodeAndTime) {
    Observation end = exited("web", 3);
    end.finished_at = kNow.wall - std::chrono::minutes(10);
    const TaskState task = adopted({found("web", end)});
    EXPECT_EQ(task.desired, TaskStatus::Stopped);
    EXPECT_EQ(task.known, TaskStatus::Stopped);
    EXPECT_EQ(task.containers[0].exit_code, 3);
    EXPECT_EQ(task.known_at, end.finished_at);
    EXPECT_EQ(task.execution_stopped_at, end.finished_at);
    EXPECT_FALSE(task.resources_consumed);
}

TEST(Adopt, AnInitContainerThatDidItsWorkDoesNotEndTheTask) {
    const TaskState task = adopted({found("init", exited("init", 0)), found("web", running("web"))});
    EXPECT_EQ(task.desired, TaskStatus::Running);
    EXPECT_EQ(task.known, TaskStatus::Running);
    EXPECT_FALSE(task.find("init")->essential);
    const TaskState failed = adopted({found("init", exited("init", 1)), found("web", running("web"))});
    EXPECT_EQ(failed.desired, TaskStatus::Stopped);
}

TEST(Adopt, OfTwoWithOneNameTheRunningOneCounts) {
    Observation old = exited("web", 1);
    old.runtime_id = "old";
    const TaskState task = adopted({found("web", running("web")), found("web", old)});
    ASSERT_THAT(task.containers, SizeIs(1));
    EXPECT_EQ(task.containers[0].runtime_id, "id-web");
}

TEST(Adopt, ItsCgroupAndTheVolumesNamedForItGoWithIt) {
    FoundContainer web = found("web", running("web"));
    const std::string ours = "ecs-web-3-data-00112233445566778899";
    web.seen.volumes = {{.docker_name = ours, .source = "/a", .destination = "/d"},
                        {.docker_name = "shared", .source = "/b", .destination = "/s"},
                        {.docker_name = "", .source = "/etc", .destination = "/e"}};
    const TaskState task = adopted({web}, true);
    ASSERT_THAT(task.resources, SizeIs(2));
    EXPECT_EQ(task.resources[0].name, kCgroupResource);
    EXPECT_EQ(task.resources[1].name, "data");
    EXPECT_EQ(task.resources[1].docker_name, ours);
    EXPECT_TRUE(task.task_limits);
    EXPECT_EQ(task_volume_name("ecs-web-3-data-0011", "web", "3"), "");
    EXPECT_EQ(task_volume_name(ours, "web", "4"), "");
}

TEST(Adopt, TheGpusOfItsContainersAreBooked) {
    FoundContainer trains = found("trains", running("trains"));
    trains.gpus = {"GPU-1", "GPU-2"};
    FoundContainer shows = found("shows", running("shows"));
    shows.gpus = {"GPU-2"};
    const TaskState task = adopted({trains, shows});
    EXPECT_THAT(host_need(*task.definition).gpus, ElementsAre("GPU-1", "GPU-2"));
    EXPECT_TRUE(task.resources_consumed);
    const auto again = decode_saved_task(encode_saved_task(task));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_THAT(host_need(*again->definition).gpus, ElementsAre("GPU-1", "GPU-2"));
}

TEST(Adopt, APauseContainerIsTakenUpAsOneAndKeepsNoTaskRunning) {
    Observation ended = running("web");
    ended.phase = Phase::Stopped;
    ended.exit_code = 0;
    ended.finished_at = kNow.wall;
    FoundContainer pause = found(std::string(kNamespacePauseName), running("pause"));
    pause.network_mode = "none";
    const TaskState over = adopted({pause, found("web", ended)});
    EXPECT_EQ(over.desired, TaskStatus::Stopped);
    EXPECT_EQ(over.definition->network_mode, "bridge");
    EXPECT_THAT(over.definition->containers, SizeIs(1));
    EXPECT_TRUE(over.find("web")->essential);

    Bench b(adopted({pause, found("web", running("web"))}));
    EXPECT_EQ(b.task.desired, TaskStatus::Running);
    const ContainerState* kept = b.task.find(kNamespacePauseName);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->kind, ContainerKind::NamespacePause);
    EXPECT_EQ(kept->endpoint_id, "");
    b.hear(Resumed{});
    for (const ReportContainer& report : all_of<ReportContainer>(b.last)) {
        EXPECT_EQ(report.change.container_name, "web") << "the agent's own containers are not reported";
    }
    const auto again = decode_saved_task(encode_saved_task(b.task));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->find(kNamespacePauseName)->kind, ContainerKind::NamespacePause);
    const auto alone = decode_saved_task(encode_saved_task(adopted({pause})));
    ASSERT_TRUE(alone) << alone.error().what;
    EXPECT_EQ(alone->desired, TaskStatus::Stopped);
}

TEST(Adopt, SurvivesBeingSaved) {
    const TaskState task = adopted({found("web", running("web"))});
    const auto again = decode_saved_task(encode_saved_task(task));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(encode_saved_task(*again), encode_saved_task(task));
}

TEST(KindNamed, TellsTheReferencesPauseContainersFromThoseOfAPayload) {
    EXPECT_EQ(kind_named("~internal~ecs~pause"), ContainerKind::NetworkPause);
    EXPECT_EQ(kind_named("~internal~ecs~pause-web"), ContainerKind::NetworkPause) << "Service Connect on a bridge";
    EXPECT_EQ(kind_named("~internal~ecs~pause~namespace"), ContainerKind::NamespacePause);
    EXPECT_EQ(kind_named("pause"), ContainerKind::Normal);
}

}  // namespace
}  // namespace nodeagent::core::testing
