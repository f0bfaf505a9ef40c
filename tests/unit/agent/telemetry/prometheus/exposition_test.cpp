#include "agent/telemetry/exposition.hpp"

#include <gmock/gmock.h>

#include <set>

#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "tests/unit/agent/telemetry/prometheus/a_scene.hpp"

namespace nodeagent::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string of_app(const std::string& family, const std::string& more = {}) {
    return family + "{" + kAppLabels + (more.empty() ? "" : "," + more) + "}";
}

TEST(Exposition, ShowsWhatAContainerUsesUnderTheNamesOfCadvisor) {
    AScene scene;
    Usage& usage = scene.usage["aaa"];
    usage.cgroup.cpu.user_ns = 1'000'000'000;
    usage.cgroup.cpu.kernel_ns = 500'000'000;
    usage.cgroup.cpu.periods = 10;
    usage.cgroup.cpu.throttled_periods = 4;
    usage.cgroup.cpu.throttled_ns = 250'000'000;
    usage.cgroup.memory.max_usage = 6 << 20;
    usage.cgroup.memory.limit = 16 << 20;
    usage.cgroup.memory.oom_kills = 2;
    cgroups::parse_memory_stat(cgroups::Version::V2, "anon 4096\nfile 8192\ninactive_file 1048576\n",
                               usage.cgroup.memory);
    cgroups::parse_io_stat("8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n", usage.cgroup.io);
    const std::string text = scene.text();

    EXPECT_EQ(value_of(text, of_app("container_cpu_usage_seconds_total", R"(cpu="total")")), "1.5");
    EXPECT_EQ(value_of(text, of_app("container_cpu_user_seconds_total")), "1");
    EXPECT_EQ(value_of(text, of_app("container_cpu_system_seconds_total")), "0.5");
    EXPECT_EQ(value_of(text, of_app("container_cpu_cfs_periods_total")), "10");
    EXPECT_EQ(value_of(text, of_app("container_cpu_cfs_throttled_periods_total")), "4");
    EXPECT_EQ(value_of(text, of_app("container_cpu_cfs_throttled_seconds_total")), "0.25");
    EXPECT_EQ(value_of(text, of_app("container_memory_usage_bytes")), "5242880");
    EXPECT_EQ(value_of(text, of_app("container_memory_working_set_bytes")), "4194304");
    EXPECT_EQ(value_of(text, of_app("container_memory_rss")), "4096");
    EXPECT_EQ(value_of(text, of_app("container_memory_cache")), "8192");
    EXPECT_EQ(value_of(text, of_app("container_memory_max_usage_bytes")), "6291456");
    EXPECT_EQ(value_of(text, of_app("container_spec_memory_limit_bytes")), "16777216");
    EXPECT_EQ(value_of(text, of_app("container_oom_events_total")), "2");
    EXPECT_EQ(value_of(text, of_app("container_spec_cpu_shares")), "128");
    EXPECT_EQ(value_of(text, of_app("container_fs_reads_bytes_total")), "100");
    EXPECT_EQ(value_of(text, of_app("container_fs_writes_bytes_total")), "200");
    EXPECT_EQ(value_of(text, of_app("container_fs_reads_total")), "3");
    EXPECT_EQ(value_of(text, of_app("container_fs_writes_total")), "4");
    EXPECT_EQ(value_of(text, of_app("container_network_receive_bytes_total", R"(interface="eth0")")), "1000");
    EXPECT_EQ(value_of(text, of_app("container_network_transmit_bytes_total", R"(interface="eth0")")), "2000");
    EXPECT_EQ(value_of(text, of_app("container_processes")), "3");
    EXPECT_EQ(value_of(text, of_app("container_start_time_seconds")), "1767225600");
    EXPECT_EQ(value_of(text, of_app("container_last_seen")), "1767225660");
}

TEST(Exposition, CountsTheWorkingSetOfCgroupV1WithItsDescendantsAsCadvisorDoes) {
    AScene scene;
    scene.version = cgroups::Version::V1;
    cgroups::parse_memory_stat(
        cgroups::Version::V1,
        "cache 3145728\ninactive_file 0\ntotal_cache 3145728\ntotal_inactive_file 2097152\ntotal_rss 4096\n",
        scene.usage["aaa"].cgroup.memory);
    const std::string text = scene.text();
    EXPECT_EQ(value_of(text, of_app("container_memory_working_set_bytes")), "3145728");
    EXPECT_EQ(value_of(text, of_app("container_memory_rss")), "4096");
    EXPECT_EQ(value_of(text, of_app("container_memory_cache")), "3145728");
}

