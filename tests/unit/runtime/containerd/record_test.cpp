#include "runtime/containerd/record.hpp"

#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

using nlohmann::json;

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'800'000'000 + seconds)); }

Container a_container(const Life& life) {
    Creation creation;
    creation.name = "ecs-web-1";
    creation.image = "busybox:1";
    creation.image_id = "sha256:abc";
    creation.config = json::parse(R"({"Image":"busybox:1"})");
    creation.host_config = json::parse(R"({"CpuShares":10,"Memory":4194304,"NetworkMode":"bridge"})");
    creation.mounts = {{.name = "data", .source = "/v/data", .destination = "/data"}};
    Container container;
    container.id = "c0ffee";
    container.labels = {{kNameLabel, "ecs-web-1"}, {"com.amazonaws.ecs.cluster", "default"}};
    container.spec = R"({"process":{"env":["A=1"]}})";
    container.extensions = {{kCreationKey, encode(creation)}, {kLifeKey, encode(life)}};
    container.created_at = at(0);
    return container;
}

Life ended() {
    Life life;
    life.started_at = at(1);
    life.finished_at = at(5);
    life.exit_code = 7;
    life.oom_killed = true;
    life.ports = {{.container_port = 80, .host_port = 8080, .host_ip = "0.0.0.0", .protocol = "tcp"}};
    life.networks = {{.name = "bridge", .ipv4_address = "172.18.0.2", .ipv6_address = {}}};
    return life;
}

TEST(ContainerRecord, AContainerNeverStartedIsCreated) {
    const ContainerView view = view_of(a_container({}), nullptr);
    EXPECT_EQ(view.phase, ContainerPhase::Created);
    EXPECT_EQ(view.name, "ecs-web-1");
    EXPECT_EQ(view.image, "busybox:1");
    EXPECT_EQ(view.image_id, "sha256:abc");
    EXPECT_EQ(view.env, std::vector<std::string>{"A=1"});
    EXPECT_EQ(view.memory_bytes, 4194304);
    EXPECT_EQ(view.cpu_shares, 10);
    EXPECT_EQ(view.mounts.front().destination, "/data");
    EXPECT_EQ(view.labels.count(kNameLabel), 0U) << "labels are the task's alone";
    EXPECT_FALSE(view.exit_code);
}

TEST(ContainerRecord, ARunningOneHasItsProcessPortsAndAddress) {
    Life life = ended();
    life.finished_at.reset();
    life.exit_code.reset();
    const Process task{.container_id = "c0ffee", .exec_id = {}, .pid = 42, .status = TaskStatus::Running};
    const ContainerView view = view_of(a_container(life), &task);
    EXPECT_EQ(view.phase, ContainerPhase::Running);
    EXPECT_EQ(view.pid, 42);
    EXPECT_EQ(view.started_at, at(1));
    EXPECT_EQ(view.ports, life.ports);
    EXPECT_EQ(view.networks, life.networks);
    EXPECT_FALSE(view.exit_code);
}

TEST(ContainerRecord, AnEndedOneKeepsHowItEnded) {
    const ContainerView view = view_of(a_container(ended()), nullptr);
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_EQ(view.exit_code, 7);
    EXPECT_EQ(view.finished_at, at(5));
    EXPECT_TRUE(view.oom_killed);
    EXPECT_TRUE(view.ports.empty());
}

TEST(ContainerRecord, WithoutAnAnswerOfTheShimTheRecordCounts) {
    const Process silent{.container_id = "c0ffee", .exec_id = {}, .pid = 42, .status = TaskStatus::Unknown};
    EXPECT_EQ(view_of(a_container(ended()), &silent).phase, ContainerPhase::Stopped);
    EXPECT_EQ(view_of(a_container(ended()), &silent).exit_code, 7);
    Life life = ended();
    life.finished_at.reset();
    EXPECT_EQ(view_of(a_container(life), &silent).phase, ContainerPhase::Running);
    EXPECT_EQ(view_of(a_container({}), &silent).phase, ContainerPhase::Created);
}

TEST(ContainerRecord, AFailedStartShowsItsReason) {
    Life life;
    life.error = "no such file";
    const ContainerView view = view_of(a_container(life), nullptr);
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_EQ(view.error, "no such file");
    EXPECT_FALSE(view.exit_code);
}

TEST(ContainerRecord, SomebodyElsesContainerIsNotReadAsOurs) {
    Container container = a_container(ended());
    container.extensions.clear();
    EXPECT_FALSE(creation_of(container));
    container.extensions[kCreationKey] = {.type_url = "x", .value = "[1,"};
    EXPECT_FALSE(creation_of(container));
    EXPECT_FALSE(life_of(container).started_at);
    EXPECT_EQ(listed_view(container, nullptr).id, "c0ffee");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
