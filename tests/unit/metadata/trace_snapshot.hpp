#pragma once
// The tasks of the recorded scenarios as snapshots, and the comparison of a document with a recorded one: same keys in
// the same order, same values where the recording has not masked them ("<time>").

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/instance_identity.hpp"

namespace nodeagent::metadata::test {

using model::ContainerStatus;
using model::ContainerView;
using model::TaskStatus;
using model::TaskView;

inline const model::WallTime kCreated{std::chrono::milliseconds(1'767'225'601'100)};
inline const model::WallTime kStarted{std::chrono::seconds(1'767'225'602)};
inline const std::string kTaskArn = "arn:aws:ecs:us-west-2:123456789012:task/judge/30947d1d90f27277554091b633a722ef";
inline const std::string kWebId(64, 'b');
inline const std::string kSideId(64, 'a');
inline constexpr const char* kWebEndpoint = "11111111-2222-3333-4444-555555555555";
inline constexpr const char* kSideEndpoint = "99999999-2222-3333-4444-555555555555";

inline InstanceIdentity identity() {
    return {.cluster = "judge",
            .container_instance_arn =
                "arn:aws:ecs:us-west-2:123456789012:container-instance/judge/4beea3e1b064389508b705cbab389850",
            .availability_zone = "us-west-2a",
            .availability_zone_id = "usw2-az1",
            .vpc_id = "vpc-0123456789abcdef0"};
}

inline ContainerView container(const std::string& name, const TaskView& task, const std::string& docker_id,
                               const std::string& endpoint_id) {
    ContainerView view;
    view.name = name;
    view.docker_id = docker_id;
    view.docker_name = "ecs-" + task.family + "-1-" + name + "-0123456789abcdef0123";
    view.endpoint_id = endpoint_id;
    view.image = "busybox:latest";
    view.image_id = "sha256:1";
    view.labels = {{"com.amazonaws.ecs.cluster", "judge"},
                   {"com.amazonaws.ecs.container-name", name},
                   {"com.amazonaws.ecs.task-arn", task.arn},
                   {"com.amazonaws.ecs.task-definition-family", task.family},
                   {"com.amazonaws.ecs.task-definition-version", "1"}};
    view.desired = ContainerStatus::Running;
    view.known = ContainerStatus::Running;
    view.cpu = 10;
    view.created_at = kCreated;
    view.started_at = kStarted;
    view.network_known = true;
    view.networks = {{.mode = "bridge", .ipv4_address = "172.17.0.2", .ipv6_address = ""}};
    return view;
}

inline void bind_port(ContainerView& view, std::uint16_t port, std::uint16_t host_port, const std::string& protocol) {
    for (const char* ip : {"0.0.0.0", "::"}) {
        view.ports.push_back({.container_port = port, .host_port = host_port, .bind_ip = ip, .protocol = protocol});
    }
}

/// Scenario i_metadata while it runs: "side" has exited with 6, "web" runs with a port.
inline TaskView i_task() {
    TaskView task;
    task.arn = kTaskArn;
    task.family = "fam-i1";
    task.version = "1";
    task.service_name = "svc-judge";
    task.launch_type = "EC2";
    task.network_mode = "bridge";
    task.desired = TaskStatus::Running;
    task.known = TaskStatus::Running;
    task.cpu = 0.25;
    task.memory = 256;
    ContainerView side = container("side", task, kSideId, kSideEndpoint);
    side.known = ContainerStatus::Stopped;
    side.exit_code = 6;
    side.finished_at = kStarted + std::chrono::seconds(1);
    side.networks.front().ipv4_address.clear();
    side.container_arn =
        "arn:aws:ecs:us-west-2:123456789012:container/judge/30947d1d90f27277554091b633a722ef/"
        "31d07c75fc9861de2845642a8e8b3e2b";
    ContainerView web = container("web", task, kWebId, kWebEndpoint);
    web.labels.emplace("team", "judge");
    web.cpu = 64;
    web.memory = 48;
    bind_port(web, 80, 18901, "tcp");
    web.container_arn =
        "arn:aws:ecs:us-west-2:123456789012:container/judge/30947d1d90f27277554091b633a722ef/"
        "c48710b927efb551a33fb333a96e7768";
    task.containers = {side, web};
    return task;
}

inline std::shared_ptr<const model::Snapshot> snapshot_of(std::vector<TaskView> tasks) {
    auto snapshot = std::make_shared<model::Snapshot>();
    for (TaskView& view : tasks) {
        const auto task = std::make_shared<const TaskView>(std::move(view));
        snapshot->tasks.emplace(task->arn, task);
        for (std::size_t i = 0; i < task->containers.size(); ++i) {
            const ContainerView& one = task->containers[i];
            if (one.docker_id.empty()) continue;
            snapshot->by_endpoint_id.emplace(one.endpoint_id, model::Snapshot::ContainerKey{.task = task, .index = i});
            snapshot->by_docker_id.emplace(one.docker_id, model::Snapshot::ContainerKey{.task = task, .index = i});
        }
    }
    return snapshot;
}

inline void expect_like(const OrderedJson& ours, const OrderedJson& recorded, const std::string& where) {
    if (recorded.is_string() && recorded.get_ref<const std::string&>().find('<') != std::string::npos) {
        EXPECT_FALSE(ours.is_null()) << where;
        return;
    }
    if (recorded.is_object() && ours.is_object()) {
        std::vector<std::string> our_keys, recorded_keys;
        for (const auto& [key, value] : ours.items()) our_keys.push_back(key);
        for (const auto& [key, value] : recorded.items()) recorded_keys.push_back(key);
        EXPECT_EQ(our_keys, recorded_keys) << where;
        for (const std::string& key : recorded_keys) {
            if (ours.contains(key)) expect_like(ours[key], recorded[key], where + "." + key);
        }
        return;
    }
    if (recorded.is_array() && ours.is_array()) {
        ASSERT_EQ(ours.size(), recorded.size()) << where;
        for (std::size_t i = 0; i < ours.size(); ++i)
            expect_like(ours[i], recorded[i], where + "[" + std::to_string(i) + "]");
        return;
    }
    EXPECT_EQ(ours, recorded) << where;
}

/// `body` against the "body" of tests/data/metadata/<name>.json.
inline void expect_recorded(const std::string& body, const std::string& name) {
    const auto text = read_file(std::string(NODEAGENT_TEST_DATA) + "/metadata/" + name + ".json");
    ASSERT_TRUE(text) << text.error().what;
    const OrderedJson recorded = OrderedJson::parse(*text);
    const OrderedJson ours = OrderedJson::parse(body, nullptr, false);
    ASSERT_FALSE(ours.is_discarded()) << body;
    expect_like(ours, recorded["body"], name);
}

}  // namespace nodeagent::metadata::test
