#include "agent/core/host_resources.hpp"

#include <algorithm>
#include <random>

#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

HostResources small_host() {
    return HostResources({.cpu = 1024,
                          .memory = 1000,
                          .reserved_tcp = {22},
                          .reserved_udp = {},
                          .gpu_support = true,
                          .gpus = {"gpu-0"}});
}
HostNeed cpu(std::int64_t shares) { return {.cpu = shares, .memory = 0, .tcp = {}, .udp = {}, .gpus = {}}; }
HostNeed port(std::uint16_t number) { return {.cpu = 0, .memory = 0, .tcp = {number}, .udp = {}, .gpus = {}}; }

TEST(HostResources, OnlyTheHeadOfTheQueueIsTried) {
    HostResources host = small_host();
    EXPECT_THAT(host.request("a", cpu(600), 1), SizeIs(1));
    EXPECT_THAT(host.request("big", cpu(800), 2), IsEmpty());
    EXPECT_THAT(host.request("small", cpu(10), 3), IsEmpty()) << "it fits, but came later";
    EXPECT_EQ(host.explain("big"), "waits for CPU units: it needs 800, and 424 of them are free");
    EXPECT_THAT(host.explain("small"),
                HasSubstr("behind 1 task that came earlier; the first of them, big, waits for CPU units"));
    const auto admitted = host.release("a");
    ASSERT_THAT(admitted, SizeIs(2));
    EXPECT_EQ(admitted[0].task_arn, "big");
    EXPECT_EQ(host.explain("big"), "");
}

TEST(HostResources, LeavingTheQueueLetsTheNextIn) {
    HostResources host = small_host();
    (void)host.request("a", cpu(600), 1);
    (void)host.request("big", cpu(800), 2);
    (void)host.request("small", cpu(10), 3);
    const auto admitted = host.release("big");
    ASSERT_THAT(admitted, SizeIs(1));
    EXPECT_EQ(admitted[0].task_arn, "small");
}

TEST(HostResources, NothingIsGivenBackTwice) {
    HostResources host = small_host();
    (void)host.request("a", cpu(600), 1);
    (void)host.request("b", cpu(400), 2);
    (void)host.release("a");
    (void)host.release("a");
    EXPECT_EQ(host.held().cpu, 400);
    EXPECT_THAT(host.request("b", cpu(400), 2), SizeIs(1)) << "granted again, not twice";
    EXPECT_EQ(host.held().cpu, 400);
}

TEST(HostResources, APortHasOneHolder) {
    HostResources host = small_host();
    (void)host.request("a", port(80), 1);
    EXPECT_THAT(host.request("b", port(80), 2), IsEmpty());
    EXPECT_EQ(host.explain("b"), "waits for host port 80/tcp, which another task holds");
    EXPECT_THAT(host.release("a"), SizeIs(1));
}

TEST(HostResources, WhatTheHostCanNeverHoldIsRefusedAndBlocksNobody) {
    HostResources host = small_host();
    EXPECT_THAT(host.request("huge", cpu(2000), 1).at(0).refused, HasSubstr("2000 CPU units, this host has 1024"));
    EXPECT_THAT(host.request("ssh", port(22), 2).at(0).refused, HasSubstr("22/tcp is reserved"));
    EXPECT_THAT(host.request("gpu", {.cpu = 0, .memory = 0, .tcp = {}, .udp = {}, .gpus = {"gpu-9"}}, 3).at(0).refused,
                HasSubstr("GPU gpu-9"));
    EXPECT_EQ(host.waiting(), 0U);
}

HostNeed gpu(const std::string& id) { return {.cpu = 0, .memory = 0, .tcp = {}, .udp = {}, .gpus = {id}}; }

TEST(HostResources, AGpuIsHeldByOneTaskAtATime) {
    HostResources host = small_host();
    EXPECT_THAT(host.request("a", gpu("gpu-0"), 1), SizeIs(1));
    EXPECT_THAT(host.request("b", gpu("gpu-0"), 2), IsEmpty());
    EXPECT_EQ(host.explain("b"), "waits for GPU gpu-0, which another task holds");
    EXPECT_EQ(host.release("a").at(0).task_arn, "b");
}

