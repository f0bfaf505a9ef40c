#include "runtime/containerd/network/subnet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

TEST(Subnet, IsReadAndWritten) {
    const auto subnet = parse_subnet("172.18.0.0/16");
    ASSERT_TRUE(subnet);
    EXPECT_EQ(to_string(*subnet), "172.18.0.0/16");
    EXPECT_EQ(first_address(*subnet), "172.18.0.1");
    EXPECT_TRUE(parse_subnet("0.0.0.0/0"));
    EXPECT_TRUE(parse_subnet("10.1.2.3/32"));
    for (const char* bad : {"", "172.18.0.0", "172.18.0.1/16", "172.18.0.0/33", "172.18.0.0/-1", "172.18.0/16",
                            "fd00::/8", "172.18.0.0/16x", "256.0.0.0/8"}) {
        EXPECT_FALSE(parse_subnet(bad)) << bad;
    }
}

TEST(Subnet, OverlapsWhatItContainsAndWhatContainsIt) {
    const Subnet wide = *parse_subnet("172.16.0.0/12");
    const Subnet inner = *parse_subnet("172.18.5.0/24");
    EXPECT_TRUE(overlap(wide, inner));
    EXPECT_TRUE(overlap(inner, wide));
    EXPECT_FALSE(overlap(inner, *parse_subnet("172.18.6.0/24")));
    EXPECT_TRUE(overlap(*parse_subnet("0.0.0.0/0"), inner));
}

// of a machine with Docker, in 10.0.0.0/20, with a /16 of a VPN
constexpr const char* kRoutes =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00F0FFFF\t0\t0\t0\n"
    "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "tun0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "ecs0\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

TEST(Routes, AreReadButForDefaultsAndTheBridgesOwn) {
    std::vector<std::string> networks;
    for (const Subnet& one : parse_routes(kRoutes, "ecs0")) networks.push_back(to_string(one));
    EXPECT_THAT(networks, testing::ElementsAre("10.0.0.0/20", "172.17.0.0/16", "172.18.0.0/16"));
    EXPECT_TRUE(parse_routes("", "").empty());
    EXPECT_TRUE(parse_routes("Iface\tDestination\nnonsense\n", "").empty());
}

TEST(ChosenSubnet, IsTheFirstThatNoRouteOverlaps) {
    EXPECT_EQ(to_string(*choose_subnet({})), "172.18.0.0/16");
    EXPECT_EQ(to_string(*choose_subnet(parse_routes(kRoutes, "ecs0"))), "172.19.0.0/16");
}

TEST(ChosenSubnet, IsAskedForWhenNoneIsLeft) {
    const auto none = choose_subnet({*parse_subnet("172.16.0.0/12")});
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().what, testing::HasSubstr("set ECS_CONTAINERD_SUBNET"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
