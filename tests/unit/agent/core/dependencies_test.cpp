#include "agent/core/dependencies.hpp"

#include <algorithm>

#include "agent/core/stop_reason.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using S = ContainerStatus;

TEST(Dependencies, AContainerStartsAfterTheOneItDependsOn) {
    Bench b(task_of({with_dependency(container("web"), "db", "START"), container("db")}));
    b.start();
    EXPECT_THAT(names_in<StartContainer>(b.history), ElementsAre("db", "web"));
    EXPECT_THAT(names_in<ResolveManifest>(b.history), ElementsAre("web", "db")) << "manifests do not wait";
}

TEST(Dependencies, OnlyWithPullUpfrontImagesDoNotWaitEither) {
    for (const bool upfront : {false, true}) {
        Bench b(task_of({with_dependency(container("web"), "init", "SUCCESS"), sidecar("init")}));
        b.settings.pull_dependents_upfront = upfront;
        b.start();
        EXPECT_EQ(b["web"].known, upfront ? S::Pulled : S::ManifestPulled);
    }
}

TEST(Dependencies, SuccessNeedsExitCodeZero) {
    Bench b(task_of({with_dependency(container("web"), "init", "SUCCESS"), sidecar("init")}));
    b.start().run(ContainerObserved{"init", exited("init", 0)});
    EXPECT_EQ(b.task.known, TaskStatus::Running);
}

TEST(Dependencies, AFailedDependencyEndsTheDependentWithTheTextOfTheReference) {
    model::Container web = with_dependency(container("web"), "init", "SUCCESS");
    model::Container init = sidecar("init");
    web.image = "img2";
    init.image = "img";
    Bench b(task_of({web, init}));
    b.start().run(ContainerObserved{"init", exited("init", 3)});
    const auto reports = b.container_reports();
    const auto found =
        std::find_if(reports.begin(), reports.end(), [](const auto& r) { return r.container_name == "web"; });
    ASSERT_NE(found, reports.end());
    const model::ContainerStateChange& report = *found;
    EXPECT_EQ(report.exit_code, 143);
    EXPECT_EQ(
        report.reason,
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [init(img) "
        "(STOPPED->RUNNING) - Exit: 3] for target [web(img2) (MANIFEST_PULLED->RUNNING)] as dependency did not exit "
        "successfully.");
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
}

TEST(Dependencies, CompleteTakesAnyExitCode) {
    Bench b(task_of({with_dependency(container("web"), "init", "COMPLETE"), sidecar("init")}));
    b.start();
    EXPECT_EQ(b["web"].known, S::ManifestPulled);
    b.run(ContainerObserved{"init", exited("init", 3)});
    EXPECT_EQ(b["web"].known, S::Running);
}

TEST(Dependencies, HealthyWaitsForTheHealthCheck) {
    model::Container db = container("db");
    db.health_check_type = "docker";
    Bench b(task_of({with_dependency(container("web"), "db", "HEALTHY"), db}));
    b.start();
    EXPECT_EQ(b["web"].known, S::ManifestPulled);
    EXPECT_EQ(all_of<WakeAt>(b.history).back().when, kNow.steady + std::chrono::seconds(5)) << "looked at closely";
    Observation well = running("db");
    well.health = HealthStatus::Healthy;
    b.run(ContainerObserved{"db", well});
    EXPECT_EQ(b["web"].known, S::Running);
}

TEST(Dependencies, WhatDependsOnAContainerThatNeverStartsFailsToo) {
    Bench b(task_of(
        {with_dependency(sidecar("c"), "b", "COMPLETE"), with_dependency(sidecar("b"), "a", "START"), sidecar("a")}));
    b.create = [](const std::string& c) {
        return ContainerCreated{c, "", {}, NamedError{"CannotCreateContainerError", "x"}};
    };
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Stopped);
    EXPECT_EQ(b["a"].exit_code, std::nullopt);
    EXPECT_EQ(b["b"].exit_code, 143);
    EXPECT_EQ(
        b["b"].error->message,
        "dependency graph: failed to resolve container ordering dependency [a(img:a) (PULLED->STOPPED)] for target "
        "[b(img:b) (MANIFEST_PULLED->RUNNING)] because dependency will never start");
    EXPECT_EQ(b["c"].exit_code, 143);
}

TEST(Dependencies, AStartTimeoutOfTheDependencyFailsTheDependent) {
    model::Container slow = sidecar("slow");
    slow.start_timeout = 20;
    Bench b(task_of({with_dependency(container("web"), "slow", "COMPLETE"), slow}));
    b.start();
    b.now = later(std::chrono::seconds(20));
    b.run(Woken{});
    EXPECT_EQ(b["web"].known, S::ManifestPulled) << "not over yet";
    b.now = later(std::chrono::seconds(21));
    b.run(Woken{});
    EXPECT_EQ(
        b["web"].error->message,
        "dependency graph: container ordering dependency [slow(img:slow) (RUNNING->RUNNING)] for target [web(img:web) "
        "(MANIFEST_PULLED->RUNNING)] has timed out.");
}

TEST(Dependencies, StopsInReverseOrder) {
    Bench b = running_task({with_dependency(container("web"), "db", "START"), container("db")});
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("web"));
    b.hear(ContainerStopDone{"web", exited("web", 0), {}});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("db"));
}

TEST(Dependencies, ADependencyMayStopAtOnceWhenItsDependentHas) {
    Bench b = running_task({with_dependency(container("web"), "db", "START"), container("db")});
    b.hear(ContainerObserved{"web", exited("web", 1)});
    EXPECT_THAT(names_in<StopContainer>(b.last), ElementsAre("db"));
}

TEST(Dependencies, LinksAndVolumesFromAreOrderingsToo) {
    model::Container web = container("web");
    web.links = {"db:database"};
    web.volumes_from.push_back({"store", true});
    EXPECT_THAT(orderings(web), ElementsAre(Ordering{"store", Condition::Create}, Ordering{"db", Condition::Start}));
    Bench b(task_of({web, container("db"), sidecar("store")}));
    b.start();
    EXPECT_THAT(names_in<CreateContainer>(b.history), ElementsAre("db", "store", "web"));
}

TEST(Dependencies, ACircleCannotBeOrdered) {
    model::Container web = container("web");
    web.links = {"web-db"};
    model::Container db = container("web-db");
    db.volumes_from.push_back({"web", false});
    EXPECT_FALSE(orderable({web, db}));
    EXPECT_FALSE(orderable({with_dependency(container("a"), "a", "START")}));
    EXPECT_FALSE(orderable({with_dependency(container("a"), "nobody", "START")}));
    EXPECT_FALSE(orderable({with_dependency(container("a"), "b", "HEALTHY"), container("b")}))
        << "b has no health check";
    EXPECT_FALSE(orderable({with_dependency(container("a"), "b", "SOON"), container("b")}));
    EXPECT_TRUE(orderable({with_dependency(container("a"), "b", "START"),
                           with_dependency(container("b"), "c", "SUCCESS"), container("c")}));
}

}  // namespace
}  // namespace nodeagent::core::testing