TEST(HostResources, WithoutGpuSupportTheGpusOfTasksAreNotCounted) {
    HostResources host({.cpu = 1024, .memory = 1000, .reserved_tcp = {}, .reserved_udp = {}, .gpus = {}});
    EXPECT_TRUE(host.request("a", gpu("gpu-7"), 1).at(0).granted());
    EXPECT_TRUE(host.request("b", gpu("gpu-7"), 2).at(0).granted());
}

TEST(HostResources, ARestoredTaskKeepsWhatItHeld) {
    HostResources host = small_host();
    host.restore("old", cpu(1000));
    host.restore("older", cpu(1000));
    EXPECT_THAT(host.request("new", cpu(10), 9), IsEmpty());
    EXPECT_THAT(host.release("old"), SizeIs(1));
}

TEST(HostResources, ANeedIsThatOfTheTaskElseTheSumOfItsContainers) {
    model::Container web = container("web");
    web.docker_config = model::DockerConfig{"{}", R"({"MemoryReservation":33554432})", "1.21"};
    web.port_mappings = {{.container_port = 80, .host_port = 8080, .protocol = {}, .container_port_range = {}},
                         {.container_port = 53, .host_port = 53, .protocol = "udp", .container_port_range = {}},
                         {.container_port = 81, .host_port = 0, .protocol = {}, .container_port_range = {}}};
    model::Task task = payload_of({web, container("db")});
    HostNeed need = host_need(task);
    EXPECT_EQ(need.cpu, 20);
    EXPECT_EQ(need.memory, 32 + 64);
    EXPECT_EQ(need.tcp, std::set<std::uint16_t>{8080});
    EXPECT_EQ(need.udp, std::set<std::uint16_t>{53});
    task.cpu = 0.2501;
    task.memory = 512;
    need = host_need(task);
    EXPECT_EQ(need.cpu, 256);
    EXPECT_EQ(need.memory, 512);
}

// Whatever comes and goes in whatever order: nobody who could be at the head and fits is left waiting, nothing is
// handed out twice, and everybody who can ever fit gets in.
TEST(HostResources, NoTaskThatFitsAtTheHeadIsEverLeftWaiting) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random(seed);
        HostResources host = small_host();
        std::set<std::string> in, queued, done;
        std::map<std::string, HostNeed> needs;
        const auto take = [&](const std::vector<Admission>& admissions) {
            for (const Admission& a : admissions) {
                ASSERT_TRUE(a.granted()) << a.refused;
                ASSERT_TRUE(queued.erase(a.task_arn) == 1) << "seed " << seed << " admitted twice";
                in.insert(a.task_arn);
            }
        };
        for (std::uint64_t i = 0; i < 40; ++i) {
            const std::string name = "t" + std::to_string(i);
            HostNeed need = cpu(static_cast<std::int64_t>(random() % 1024));
            if (random() % 3 == 0) need.tcp.insert(static_cast<std::uint16_t>(8000 + random() % 3));
            needs[name] = need;
            queued.insert(name);
            take(host.request(name, need, i));
            if (!in.empty() && random() % 2 == 0) {
                const std::string gone = *std::next(in.begin(), static_cast<std::ptrdiff_t>(random() % in.size()));
                in.erase(gone);
                done.insert(gone);
                take(host.release(gone));
            }
            ASSERT_LE(host.held().cpu, 1024);
            ASSERT_EQ(host.waiting(), queued.size());
        }
        while (!in.empty()) {
            const std::string gone = *in.begin();
            in.erase(gone);
            done.insert(gone);
            take(host.release(gone));
        }
        EXPECT_EQ(done.size(), 40U) << "seed " << seed;
        EXPECT_EQ(host.held(), HostNeed{});
    }
}

}  // namespace
}  // namespace nodeagent::core::testing
