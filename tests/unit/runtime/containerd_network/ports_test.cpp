#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/files.hpp"
#include "runtime/containerd/network/attachment.hpp"
#include "runtime/containerd/network/host_ports.hpp"
#include "runtime/containerd/network/port_wishes.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json binding(const std::string& host_port, const std::string& host_ip = "") {
    return {{"HostIp", host_ip}, {"HostPort", host_port}};
}

TEST(PortWishes, AreReadFromDockersDocumentFixedOnesFirst) {
    Json host_config;
    host_config["PortBindings"]["80/tcp"] = Json::array({binding("")});
    host_config["PortBindings"]["81/udp"] = Json::array({binding("9000-9010")});
    host_config["PortBindings"]["90/tcp"] = Json::array({binding("8080", "10.0.0.5"), binding("0")});
    const auto wishes = port_wishes(Json::object(), host_config);
    ASSERT_TRUE(wishes);
    EXPECT_THAT(*wishes,
                ElementsAre(PortWish{90, "tcp", "10.0.0.5", 8080, 8080}, PortWish{81, "udp", "0.0.0.0", 9000, 9010},
                            PortWish{80, "tcp", "0.0.0.0", 0, 0}, PortWish{90, "tcp", "0.0.0.0", 0, 0}));
}

TEST(PortWishes, IncludeExposedPortsOnlyWhenAllAreToBePublished) {
    const Json config = {{"ExposedPorts", {{"80/tcp", Json::object()}, {"81/tcp", Json::object()}}}};
    Json host_config;
    host_config["PortBindings"]["80/tcp"] = Json::array({binding("8080")});
    EXPECT_EQ(port_wishes(config, host_config)->size(), 1U);
    host_config["PublishAllPorts"] = true;
    EXPECT_THAT(*port_wishes(config, host_config),
                ElementsAre(PortWish{80, "tcp", "0.0.0.0", 8080, 8080}, PortWish{81, "tcp", "0.0.0.0", 0, 0}));
}

TEST(PortWishes, OfNothingAreNone) {
    EXPECT_TRUE(port_wishes(Json(), Json())->empty());
    EXPECT_TRUE(port_wishes(Json::object(), {{"PortBindings", nullptr}})->empty());
    EXPECT_TRUE(port_wishes(Json::object(), {{"PortBindings", {{"80/tcp", nullptr}}}})->empty());
}

TEST(PortWishes, NameWhatIsNoPort) {
    for (const auto& [key, text, address] : {std::tuple{"80/tcp", "x", ""},
                                             {"80/tcp", "70000", ""},
                                             {"80/tcp", "-1", ""},
                                             {"80/tcp", "10-5", ""},
                                             {"0/tcp", "80", ""},
                                             {"80/icmp", "80", ""},
                                             {"x", "80", ""},
                                             {"80/tcp", "80", "::1"},
                                             {"80-90/tcp", "80", ""}}) {
        Json host_config;
        host_config["PortBindings"][key] = Json::array({binding(text, address)});
        const auto wishes = port_wishes(Json::object(), host_config);
        ASSERT_FALSE(wishes) << key << " " << text << " " << address;
        EXPECT_EQ(wishes.error().kind, ErrorKind::Malformed);
    }
}

std::vector<PortWish> dynamic(std::size_t count) {
    return std::vector<PortWish>(count, PortWish{.container_port = 80, .protocol = "tcp", .host_ip = "127.0.0.1"});
}

TEST(HostPorts, AreAllTakenOrNone) {
    HostPorts ports(0, 0);
    const auto taken = ports.take("a", "app", dynamic(1));
    ASSERT_TRUE(taken);
    const std::uint16_t port = taken->front().host_port;
    auto wishes = dynamic(2);
    wishes[1].first = wishes[1].last = port;
    const auto refused = ports.take("b", "web", wishes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what,
              "driver failed programming external connectivity on endpoint web (b): Bind for 127.0.0.1:" +
                  std::to_string(port) + " failed: port is already allocated");
    EXPECT_FALSE(ports.holds("b"));
    EXPECT_TRUE(ports.holds("a"));
}

TEST(HostPorts, OnAllAddressesConflictWithOneAddress) {
    HostPorts ports(0, 0);
    auto all = dynamic(1);
    all[0].host_ip = "0.0.0.0";
    const auto taken = ports.take("a", "", all);
    ASSERT_TRUE(taken);
    auto one = dynamic(1);
    one[0].first = one[0].last = taken->front().host_port;
    EXPECT_FALSE(ports.take("b", "", one));
    one[0].protocol = "udp";
    EXPECT_TRUE(ports.take("b", "", one)) << "another protocol's";
}

TEST(HostPorts, GivenBackAreNotTheNextGiven) {
    HostPorts ports(0, 0);
    const auto first = ports.take("a", "", dynamic(1));
    ASSERT_TRUE(first);
    ports.release("a");
    const auto second = ports.take("b", "", dynamic(1));
    ASSERT_TRUE(second);
    EXPECT_NE(second->front().host_port, first->front().host_port);
}

TEST(HostPorts, AreTakenAgainAfterARestart) {
    std::vector<PortBinding> taken;
    {
        HostPorts before(0, 0);
        taken = *before.take("a", "", dynamic(3));
    }
    HostPorts after(0, 0);
    ASSERT_TRUE(after.take_again("a", taken));
    EXPECT_TRUE(after.take_again("a", taken)) << "held already";
    const auto refused = after.take_again("b", taken);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("port is already allocated"));
}

TEST(Attachment, IsReadFromAPluginsResult) {
    const Attachment attachment = attachment_of(Json::parse(
        R"({"cniVersion":"1.0.0","interfaces":[{"name":"ecs0","mac":"02:00"},{"name":"veth1","mac":"02:01"},
            {"name":"eth0","mac":"02:02","sandbox":"/run/netns/x"}],
            "ips":[{"address":"fd00::2/64"},{"interface":2,"address":"172.18.0.2/16","gateway":"172.18.0.1"}]})"));
    EXPECT_EQ(attachment.ipv4, "172.18.0.2");
    EXPECT_EQ(attachment.gateway, "172.18.0.1");
    EXPECT_EQ(attachment.mac, "02:02");
    EXPECT_EQ(attachment_of(nullptr).ipv4, "");
    EXPECT_EQ(attachment_of({{"ips", 7}, {"interfaces", {1, "x"}}}).ipv4, "");
}

TEST(AttachmentRecord, ComesBackAsItWasSaved) {
    const fakes::TempDirectory directory;
    AttachmentStore store(directory + "/attachments");
    EXPECT_TRUE(store.ids().empty());
    EXPECT_EQ(store.load("a").error().kind, ErrorKind::NotFound);
    AttachmentRecord record{.id = "a", .ports = {{80, 8080, "0.0.0.0", "tcp"}}, .network = {{"name", "ecs"}}};
    ASSERT_TRUE(store.save(record));
    EXPECT_EQ(*store.load("a"), record);
    record.result = {{"ips", Json::array()}};
    ASSERT_TRUE(store.save(record));
    EXPECT_EQ(*store.load("a"), record);
    EXPECT_THAT(store.ids(), ElementsAre("a"));
    ASSERT_TRUE(replace_file(directory + "/attachments/a", "{\"Id\":"));
    EXPECT_EQ(*store.load("a"), (AttachmentRecord{.id = "a"})) << "so that it can be taken down";
    EXPECT_TRUE(store.remove("a"));
    EXPECT_TRUE(store.remove("a"));
    EXPECT_TRUE(store.ids().empty());
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
