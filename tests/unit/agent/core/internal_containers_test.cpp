#include "agent/core/internal_containers.hpp"

#include "agent/core/saved_task.hpp"
#include "agent/core/view.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using S = ContainerStatus;

const std::string kPause(kNamespacePauseName);

model::Task sharing(std::vector<model::Container> containers) {
    model::Task payload = payload_of(std::move(containers));
    payload.pid_mode = "task";
    return payload;
}

/// With the pause container's image provided when it is asked for.
Bench running(std::vector<model::Container> containers) {
    Bench bench(*accepted(sharing(std::move(containers))));
    bench.start();
    bench.run(ImagePulled{kPause, {}, false, {}});
    return bench;
}

TEST(InternalContainers, ATaskThatSharesPidOrIpcNamespacesGetsAPauseContainer) {
    const auto kinds = [](const char* pid, const char* ipc) {
        model::Task payload = payload_of({container("app")});
        payload.pid_mode = pid;
        payload.ipc_mode = ipc;
        std::vector<std::string> found;
        const auto task = accepted(payload);
        for (const ContainerState& c : task->containers) found.emplace_back(to_string(c.kind));
        return found;
    };
    EXPECT_THAT(kinds("task", ""), ElementsAre("NORMAL", "NAMESPACE_PAUSE"));
    EXPECT_THAT(kinds("", "task"), ElementsAre("NORMAL", "NAMESPACE_PAUSE"));
    EXPECT_THAT(kinds("task", "task"), ElementsAre("NORMAL", "NAMESPACE_PAUSE"));
    EXPECT_THAT(kinds("host", "none"), ElementsAre("NORMAL"));
}

TEST(InternalContainers, AreNeitherResolvedNorPulledAndComeUpBeforeThePayloadsContainersArePulled) {
    Bench bench(*accepted(sharing({container("app")})));
    bench.start();
    EXPECT_THAT(names_in<ResolveManifest>(bench.history), ElementsAre("app"));
    EXPECT_THAT(names_in<ProvideImage>(bench.history), ElementsAre(kPause));
    EXPECT_THAT(names_in<PullImage>(bench.history), IsEmpty());
    EXPECT_EQ(bench["app"].known, S::ManifestPulled);

    bench.run(ImagePulled{kPause, {}, false, {}});
    EXPECT_THAT(names_in<PullImage>(bench.history), ElementsAre("app"));
    EXPECT_THAT(names_in<StartContainer>(bench.history), ElementsAre(kPause, "app"));
    EXPECT_EQ(bench.task.known, TaskStatus::Running);
}

TEST(InternalContainers, AreNeverReported) {
    Bench bench = running({container("app")});
    bench.run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_EQ(bench.task.known, TaskStatus::Stopped);
    for (const auto& report : bench.container_reports()) EXPECT_EQ(report.container_name, "app");
    ASSERT_FALSE(bench.task_reports().empty());
    EXPECT_EQ(bench.task_reports().back().status, TaskStatus::Stopped);
}

TEST(InternalContainers, StopAfterEveryContainerOfThePayload) {
    Bench bench = running({container("app"), sidecar("log")});
    bench.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(names_in<StopContainer>(bench.last), ElementsAre("app", "log"));
    bench.hear(ContainerStopDone{"app", exited("app", 0), {}});
    EXPECT_THAT(names_in<StopContainer>(bench.last), IsEmpty());
    bench.hear(ContainerStopDone{"log", exited("log", 0), {}});
    EXPECT_THAT(names_in<StopContainer>(bench.last), ElementsAre(kPause));
}

TEST(InternalContainers, TheirFailureIsTheReasonOfTheTask) {
    Bench bench(*accepted(sharing({container("app")})));
    bench.start();
    bench.run(ImagePulled{kPause, {}, false, NamedError{"CannotCreateContainerError", "no ecs-pause"}});
    EXPECT_EQ(bench.task.known, TaskStatus::Stopped);
    ASSERT_FALSE(bench.task_reports().empty());
    EXPECT_EQ(bench.task_reports().back().reason, "CannotCreateContainerError: no ecs-pause");
    EXPECT_THAT(names_in<CreateContainer>(bench.history), IsEmpty());
}

TEST(InternalContainers, TheEndOfOneEndsTheTaskAndSaysSo) {
    Bench bench = running({container("app")});
    bench.run(ContainerObserved{kPause, exited(kPause, 137)});
    EXPECT_EQ(bench.task.known, TaskStatus::Stopped);
    EXPECT_THAT(bench.task_reports().back().reason, HasSubstr(kPause));
}

TEST(InternalContainers, AStoppedTaskDoesNotBlameItsPauseContainer) {
    Bench bench = running({container("app")});
    bench.run(ContainerObserved{"app", exited("app", 3)});
    EXPECT_EQ(bench.task.known, TaskStatus::Stopped);
    EXPECT_EQ(bench.task_reports().back().reason, "");
}

TEST(InternalContainers, SurviveTheStore) {
    const Bench bench = running({container("app")});
    const Result<TaskState> read = decode_saved_task(encode_saved_task(bench.task));
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_EQ(read->containers.size(), 2U);
    EXPECT_EQ(read->containers[1].kind, ContainerKind::NamespacePause);
    EXPECT_EQ(read->containers[1].definition->image, kPauseImage);
    EXPECT_TRUE(read->containers[1].essential);
    TaskState again = *read;
    again.definition = bench.task.definition;  // compared by identity, and by content in the test of the store
    again.containers[0].definition = bench.task.containers[0].definition;
    EXPECT_TRUE(saved_alike(bench.task, again));
}

TEST(InternalContainers, ShowTheirKindAndNoEndpointInViews) {
    const Bench bench = running({container("app")});
    const model::TaskView shown = view(bench.task, {});
    ASSERT_EQ(shown.containers.size(), 2U);
    EXPECT_EQ(shown.containers[1].name, kPause);
    EXPECT_EQ(shown.containers[1].type, "NAMESPACE_PAUSE");
    EXPECT_EQ(shown.containers[1].endpoint_id, "");
    EXPECT_EQ(shown.containers[1].image_id, "");
}

TEST(InternalContainers, TheirNamesAreNotForPayloads) {
    const auto refused = accepted(payload_of({container(kPause)}));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().reason, HasSubstr("reserved"));
}

}  // namespace
}  // namespace nodeagent::core::testing
