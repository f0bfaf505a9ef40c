#include "agent/local/task_lifecycle.hpp"

#include "agent/base/json.hpp"

namespace nodeagent::local {
namespace {

Task pending_task() {
    Task task;
    task.last_status = "PENDING";
    task.desired_status = "RUNNING";
    for (const char* name : {"web", "side"}) {
        TaskContainer container;
        container.name = name;
        container.last_status = "PENDING";
        container.essential = container.name == "web";
        task.containers.push_back(container);
    }
    return task;
}

TaskStateChange change_of(const std::string& text) {
    auto change = decode<TaskStateChange>(text);
    EXPECT_TRUE(change) << text;
    return *change;
}

TEST(TaskLifecycle, RunsWithTheBindingsTheAgentReports) {
    Task task = pending_task();
    apply_state_change(
        task, change_of(R"({"status":"RUNNING","reason":"","pullStartedAt":5.5,"containers":[{"containerName":"web",
        "status":"RUNNING","runtimeId":"d1","imageDigest":"sha256:1",
        "networkBindings":[{"bindIP":"0.0.0.0","containerPort":80,"hostPort":32768,"protocol":"tcp"}]}]})"),
        10);
    EXPECT_EQ(task.last_status, "RUNNING");
    EXPECT_EQ(task.started_at, 10);
    EXPECT_EQ(task.pull_started_at, 5.5);
    EXPECT_EQ(task.containers[0].network_bindings.at(0).host_port, 32768);
    EXPECT_EQ(task.containers[0].runtime_id, "d1");
    EXPECT_EQ(task.containers[1].last_status, "PENDING");
}

TEST(TaskLifecycle, CallsAnExitOfTheEssentialContainerByItsName) {
    Task task = pending_task();
    apply_state_change(task, change_of(R"({"status":"RUNNING"})"), 10);
    apply_state_change(
        task,
        change_of(R"({"status":"STOPPED","containers":[{"containerName":"web","status":"STOPPED","exitCode":3}]})"),
        20);
    EXPECT_EQ(task.last_status, "STOPPED");
    EXPECT_EQ(task.desired_status, "STOPPED");
    EXPECT_EQ(task.stop_code, "EssentialContainerExited");
    EXPECT_EQ(task.stopped_reason, "Essential container in task exited");
    EXPECT_EQ(task.containers[0].exit_code, 3);
    EXPECT_EQ(task.containers[1].last_status, "STOPPED");
    EXPECT_EQ(task.stopped_at, 20);
}

TEST(TaskLifecycle, KnowsATaskThatRanTooShortlyToBeSeenRunning) {
    Task task = pending_task();
    apply_state_change(task, change_of(R"({"status":"STOPPED","containers":[
        {"containerName":"web","status":"RUNNING"},{"containerName":"web","status":"STOPPED","exitCode":0}]})"),
                       20);
    EXPECT_EQ(task.stop_code, "EssentialContainerExited");
}

TEST(TaskLifecycle, TellsAFailedStartWithItsCause) {
    Task task = pending_task();
    apply_state_change(task, change_of(R"({"status":"STOPPED","containers":[{"containerName":"web","status":"STOPPED",
        "reason":"CannotPullContainerError: not found"}]})"),
                       20);
    EXPECT_EQ(task.stop_code, "TaskFailedToStart");
    EXPECT_EQ(task.stopped_reason, "CannotPullContainerError: not found");
}

TEST(TaskLifecycle, KeepsTheUsersReasonWhenTheAgentReportsTheStop) {
    Task task = pending_task();
    apply_state_change(task, change_of(R"({"status":"RUNNING"})"), 10);
    request_stop(task, "UserInitiated", "enough", 15);
    EXPECT_EQ(task.last_status, "RUNNING");
    acknowledge_delivery(task, "STOPPED");
    EXPECT_EQ(task.last_status, "STOPPING");
    apply_state_change(task, change_of(R"({"status":"RUNNING"})"), 16);
    EXPECT_EQ(task.last_status, "STOPPING");
    apply_state_change(
        task,
        change_of(R"({"status":"STOPPED","containers":[{"containerName":"web","status":"STOPPED","exitCode":137}]})"),
        20);
    EXPECT_EQ(task.stop_code, "UserInitiated");
    EXPECT_EQ(task.stopped_reason, "enough");
    EXPECT_EQ(task.stopping_at, 15);
}

TEST(TaskLifecycle, NeverGoesBackFromStopped) {
    Task task = pending_task();
    apply_state_change(task, change_of(R"({"status":"STOPPED"})"), 20);
    apply_state_change(
        task, change_of(R"({"status":"RUNNING","containers":[{"containerName":"web","status":"RUNNING"}]})"), 30);
    acknowledge_delivery(task, "STOPPED");
    EXPECT_EQ(task.last_status, "STOPPED");
    EXPECT_EQ(task.containers[0].last_status, "STOPPED");
    EXPECT_EQ(task.stopped_at, 20);
}

TEST(TaskLifecycle, IsHealthyOnlyWhenEveryCheckedEssentialContainerIs) {
    Task task = pending_task();
    EXPECT_EQ(task_health(task), "UNKNOWN");
    task.containers[0].has_health_check = true;
    EXPECT_TRUE(apply_health(task, "web", "HEALTHY"));
    EXPECT_FALSE(apply_health(task, "web", "HEALTHY"));
    EXPECT_EQ(task_health(task), "HEALTHY");
    apply_health(task, "web", "UNHEALTHY");
    EXPECT_EQ(task_health(task), "UNHEALTHY");
}

}  // namespace
}  // namespace nodeagent::local