TEST(Exposition, LeavesOutWhatIsNotKnown) {
    AScene scene;
    scene.usage["aaa"].interfaces.clear();  // on the host's network
    EXPECT_EQ(value_of(scene.text(), of_app("container_memory_max_usage_bytes")), "absent");
    EXPECT_EQ(value_of(scene.text(), of_app("container_network_receive_bytes_total", R"(interface="eth0")")), "absent");
    EXPECT_THAT(scene.text(), Not(HasSubstr("container_pressure_")));
    EXPECT_EQ(value_of(scene.text(), of_app("container_spec_memory_limit_bytes")), "0") << "as cAdvisor writes none";

    scene.usage["aaa"].cgroup.cpu_pressure = {{.some = {.total_us = 1'500'000}, .full = {.total_us = 500'000}}};
    EXPECT_EQ(value_of(scene.text(), of_app("container_pressure_cpu_waiting_seconds_total")), "1.5");
    EXPECT_EQ(value_of(scene.text(), of_app("container_pressure_cpu_stalled_seconds_total")), "0.5");
}

TEST(Exposition, SeriesOfAContainerVanishWithIt) {
    AScene scene;
    ASSERT_THAT(scene.text(), HasSubstr(R"(container_memory_usage_bytes{id="bbb")"));
    auto task = task_view({container_view("app", "aaa"), container_view("log", "bbb")});
    task.containers[1].known = model::ContainerStatus::Stopped;  // and the sampler has not noticed yet
    scene.show({task});
    EXPECT_THAT(scene.text(), Not(HasSubstr(R"(container_memory_usage_bytes{id="bbb")")));
    EXPECT_THAT(scene.text(), HasSubstr(R"(container_memory_usage_bytes{id="aaa")"));
    scene.show({});
    EXPECT_THAT(scene.text(), Not(HasSubstr(R"(id="aaa")")));
    EXPECT_THAT(scene.text(), Not(HasSubstr("ecs_task_")));
}

TEST(Exposition, ShowsTasksAsEcsSeesThem) {
    AScene scene;
    auto task = task_view({container_view("app", "aaa")});
    task.known = model::TaskStatus::Created;
    task.waiting_for = "waits for app";
    task.cpu = 0.5;
    task.memory = 64;
    task.service_name = "front";
    task.containers[0].restart_count = 3;
    task.containers[0].health_checked = true;
    task.containers[0].health.status = model::HealthStatus::Unhealthy;
    task.containers[0].exit_code = 137;
    scene.show({task});
    const std::string text = scene.text();
    const std::string of_task = kAppLabels.substr(kAppLabels.find("task_id"));
    EXPECT_EQ(
        value_of(text, "ecs_task_info{" + of_task + R"(,launch_type="EC2",network_mode="bridge",service="front"})"),
        "1");
    EXPECT_EQ(value_of(text, "ecs_task_known_status{" + of_task + R"(,status="CREATED"})"), "1");
    EXPECT_EQ(value_of(text, "ecs_task_desired_status{" + of_task + R"(,status="RUNNING"})"), "1");
    EXPECT_EQ(value_of(text, "ecs_task_waiting{" + of_task + "}"), "1");
    EXPECT_EQ(value_of(text, "ecs_task_cpu_limit_cores{" + of_task + "}"), "0.5");
    EXPECT_EQ(value_of(text, "ecs_task_memory_limit_bytes{" + of_task + "}"), "67108864");
    EXPECT_EQ(value_of(text, of_app("ecs_container_restarts_total")), "3");
    EXPECT_EQ(value_of(text, of_app("ecs_container_health_status", R"(status="UNHEALTHY")")), "1");
    EXPECT_EQ(value_of(text, of_app("ecs_container_exit_code")), "137");
    EXPECT_EQ(value_of(text, R"(ecs_agent_tasks{status="PENDING"})"), "1");
}

TEST(Exposition, ShowsQueuesSessionsAndWhatTheAgentHasDone) {
    AScene scene;
    scene.figures.engine.tasks_waiting = 4;
    scene.figures.engine.pulls = {
        .queued = 2, .running = 3, .ended = 9, .failed = 1, .bytes = 1000, .taken = std::chrono::milliseconds(2500)};
    scene.figures.submissions = {.queued = 5, .acknowledged = 20, .refused = 1, .failed = 6};
    scene.figures.acs.connected = true;
    scene.figures.acs.connects = 3;
    scene.figures.acs.attempts = 7;
    scene.figures.store_transactions = 11;
    const std::uint64_t before = retries(Retried::ImagePull, ErrorKind::Throttled);
    count_retry(Retried::ImagePull, ErrorKind::Throttled);
    const std::string text = scene.text();
    EXPECT_EQ(value_of(text, R"(ecs_agent_queue_length{queue="host_resources"})"), "4");
    EXPECT_EQ(value_of(text, R"(ecs_agent_queue_length{queue="image_pulls"})"), "2");
    EXPECT_EQ(value_of(text, R"(ecs_agent_queue_length{queue="state_changes"})"), "5");
    EXPECT_EQ(value_of(text, R"(ecs_agent_session_connected{session="acs"})"), "1");
    EXPECT_EQ(value_of(text, R"(ecs_agent_session_connected{session="tcs"})"), "0");
    EXPECT_EQ(value_of(text, R"(ecs_agent_session_reconnects_total{session="acs"})"), "2");
    EXPECT_EQ(value_of(text, R"(ecs_agent_session_attempts_total{session="acs"})"), "7");
    EXPECT_EQ(value_of(text, "ecs_agent_image_pulls_total"), "9");
    EXPECT_EQ(value_of(text, "ecs_agent_image_pull_failures_total"), "1");
    EXPECT_EQ(value_of(text, "ecs_agent_image_pull_seconds_total"), "2.5");
    EXPECT_EQ(value_of(text, R"(ecs_agent_state_changes_total{outcome="failed"})"), "6");
    EXPECT_EQ(value_of(text, R"(ecs_agent_retries_total{operation="image_pull",kind="throttled"})"),
              std::to_string(before + 1));
    EXPECT_EQ(value_of(text, "ecs_agent_store_transactions_total"), "11");
    EXPECT_EQ(value_of(text, "ecs_agent_samples_missed_total"), "1");
    EXPECT_EQ(value_of(text, "ecs_agent_process_resident_memory_bytes"), "6000000");
    EXPECT_EQ(value_of(text, "ecs_agent_process_cpu_seconds_total"), "1.25");
}

TEST(Exposition, ShowsWhatGoesToCloudWatchWhereItIsSent) {
    AScene scene;
    EXPECT_THAT(scene.text(), Not(HasSubstr("ecs_agent_cloudwatch_")));
    scene.figures.cloudwatch = CloudWatch::Counters{.requests_sent = 1,
                                                    .metrics_sent = 2,
                                                    .attempts_failed = 3,
                                                    .metrics_refused = 4,
                                                    .metrics_dropped = 5,
                                                    .queued_requests = 6,
                                                    .queued_bytes = 7};
    const std::string text = scene.text();
    EXPECT_EQ(value_of(text, R"(ecs_agent_cloudwatch_metrics_total{outcome="sent"})"), "2");
    EXPECT_EQ(value_of(text, R"(ecs_agent_cloudwatch_metrics_total{outcome="refused"})"), "4");
    EXPECT_EQ(value_of(text, R"(ecs_agent_cloudwatch_metrics_total{outcome="dropped"})"), "5");
    EXPECT_EQ(value_of(text, R"(ecs_agent_cloudwatch_requests_total{outcome="sent"})"), "1");
    EXPECT_EQ(value_of(text, R"(ecs_agent_cloudwatch_requests_total{outcome="failed"})"), "3");
    EXPECT_EQ(value_of(text, "ecs_agent_cloudwatch_queued_requests"), "6");
    EXPECT_EQ(value_of(text, "ecs_agent_cloudwatch_queued_bytes"), "7");
}

TEST(Exposition, ShowsTheLogsOfContainersThatLogThroughOurProgram) {
    AScene scene;
    EXPECT_THAT(scene.text(), Not(HasSubstr("ecs_agent_log")));
    scene.figures.logs = runtime::LogFigures{.lines = 10,
                                             .events = 8,
                                             .requests = 5,
                                             .failed_requests = 2,
                                             .refused_events = 1,
                                             .dropped_bytes = 100,
                                             .abandoned_bytes = 20,
                                             .loggers = 3,
                                             .unsent_logs = 1,
                                             .unsent_bytes = 40};
    const std::string text = scene.text();
    EXPECT_EQ(value_of(text, "ecs_agent_log_lines_total"), "10");
    EXPECT_EQ(value_of(text, R"(ecs_agent_log_events_total{outcome="sent"})"), "8");
    EXPECT_EQ(value_of(text, R"(ecs_agent_log_events_total{outcome="refused"})"), "1");
    EXPECT_EQ(value_of(text, R"(ecs_agent_log_requests_total{outcome="sent"})"), "3");
    EXPECT_EQ(value_of(text, R"(ecs_agent_log_requests_total{outcome="failed"})"), "2");
    EXPECT_EQ(value_of(text, "ecs_agent_log_dropped_bytes_total"), "120");
    EXPECT_EQ(value_of(text, "ecs_agent_loggers"), "3");
    EXPECT_EQ(value_of(text, "ecs_agent_log_unsent_containers"), "1");
    EXPECT_EQ(value_of(text, "ecs_agent_log_unsent_bytes"), "40");
}

TEST(Exposition, ShowsHowTheMachineFares) {
    AScene scene;
    scene.host.disks.push_back({.use = "docker", .path = "/var/lib/docker", .bytes_total = 1000, .bytes_free = 100});
    scene.host.memory_total = 4096;
    scene.host.memory_available = 1024;
    scene.host.load = {0.5, 1, 2};
    scene.host.pressures.push_back({.resource = "io", .some_seconds = 3.5, .full_seconds = 1});
    scene.host.short_of.push_back({"disk", "disk of /var/lib/docker"});
    const std::string text = scene.text();
    EXPECT_EQ(value_of(text, R"(ecs_host_disk_available_bytes{disk="docker",path="/var/lib/docker"})"), "100");
    EXPECT_EQ(value_of(text, "ecs_host_memory_available_bytes"), "1024");
    EXPECT_EQ(value_of(text, "ecs_host_load15"), "2");
    EXPECT_EQ(value_of(text, R"(ecs_host_pressure_waiting_seconds_total{resource="io"})"), "3.5");
    EXPECT_EQ(value_of(text, R"(ecs_host_short{of="disk"})"), "1");
    EXPECT_EQ(value_of(text, R"(ecs_host_short{of="memory"})"), "0");
}

TEST(Exposition, ShowsWhatTheHostSetUpLeft) {
    AScene scene;
    EXPECT_EQ(value_of(scene.text(), "ecs_host_setup_complete"), "absent");
    scene.host.setup = model::HostSetupCondition{.at = "now", .problems = {}, .instance_metadata_open = {}};
    EXPECT_EQ(value_of(scene.text(), "ecs_host_setup_complete"), "1");
    EXPECT_EQ(value_of(scene.text(), "ecs_host_instance_metadata_open"), "absent") << "no EC2 instance";
    scene.host.setup->problems.emplace_back("iptables not found");
    scene.host.setup->instance_metadata_open = true;
    EXPECT_EQ(value_of(scene.text(), "ecs_host_setup_complete"), "0");
    EXPECT_EQ(value_of(scene.text(), "ecs_host_instance_metadata_open"), "1");
    scene.host.setup->instance_metadata_open = false;
    EXPECT_EQ(value_of(scene.text(), "ecs_host_instance_metadata_open"), "0");
}

TEST(Exposition, NoNameBreaksTheFormat) {
    AScene scene;
    auto task = task_view({container_view("a\"b\\c\nd", "aaa")});
    task.family = std::string(
        "f\xFF"
        "g\0h",
        5);
    scene.show({task});
    const std::string text = scene.text();
    EXPECT_THAT(text, HasSubstr(R"(container="a\"b\\c\nd")"));
    EXPECT_THAT(text, HasSubstr("family=\"f\xEF\xBF\xBDg?h\""));
    for (const std::string_view line : split(text, '\n')) {
        const bool whole =
            line.empty() || line.starts_with("# ") || line.starts_with("ecs_") || line.starts_with("container_");
        EXPECT_TRUE(whole) << line;
    }
}

TEST(Exposition, HoldsNoSecretOfATask) {
    AScene scene;
    auto task = task_view({container_view("app", "aaa")});
    task.credentials_id = "hunter2-role";
    task.containers[0].image = "https://bob:hunter2@registry.example/web:1";
    task.containers[0].log_options = {{"splunk-token", "hunter2"}};
    task.containers[0].labels = {{"password", "hunter2"}};
    task.stop_reason = task.containers[0].last_error = "hunter2";
    scene.show({task});
    EXPECT_THAT(scene.text(), Not(HasSubstr("hunter2")));
}

TEST(Exposition, NamesAnImageWithoutItsUser) {
    EXPECT_EQ(image_label("nginx:1.27"), "nginx:1.27");
    EXPECT_EQ(image_label("registry.example:5000/a/b:1"), "registry.example:5000/a/b:1");
    EXPECT_EQ(image_label("nginx@sha256:0123"), "nginx@sha256:0123");
    EXPECT_EQ(image_label("bob:se/cr@et@registry.example/a@sha256:0123"), "registry.example/a@sha256:0123");
    EXPECT_EQ(image_label("https://bob:secret@registry.example/a:1"), "registry.example/a:1");
}

/// A family is one block: promtool and Prometheus refuse it in two.
TEST(Exposition, EveryFamilyIsListedOnce) {
    std::set<std::string> names;
    const auto add = [&](const auto& rows) {
        for (const auto& row : rows) EXPECT_TRUE(names.insert(row.name).second) << row.name;
    };
    add(agent_families());
    add(host_families());
    add(task_families());
    add(container_families());
    add(container_use_families());
}

}  // namespace
}  // namespace nodeagent::telemetry
