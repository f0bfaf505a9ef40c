#include "agent/telemetry/usage.hpp"

#include <gmock/gmock.h>

#include "agent/telemetry/container_reader.hpp"
#include "agent/telemetry/restart_base.hpp"

namespace nodeagent::telemetry {
namespace {

using Entry = cgroups::IoStatistics::Entry;
using Operation = cgroups::IoStatistics::Operation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
    "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0\n"
    "  eth0:   27903      68    1    2    3     4          5         6     5783      64    7    8    9    10      11\n"
    "eth12:12 3\n"
    "docker0: 5 5\n"
    " ether: 5 5\n"
    "   eth: 5 5\n"
    " tunl0: 5 5\n";

TEST(NetDev, ShowsTheInterfacesARuntimeAttaches) {
    std::vector<NetworkInterface> interfaces{{"old", {}}, {"older", {}}, {"oldest", {}}};
    parse_net_dev(kNetDev, interfaces);
    EXPECT_THAT(interfaces,
                ElementsAre(NetworkInterface{"eth0",
                                             {.rx_bytes = 27903,
                                              .rx_packets = 68,
                                              .rx_errors = 1,
                                              .rx_dropped = 2,
                                              .tx_bytes = 5783,
                                              .tx_packets = 64,
                                              .tx_errors = 7,
                                              .tx_dropped = 8}},
                            NetworkInterface{"eth12", {.rx_bytes = 12, .rx_packets = 3}}));
    parse_net_dev("garbage\n:\n   :\n", interfaces);
    EXPECT_THAT(interfaces, IsEmpty());
}

TEST(SystemCpu, IsTheSumOfSevenStates) {
    EXPECT_EQ(parse_system_cpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1\n", 100), 280'000'000U);
    EXPECT_EQ(parse_system_cpu("intr 5\n", 100), 0U);
}

TEST(ContainerCgroup, IsTheMemoryControllersOrTheUnifiedOne) {
    const std::string_view v1 = "9:name=systemd:/id9\n4:cpu,cpuacct:/ecs/t/id4\n3:memory:/ecs/t/id3:n\n0::/id0\n";
    EXPECT_EQ(container_cgroup(v1, cgroups::Version::V1, "id3"), "/ecs/t/id3:n");
    EXPECT_EQ(container_cgroup("4:cpu,cpuacct:/id4\n", cgroups::Version::V1, "id4"), "/id4");
    EXPECT_EQ(container_cgroup(v1, cgroups::Version::V2, "id0"), "/id0");
    EXPECT_EQ(container_cgroup(v1, cgroups::Version::V2, "id3"), "") << "another container's";
    EXPECT_EQ(container_cgroup("nonsense\n", cgroups::Version::V2, "id"), "");
    EXPECT_EQ(container_cgroup("0::/x\n", cgroups::Version::V2, ""), "");
}

TEST(ContainerCgroup, IsTheContainersAlsoWhenItsProcessWentDeeper) {
    EXPECT_EQ(container_cgroup("0::/ecs.slice/docker-id.scope/init\n", cgroups::Version::V2, "id"),
              "/ecs.slice/docker-id.scope");
}

TEST(RestartBase, WhatWasUsedBeforeIsAddedAndWhatIsHeldNowIsNot) {
    Usage base;
    base.cgroup.cpu = {.usage_ns = 100, .user_ns = 60, .kernel_ns = 40, .periods = 1, .throttled_ns = 5,
                       .per_cpu_ns = {70, 30}};
    base.cgroup.memory.max_usage = 900;
    base.cgroup.memory.fail_count = 3;
    base.cgroup.memory.usage = 500;
    base.cgroup.io.bytes = {{8, 0, Operation::Read, 10}, {8, 0, Operation::Write, 20}};
    base.interfaces = {{"eth0", {.rx_bytes = 1000, .tx_bytes = 7}}, {"gone", {.rx_bytes = 9}}};
    Usage now;
    now.cgroup.cpu = {.usage_ns = 1, .per_cpu_ns = {1}};
    now.cgroup.memory.max_usage = 200;
    now.cgroup.memory.usage = 50;
    now.cgroup.io.bytes = {{8, 0, Operation::Write, 1}, {9, 0, Operation::Read, 2}};
    now.interfaces = {{"eth0", {.rx_bytes = 5}}};
    add_base(base, now);
    EXPECT_EQ(now.cgroup.cpu.usage_ns, 101U);
    EXPECT_EQ(now.cgroup.cpu.throttled_ns, 5U);
    EXPECT_THAT(now.cgroup.cpu.per_cpu_ns, ElementsAre(71U, 30U));
    EXPECT_EQ(now.cgroup.memory.max_usage, 900U);
    EXPECT_EQ(now.cgroup.memory.fail_count, 3U);
    EXPECT_EQ(now.cgroup.memory.usage, 50U);
    EXPECT_THAT(now.cgroup.io.bytes, ElementsAre(Entry{8, 0, Operation::Read, 10}, Entry{8, 0, Operation::Write, 21},
                                                 Entry{9, 0, Operation::Read, 2}));
    EXPECT_THAT(now.interfaces, ElementsAre(NetworkInterface{"eth0", {.rx_bytes = 1005, .tx_bytes = 7}}));
}

}  // namespace
}  // namespace nodeagent::telemetry
