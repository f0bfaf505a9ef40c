#include "agent/core/saved_task.hpp"

#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::HasSubstr;

/// Every durable field has a value of its own.
TaskState full_task() {
    model::Container app = with_restarts(container("app"), 60, {1});
    app.entry_point = std::vector<std::string>{};
    app.docker_config = model::DockerConfig{"{}", R"({"NetworkMode":"bridge"})", "1.21"};
    model::Task payload = payload_of({app, sidecar("log")});
    payload.role_credentials = model::RoleCredentials{};
    payload.role_credentials->credentials_id = "c-1";
    payload.role_credentials->secret_access_key = Secret("very secret");
    payload.role_credentials->session_token = Secret("very secret token");
    payload.execution_role_credentials = payload.role_credentials;
    payload.execution_role_credentials->credentials_id = "c-2";
    payload.volumes.push_back(
        {.name = "v",
         .type = "docker",
         .host = {},
         .docker =
             model::DockerVolume{
                 .scope = "task", .autoprovision = false, .driver = {}, .driver_opts = {}, .labels = {}},
         .efs = {}});
    TaskState task = *accepted(payload, {.task_limits = true, .arrival = 12});
    ContainerState& c = task.containers[0];
    c.runtime_id = "id";
    c.image_id = "sha256:i";
    c.image_digest = "sha256:d";
    c.desired = ContainerStatus::Stopped;
    c.known = ContainerStatus::Running;
    c.sent = ContainerStatus::ManifestPulled;
    c.start_uncertain = c.oom_noted = c.network_known = c.metadata_file_ready = true;
    c.restarted_exit = kNow.wall + std::chrono::nanoseconds(1);
    c.exit_code = 0;
    c.error = NamedError{"CannotPullContainerError", "no \"route\""};
    c.port_assignments = {{80, 49153, "tcp", 1}};
    c.port_bindings = {{80, 49153, "0.0.0.0", "tcp"}};
    c.created_at = kNow.wall;
    c.started_at = kNow.wall + std::chrono::seconds(1);
    c.finished_at = kNow.wall + std::chrono::seconds(2);
    c.labels = {{"a", "b"}};
    c.networks = {{"bridge", "172.17.0.2", ""}};
    c.volumes = {{"ecs-v", "/var/lib/x", "/v"}};
    c.health = {HealthStatus::Unhealthy, kNow.wall, 1, "out"};
    c.restarts = {.count = 3, .last_restart_at = kNow.wall, .last_restart = {}};
    task.resources[0].desired = ResourceStatus::Created;
    task.resources[0].known = ResourceStatus::Created;
    task.desired = TaskStatus::Stopped;
    task.known = TaskStatus::Running;
    task.sent = TaskStatus::ManifestPulled;
    task.stop_reason = "because";
    task.known_at = task.pull_started_at = task.pull_stopped_at = task.execution_stopped_at = kNow.wall;
    task.resources_consumed = task.rejected = true;
    return task;
}

TEST(SavedTask, ComesBackAsItWas) {
    const TaskState before = full_task();
    const Result<TaskState> after = decode_saved_task(encode_saved_task(before));
    ASSERT_TRUE(after) << after.error().what;
    TaskState same = *after;
    ASSERT_EQ(*same.definition, *before.definition);
    same.definition = before.definition;  // the rest compares shared definitions by address
    for (std::size_t i = 0; i < same.containers.size(); ++i) {
        ASSERT_EQ(*same.containers[i].definition, *before.containers[i].definition);
        same.containers[i].definition = before.containers[i].definition;
    }
    same.execution_credentials_known = before.execution_credentials_known;  // not saved
    EXPECT_EQ(same, before);
}

TEST(SavedTask, HoldsNoRoleCredentials) {
    EXPECT_THAT(encode_saved_task(full_task()), ::testing::Not(HasSubstr("very secret")));
}

TEST(SavedTask, MarksOfWorkInFlightAreNotSaved) {
    TaskState task = full_task();
    const std::string text = encode_saved_task(task);
    TaskState busy = task;
    busy.containers[0].applied = ContainerStatus::Stopped;
    busy.containers[0].offered = ContainerStatus::Stopped;
    busy.containers[0].pid = 12;
    busy.resources[1].in_flight = true;
    busy.acquiring = true;
    busy.wake_at = kNow.steady;
    EXPECT_EQ(encode_saved_task(busy), text);
    EXPECT_TRUE(saved_alike(task, busy));
    busy.containers[0].exit_code = 1;
    EXPECT_FALSE(saved_alike(task, busy));
}

TEST(SavedTask, EveryDamagedTextIsAnError) {
    const std::string text = encode_saved_task(full_task());
    for (std::size_t length = 0; length < text.size(); length += 7) {
        EXPECT_FALSE(decode_saved_task(std::string_view(text).substr(0, length))) << length;
    }
    const auto damaged = [&](std::string_view what, std::string_view with) {
        std::string copy = text;
        const std::size_t at = copy.find(what);
        if (at == std::string::npos) return std::string("not in the text: ") + std::string(what);
        copy.replace(at, what.size(), with);
        const auto result = decode_saved_task(copy);
        return result ? std::string("decoded") : result.error().what;
    };
    EXPECT_THAT(damaged("\"schema\":1", "\"schema\":2"), HasSubstr("schema"));
    EXPECT_THAT(damaged("\"desired\":\"STOPPED\"", "\"desired\":\"ASLEEP\""), HasSubstr("unknown status"));
    EXPECT_THAT(damaged("\"arrival\":12", "\"arrival\":\"x\""), HasSubstr("arrival"));
    EXPECT_THAT(damaged("\"kind\":\"cgroup\"", "\"kind\":\"moon\""), HasSubstr("unknown kind moon"));
    EXPECT_THAT(damaged("\"definition\":{", "\"definition\":null,\"x\":{"), HasSubstr("definition"));
    EXPECT_FALSE(decode_saved_task("[]"));
}

}  // namespace
}  // namespace nodeagent::core::testing
