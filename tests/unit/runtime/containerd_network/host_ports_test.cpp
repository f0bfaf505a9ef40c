#include "runtime/containerd/network/host_ports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<PortBinding> any_port() {
    return {{.container_port = 80, .host_port = 0, .host_ip = "127.0.0.1", .protocol = "tcp"}};
}

TEST(WantedPorts, AreThoseOfTheDocument) {
    const auto ports = wanted_ports(json::parse(
        R"({"PortBindings":{"80/tcp":[{"HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],"53/udp":[{"HostIp":"127.0.0.1","HostPort":""}],"9/tcp":null}})"));
    ASSERT_TRUE(ports) << ports.error().what;
    ASSERT_EQ(ports->size(), 2U);
    EXPECT_EQ((*ports)[0],
              (PortBinding{.container_port = 53, .host_port = 0, .host_ip = "127.0.0.1", .protocol = "udp"}));
    EXPECT_EQ((*ports)[1],
              (PortBinding{.container_port = 80, .host_port = 8080, .host_ip = "0.0.0.0", .protocol = "tcp"}));
    EXPECT_FALSE(wanted_ports(json::parse(R"({"PortBindings":{"80/tcp":[{"HostPort":"many"}]}})")));
    EXPECT_FALSE(wanted_ports(json::parse(R"({"PortBindings":{"80/sctp":[{"HostPort":"80"}]}})")));
}

TEST(HostPorts, APortOfAnotherContainerIsRefusedInDockersWords) {
    HostPorts table;
    auto first = any_port();
    ASSERT_TRUE(table.take("one", "ecs-one", first));
    EXPECT_NE(first.front().host_port, 0);
    auto second = first;
    const auto refused = table.take("two", "ecs-two", second);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(refused.error().what,
              "driver failed programming external connectivity on endpoint ecs-two (two): Bind for 127.0.0.1:" +
                  std::to_string(first.front().host_port) + " failed: port is already allocated");
    EXPECT_TRUE(table.take("one", "ecs-one", first)) << "its own";
    table.release("one");
    EXPECT_TRUE(table.take("two", "ecs-two", second));
}

TEST(HostPorts, APortOfAnotherProcessIsRefusedInDockersWords) {
    HostPorts theirs, ours;
    auto ports = any_port();
    ASSERT_TRUE(theirs.take("other process", "x", ports));
    const auto refused = ours.take("two", "ecs-two", ports);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr(": bind: address already in use"));
}

TEST(HostPorts, AllOrNone) {
    HostPorts table;
    auto first = any_port();
    ASSERT_TRUE(table.take("one", "n", first));
    std::vector<PortBinding> both = any_port();
    both.push_back(first.front());
    EXPECT_FALSE(table.take("two", "n", both));
    auto again = std::vector<PortBinding>{both.front()};
    EXPECT_TRUE(table.take("three", "n", again)) << "the first of the two is free again";
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
