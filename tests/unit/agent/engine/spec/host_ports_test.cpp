#include "agent/engine/spec/host_ports.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <set>

#include "agent/base/fd.hpp"

namespace nodeagent::engine {
namespace {

model::PortMapping one(std::int64_t container_port, std::int64_t host_port = 0) {
    return {.container_port = container_port, .host_port = host_port, .protocol = "tcp", .container_port_range = {}};
}
model::PortMapping range(const std::string& ports) {
    return {.container_port = 0, .host_port = 0, .protocol = {}, .container_port_range = ports};
}

class HostPorts : public ::testing::Test {
  protected:
    std::vector<std::uint16_t> assign(std::vector<model::PortMapping> mappings) {
        model::Container container;
        container.port_mappings = std::move(mappings);
        const auto result = assign_host_ports(
            container, within, cursor, [this](std::uint16_t port, std::string_view) { return !taken.contains(port); });
        error = result ? std::string() : result.error().name + ": " + result.error().message;
        std::vector<std::uint16_t> ports;
        if (result) {
            for (const auto& assignment : *result) ports.push_back(assignment.host_port);
        }
        return ports;
    }
    using Ports = std::vector<std::uint16_t>;
    PortRange within{40000, 40009};
    PortCursor cursor;
    std::set<std::uint16_t> taken;
    std::string error;
};

TEST_F(HostPorts, AreTakenAsGivenWhenThePayloadGivesThem) {
    taken = {80};
    EXPECT_EQ(assign({one(8080, 80)}), Ports{80});
}

TEST_F(HostPorts, GoOnWhereTheLastSearchEnded) {
    EXPECT_EQ(assign({one(1)}), Ports{40000});
    EXPECT_EQ(assign({one(1), one(2)}), (Ports{40001, 40002}));
}

TEST_F(HostPorts, LeaveOutTakenOnes) {
    taken = {40000, 40001};
    EXPECT_EQ(assign({one(1)}), Ports{40002});
}

TEST_F(HostPorts, WrapAroundAtTheEndOfTheRange) {
    cursor.last = 40008;
    EXPECT_EQ(assign({one(1)}), Ports{40009});
    EXPECT_EQ(assign({one(1)}), Ports{40000});
    cursor.last = 40005;
    taken = {40006, 40007, 40008, 40009};
    EXPECT_EQ(assign({one(1)}), Ports{40000});
}

TEST_F(HostPorts, OfARangeAreContiguous) {
    taken = {40002};
    EXPECT_EQ(assign({range("8000-8002")}), (Ports{40003, 40004, 40005}));
    EXPECT_EQ(cursor.last, 40005U);
}

TEST_F(HostPorts, OfARangeKeepTheirContainerPortsAndMapping) {
    model::Container container;
    container.port_mappings = {one(9000, 9000), range("8000-8001")};
    const auto result = assign_host_ports(container, within, cursor, [](auto, auto) { return true; });
    ASSERT_TRUE(result);
    ASSERT_EQ(result->size(), 3U);
    EXPECT_EQ((*result)[2],
              (core::PortAssignment{.container_port = 8001, .host_port = 40001, .protocol = "tcp", .mapping = 1}));
}

TEST_F(HostPorts, AreNotGivenTwiceToOneContainer) {
    within = {40000, 40001};
    EXPECT_EQ(assign({one(1), one(2)}), (Ports{40000, 40001}));
    EXPECT_EQ(assign({one(1), one(2), one(3)}), Ports{});
    EXPECT_EQ(error, "HostConfigError: error retrieving docker port map: a host port is unavailable");
}

TEST_F(HostPorts, FailByNameWhenNoneIsFree) {
    within = {40000, 40002};
    taken = {40001};
    EXPECT_EQ(assign({range("8000-8001")}), Ports{});
    EXPECT_EQ(error, "HostConfigError: error retrieving docker port map: 2 contiguous host ports are unavailable");
}

TEST_F(HostPorts, StayWithinARangeThatWasChangedMeanwhile) {
    cursor.last = 50000;
    EXPECT_EQ(assign({one(1)}), Ports{40000});
}

TEST(PortRanges, AreTwoPortsInOrder) {
    EXPECT_EQ(parse_port_range("8000-8010")->last, 8010);
    EXPECT_FALSE(parse_port_range("8010-8000"));
    EXPECT_FALSE(parse_port_range("0-10"));
    EXPECT_FALSE(parse_port_range("1-65536"));
    EXPECT_FALSE(parse_port_range("80"));
    EXPECT_FALSE(parse_port_range("a-b"));
}

TEST(CanBind, SeesAListenerAndItsEnd) {
    for (const auto& [type, protocol] : {std::pair{SOCK_STREAM, "tcp"}, std::pair{SOCK_DGRAM, "udp"}}) {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        std::uint16_t port = 0;
        {
            const Fd holder(::socket(AF_INET, type, 0));
            ASSERT_EQ(::bind(holder.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
            if (type == SOCK_STREAM) {
                ASSERT_EQ(::listen(holder.get(), 1), 0);
            }
            socklen_t size = sizeof any;
            ::getsockname(holder.get(), reinterpret_cast<sockaddr*>(&any), &size);
            port = ntohs(any.sin_port);
            EXPECT_FALSE(can_bind(port, protocol)) << protocol;
        }
        EXPECT_TRUE(can_bind(port, protocol)) << protocol;
    }
}

}  // namespace
}  // namespace nodeagent::engine
