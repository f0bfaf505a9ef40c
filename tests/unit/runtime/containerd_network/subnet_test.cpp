#include "runtime/containerd/network/subnet.hpp"

#include <gtest/gtest.h>

#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

constexpr const char* kRoutes =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "docker0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "ecs0\t000013AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

TEST(Ipv4Ranges, AreReadAndWritten) {
    EXPECT_EQ(to_string(*parse_range("172.18.5.6/16")), "172.18.0.0/16");
    EXPECT_EQ(to_string(*parse_range("0.0.0.0/0")), "0.0.0.0/0");
    for (const char* bad : {"", "172.18.0.0", "172.18.0/16", "172.18.0.256/16", "172.18.0.0/33", "a.b.c.d/8"}) {
        EXPECT_FALSE(parse_range(bad)) << bad;
    }
}

TEST(Ipv4Ranges, TheFirstThatNoRouteOfTheHostUsesIsFree) {
    const auto used = routed(kRoutes, "ecs0");
    ASSERT_EQ(used.size(), 1U) << "neither the default route nor the bridge's own";
    EXPECT_EQ(to_string(used.front()), "172.18.0.0/16");
    EXPECT_EQ(to_string(*free_range(used)), "172.19.0.0/16");
    EXPECT_EQ(to_string(*free_range({*parse_range("172.16.0.0/12")})), "192.168.0.0/20");
    EXPECT_FALSE(free_range({*parse_range("172.16.0.0/12"), *parse_range("192.168.0.0/16")}));
}

TEST(ChooseSubnet, KeepsWhatItChose) {
    const fakes::TempDirectory folder;
    const std::string file = folder + "/subnet";
    const auto chosen = choose_subnet("", file, "ecs0");
    ASSERT_TRUE(chosen);
    ASSERT_TRUE(replace_file(file, "172.30.0.0/16\n"));
    EXPECT_EQ(*choose_subnet("", file, "ecs0"), "172.30.0.0/16");
    EXPECT_EQ(*choose_subnet("10.9.0.0/24", file, "ecs0"), "10.9.0.0/24");
    const auto bad = choose_subnet("10.9.0.0/31", file, "ecs0");
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().what.find("ECS_CONTAINERD_SUBNET"), std::string::npos);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
