// Networks of containers with Debian's plugins, the kernel's bridges and iptables, in a network namespace of each test.

#include "runtime/containerd/network/networks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "agent/base/files.hpp"
#include "runtime/containerd/network/packet_filter.hpp"
#include "runtime/containerd/network/packet_rules.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/integration/containerd_network/private_host.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using fakes::listen_in;
using fakes::reaches;
using fakes::run;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string id_of(char digit) { return std::string(64, digit); }

Json publishing(const std::string& port, const std::string& host_port, const std::string& host_ip = "") {
    Json host_config = {{"NetworkMode", "bridge"}};
    host_config["PortBindings"][port] = Json::array({Json{{"HostIp", host_ip}, {"HostPort", host_port}}});
    return host_config;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code absent;
    for (const auto& file : std::filesystem::directory_iterator(folder, absent))
        names.push_back(file.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

class NetworksTest : public testing::Test {
  protected:
    NetworksTest() { restart_agent(); }
    ~NetworksTest() override {
        networks_.reset();
        for (const std::string& name : names_in(netns_folder())) (void)unpin_namespace(netns_folder() + "/" + name);
        ::umount2(netns_folder().c_str(), MNT_DETACH);
    }

    [[nodiscard]] NetworkOptions options() const {
        return {.folder = directory_ + "/network", .netns_folder = netns_folder()};
    }
    [[nodiscard]] std::string netns_folder() const { return directory_ + "/netns"; }
    void restart_agent() {
        networks_.reset();
        networks_ = std::make_unique<Networks>(options());
    }
    Attachment attach(char container, const Json& host_config = {{"NetworkMode", "bridge"}}) {
        auto attachment =
            networks_->attach(id_of(container), Json::object(), host_config, std::string("app-") + container);
        if (!attachment) throw std::runtime_error(attachment.error().what);
        return *attachment;
    }
    [[nodiscard]] std::vector<std::string> leases() const {
        auto names = names_in(directory_ + "/network/ipam/ecs");
        std::erase_if(names, [](const std::string& name) { return name == "lock" || name.starts_with("last_"); });
        return names;
    }
    void expect_nothing_left() {
        EXPECT_THAT(names_in(netns_folder()), IsEmpty());
        EXPECT_THAT(leases(), IsEmpty());
        EXPECT_THAT(names_in(directory_ + "/network/attachments"), IsEmpty());
        EXPECT_THAT(port_rules(run("iptables-save")), IsEmpty());
    }

    fakes::PrivateHost host_;
    fakes::TempDirectory directory_;
    std::unique_ptr<Networks> networks_;
};

TEST_F(NetworksTest, TwoContainersOnTheBridgeTalkToEachOther) {
    const Attachment first = attach('a');
    const Attachment second = attach('b');
    EXPECT_EQ(first.mode, "bridge");
    EXPECT_EQ(first.ipv4, "172.18.0.2");
    EXPECT_EQ(first.gateway, "172.18.0.1");
    EXPECT_THAT(first.mac, SizeIs(17));
    EXPECT_EQ(first.netns_path, networks_->netns_path(id_of('a')));
    const Fd server = listen_in(first.netns_path, "0.0.0.0", 7000);
    std::string peer;
    EXPECT_TRUE(reaches(second.netns_path, first.ipv4, 7000, server, &peer));
    EXPECT_EQ(peer, second.ipv4);
}

TEST_F(NetworksTest, AContainerHasLoopbackAndNoAddressOfIpv6LikeDockers) {
    const Attachment one = attach('a');
    const Fd server = listen_in(one.netns_path, "127.0.0.1", 7000);
    EXPECT_TRUE(reaches(one.netns_path, "127.0.0.1", 7000, server));
    EXPECT_EQ(run("nsenter --net=" + one.netns_path + " ip -6 address show"), "");
}

TEST_F(NetworksTest, APublishedPortIsReachedFromTheHostFromOutsideAndFromTheContainerItself) {
    run("iptables -P FORWARD DROP");  // as dockerd does
    const Attachment one = attach('a', publishing("80/tcp", "8080"));
    EXPECT_THAT(one.ports, ElementsAre(PortBinding{80, 8080, "0.0.0.0", "tcp"}));
    fakes::PrivateHost::connect_neighbour(netns_folder() + "/neighbour");
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 80);
    EXPECT_TRUE(reaches("", "127.0.0.1", 8080, server));
    EXPECT_TRUE(reaches("", "10.99.0.1", 8080, server));
    EXPECT_TRUE(reaches(one.netns_path, one.gateway, 8080, server)) << "hairpin";
    std::string peer;
    EXPECT_TRUE(reaches(netns_folder() + "/neighbour", "10.99.0.1", 8080, server, &peer));
    EXPECT_EQ(peer, "10.99.0.2") << "the container sees who asks";
}

TEST_F(NetworksTest, AContainerReachesTheOutsideUnderTheHostsAddress) {
    run("iptables -P FORWARD DROP");
    fakes::PrivateHost::connect_neighbour(netns_folder() + "/neighbour");
    const Attachment one = attach('a');
    const Fd server = listen_in(netns_folder() + "/neighbour", "0.0.0.0", 7000);
    std::string peer;
    EXPECT_TRUE(reaches(one.netns_path, "10.99.0.2", 7000, server, &peer));
    EXPECT_EQ(peer, "10.99.0.1");
}

TEST_F(NetworksTest, RulesInEcsUserComeBeforeOurs) {
    fakes::PrivateHost::connect_neighbour(netns_folder() + "/neighbour");
    const Attachment one = attach('a');
    run("iptables -A ECS-USER -i ecs0 -d 10.99.0.2 -j REJECT");
    restart_agent();
    attach('b');
    const Fd server = listen_in(netns_folder() + "/neighbour", "0.0.0.0", 7000);
    EXPECT_FALSE(reaches(one.netns_path, "10.99.0.2", 7000, server));
}

TEST_F(NetworksTest, ContainersReachCredentialsAndIntrospectionByTheRulesOfTheReadme) {
    run("iptables -w -I INPUT -p tcp --dport 51678 ! -i lo -j DROP");
    run("iptables -w -I INPUT -p tcp --dport 51678 -i ecs0 -j ACCEPT");
    run("iptables -w -t nat -A PREROUTING -p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679");
    run("iptables -w -I INPUT --dst 127.0.0.0/8 ! --src 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT "
        "-j "
        "DROP");
    const Attachment one = attach('a');
    const Fd credentials = listen_in("", "127.0.0.1", 51679);
    const Fd introspection = listen_in("", "0.0.0.0", 51678);
    std::string peer;
    EXPECT_TRUE(reaches(one.netns_path, "169.254.170.2", 80, credentials, &peer));
    EXPECT_EQ(peer, one.ipv4) << "who asks is told by its address";
    EXPECT_TRUE(reaches(one.netns_path, one.gateway, 51678, introspection));
}

TEST_F(NetworksTest, AContainerCannotReachTheHostsLoopbackOverTheBridge) {
    const Attachment one = attach('a');
    const Fd secret = listen_in("", "127.0.0.1", 7000);
    run("nsenter --net=" + one.netns_path + " ip link set lo down");
    run("nsenter --net=" + one.netns_path + " ip address del 127.0.0.1/8 dev lo");
    run("nsenter --net=" + one.netns_path + " ip route flush table local proto kernel dev lo");
    run("nsenter --net=" + one.netns_path + " ip route add 127.0.0.1/32 via " + one.gateway);
    run("nsenter --net=" + one.netns_path + " sysctl -qw net.ipv4.conf.eth0.route_localnet=1");
    EXPECT_FALSE(reaches(one.netns_path, "127.0.0.1", 7000, secret));
    run("iptables -F ECS-INPUT");
    EXPECT_TRUE(reaches(one.netns_path, "127.0.0.1", 7000, secret)) << "else the rule is not what keeps it away";
}

TEST_F(NetworksTest, PortsOfUdpArePublishedToo) {
    const Attachment one = attach('a', publishing("53/udp", "5353"));
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 53, SOCK_DGRAM);
    const Fd client = fakes::socket_in("", SOCK_DGRAM);
    const sockaddr_in to = fakes::address_of("127.0.0.1", 5353);
    ASSERT_EQ(::sendto(client.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 1);
    EXPECT_TRUE(fakes::readable(server, 2000));
}

TEST_F(NetworksTest, APortOfAnotherContainerIsRefusedInDockersWordsAndNothingIsLeft) {
    attach('a', publishing("80/tcp", "8080"));
    const auto second = networks_->attach(id_of('b'), Json::object(), publishing("80/tcp", "8080"), "web");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(second.error().what, "driver failed programming external connectivity on endpoint web (" + id_of('b') +
                                       "): Bind for 0.0.0.0:8080 failed: port is already allocated");
    EXPECT_THAT(leases(), SizeIs(1));
    EXPECT_FALSE(is_pinned(networks_->netns_path(id_of('b'))));
    ASSERT_TRUE(networks_->detach(id_of('a')));
    EXPECT_THAT(attach('b', publishing("80/tcp", "8080")).ports, SizeIs(1));
}

TEST_F(NetworksTest, APortOfAProcessOfTheHostIsRefusedAndAPublishedOneIsKeptFromIt) {
    {
        const Fd process = listen_in("", "127.0.0.1", 8080);
        const auto refused = networks_->attach(id_of('a'), Json::object(), publishing("80/tcp", "8080"), "web");
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().what,
                    HasSubstr("Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"));
    }
    attach('a', publishing("80/tcp", "8080"));
    EXPECT_ANY_THROW(listen_in("", "0.0.0.0", 8080));
    EXPECT_ANY_THROW(listen_in("", "127.0.0.1", 8080));
    EXPECT_THAT(run("ss -ltn"), HasSubstr("0.0.0.0:8080"));
}

TEST_F(NetworksTest, DynamicPortsAndRangesGetFreeOnes) {
    NetworkOptions narrow = options();
    narrow.dynamic_first = 40000;
    narrow.dynamic_last = 40001;
    Networks networks(narrow);
    const auto any = publishing("80/tcp", "0");
    const auto first = networks.attach(id_of('a'), Json::object(), any);
    const auto second = networks.attach(id_of('b'), Json::object(), any);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->ports.at(0).host_port, 40000);
    EXPECT_EQ(second->ports.at(0).host_port, 40001);
    const auto third = networks.attach(id_of('c'), Json::object(), any);
    ASSERT_FALSE(third);
    EXPECT_THAT(third.error().what, HasSubstr("all ports are allocated"));
    const auto ranged = networks.attach(id_of('d'), Json::object(), publishing("80/tcp", "40001-40002"));
    ASSERT_TRUE(ranged);
    EXPECT_EQ(ranged->ports.at(0).host_port, 40002);
    const Fd server = listen_in(ranged->netns_path, "0.0.0.0", 80);
    EXPECT_TRUE(reaches("", "127.0.0.1", 40002, server));
    for (const char id : {'a', 'b', 'd'}) EXPECT_TRUE(networks.detach(id_of(id)));
    expect_nothing_left();
}

TEST_F(NetworksTest, APortOnOneAddressIsReachedThereOnly) {
    run("ip address add 10.98.0.1/32 dev lo");
    const Attachment one = attach('a', publishing("80/tcp", "8080", "10.98.0.1"));
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 80);
    EXPECT_TRUE(reaches("", "10.98.0.1", 8080, server));
    EXPECT_FALSE(reaches("", "127.0.0.1", 8080, server));
}

TEST_F(NetworksTest, DetachTakesEverythingAndMayBeRepeated) {
    attach('a', publishing("80/tcp", "8080"));
    ASSERT_TRUE(networks_->detach(id_of('a')));
    expect_nothing_left();
    EXPECT_THAT(run("ip -o link show type veth"), IsEmpty());
    EXPECT_TRUE(networks_->detach(id_of('a')));
    EXPECT_TRUE(networks_->detach(id_of('f'))) << "never heard of";
    EXPECT_NO_THROW(listen_in("", "0.0.0.0", 8080));
}

TEST_F(NetworksTest, AttachingAgainAnswersTheSame) {
    const Attachment first = attach('a', publishing("80/tcp", "0"));
    const Attachment again = attach('a', publishing("80/tcp", "0"));
    EXPECT_EQ(again.ipv4, first.ipv4);
    EXPECT_EQ(again.ports, first.ports);
    EXPECT_THAT(leases(), SizeIs(1));
}

TEST_F(NetworksTest, AfterARestartOfTheAgentPortsAreHeldAndWorkAgain) {
    const Attachment one = attach('a', publishing("80/tcp", "8080"));
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 80);
    restart_agent();
    networks_->reconcile({id_of('a')});
    EXPECT_ANY_THROW(listen_in("", "0.0.0.0", 8080));
    EXPECT_TRUE(reaches("", "127.0.0.1", 8080, server));
    const auto other = networks_->attach(id_of('b'), Json::object(), publishing("80/tcp", "8080"));
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().what, HasSubstr("port is already allocated"));
    EXPECT_EQ(attach('c').ipv4, "172.18.0.3") << "the address of the running one is its own";
}

TEST_F(NetworksTest, RulesThatSomebodyFlushedAreBackAfterARestart) {
    const Attachment one = attach('a', publishing("80/tcp", "8080"));
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 80);
    for (const std::string table : {"filter", "nat"}) {
        run("iptables -t " + table + " -F");
        run("iptables -t " + table + " -X");
    }
    restart_agent();
    networks_->reconcile({id_of('a')});
    EXPECT_TRUE(reaches("", "127.0.0.1", 8080, server));
    const std::string rules = run("iptables-save");
    restart_agent();
    networks_->reconcile({id_of('a')});
    const auto without_comments = [](const std::string& text) {
        std::vector<std::string> lines;
        for (const auto line : split(text, '\n')) {
            if (!line.starts_with('#') && !line.starts_with(':')) lines.emplace_back(line);
        }
        return lines;
    };
    EXPECT_EQ(without_comments(run("iptables-save")), without_comments(rules)) << "a second time adds nothing";
}

TEST_F(NetworksTest, ACrashLeavesNothingOfContainersThatAreGone) {
    attach('a', publishing("80/tcp", "8080"));
    attach('b');
    const Attachment kept = attach('c', publishing("80/tcp", "8081"));
    // the record of one is lost as well
    std::filesystem::remove(directory_ + "/network/attachments/" + id_of('b'));
    restart_agent();
    networks_->reconcile({id_of('c')});
    EXPECT_THAT(names_in(netns_folder()), ElementsAre("ecs-" + id_of('c')));
    EXPECT_THAT(leases(), ElementsAre(kept.ipv4));
    const auto rules = port_rules(run("iptables-save"));
    ASSERT_THAT(rules, SizeIs(1));
    EXPECT_EQ(rules.front().id, id_of('c'));
    EXPECT_NO_THROW(listen_in("", "0.0.0.0", 8080));
    ASSERT_TRUE(networks_->detach(id_of('c')));
    expect_nothing_left();
}

TEST_F(NetworksTest, AnAttachThatBrokeOffIsBegunAnew) {
    attach('a', publishing("80/tcp", "8080"));
    AttachmentStore records(directory_ + "/network/attachments");
    auto record = records.load(id_of('a'));
    ASSERT_TRUE(record);
    record->result = nullptr;  // killed between the plugin's answer and the note of it
    ASSERT_TRUE(records.save(*record));
    restart_agent();
    const Attachment again = attach('a', publishing("80/tcp", "8080"));
    EXPECT_THAT(leases(), ElementsAre(again.ipv4));
    EXPECT_THAT(port_rules(run("iptables-save")), SizeIs(1));
    const Fd server = listen_in(again.netns_path, "0.0.0.0", 80);
    EXPECT_TRUE(reaches("", "127.0.0.1", 8080, server));
}

TEST_F(NetworksTest, AfterARebootWhatIsOnDiskIsOfNobody) {
    attach('a', publishing("80/tcp", "8080"));
    // namespaces, bridge and rules do not survive one
    ASSERT_TRUE(unpin_namespace(networks_->netns_path(id_of('a'))));
    run("ip link delete ecs0");
    for (const std::string table : {"filter", "nat"}) {
        run("iptables -t " + table + " -F");
        run("iptables -t " + table + " -X");
    }
    restart_agent();
    networks_->reconcile({});
    expect_nothing_left();
    EXPECT_EQ(attach('b').gateway, "172.18.0.1");
}

TEST_F(NetworksTest, ReconcilingLeavesWhatThisAgentIsAboutToStart) {
    const Attachment one = attach('a', publishing("80/tcp", "8080"));
    networks_->reconcile({});  // containerd was restarted; the container's process is not there yet
    EXPECT_TRUE(is_pinned(one.netns_path));
    const Fd server = listen_in(one.netns_path, "0.0.0.0", 80);
    EXPECT_TRUE(reaches("", "127.0.0.1", 8080, server));
}

TEST_F(NetworksTest, ModeNoneHasLoopbackOnly) {
    const Attachment one = attach('a', {{"NetworkMode", "none"}});
    EXPECT_EQ(one.mode, "none");
    EXPECT_EQ(one.ipv4, "");
    const std::string links = run("nsenter --net=" + one.netns_path + " ip -o link show up");
    EXPECT_THAT(links, HasSubstr("lo:"));
    EXPECT_THAT(links, Not(HasSubstr("eth0")));
    ASSERT_TRUE(networks_->detach(id_of('a')));
    EXPECT_FALSE(std::filesystem::exists(one.netns_path));
}

TEST_F(NetworksTest, ModeHostHasNoNamespaceAndNothingToRemove) {
    const Attachment one = attach('a', {{"NetworkMode", "host"}});
    EXPECT_EQ(one.mode, "host");
    EXPECT_EQ(one.netns_path, "");
    EXPECT_TRUE(networks_->detach(id_of('a')));
    EXPECT_FALSE(std::filesystem::exists(networks_->netns_path(id_of('a'))));
}

TEST_F(NetworksTest, AContainerJoinsTheNetworkOfAnother) {
    const Attachment one = attach('a');
    const Attachment other = attach('b', {{"NetworkMode", "container:" + id_of('a')}});
    EXPECT_EQ(other.netns_path, one.netns_path);
    ASSERT_TRUE(networks_->detach(id_of('b')));
    EXPECT_TRUE(is_pinned(one.netns_path));
    const auto alone = networks_->attach(id_of('c'), Json::object(), {{"NetworkMode", "container:" + id_of('d')}});
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().kind, ErrorKind::Conflict);
}

TEST_F(NetworksTest, AnAddressOfTheContainersOwnChoiceIsItsMac) {
    const auto one = networks_->attach(id_of('a'), {{"MacAddress", "02:42:0a:0b:0c:0d"}}, Json::object());
    ASSERT_TRUE(one);
    EXPECT_EQ(one->mac, "02:42:0a:0b:0c:0d");
}

TEST_F(NetworksTest, TheSubnetAvoidsRoutesOfTheHostAndStaysTheSame) {
    run("ip link add far type bridge");
    run("ip link set far up");
    run("ip address add 172.18.5.1/24 dev far");
    EXPECT_EQ(attach('a').gateway, "172.19.0.1");
    run("ip address add 172.19.200.1/24 dev far");
    restart_agent();
    EXPECT_EQ(attach('b').gateway, "172.19.0.1") << "while containers have addresses of it";
    ASSERT_TRUE(networks_->detach(id_of('a')));
    ASSERT_TRUE(networks_->detach(id_of('b')));
    run("ip link delete ecs0");
    restart_agent();
    EXPECT_EQ(attach('c').gateway, "172.20.0.1") << "as after a reboot";
}

TEST_F(NetworksTest, TheSubnetOfTheSettingIsTaken) {
    NetworkOptions set = options();
    set.subnet = "10.77.0.0/24";
    set.mtu = 1400;
    {
        Networks networks(set);
        const auto one = networks.attach(id_of('a'), Json::object(), Json::object());
        ASSERT_TRUE(one);
        EXPECT_EQ(one->ipv4, "10.77.0.2");
        EXPECT_THAT(run("nsenter --net=" + one->netns_path + " ip link show eth0"), HasSubstr("mtu 1400"));
    }
    set.subnet = "10.77.0.1/24";
    Networks networks(set);
    const auto wrong = networks.attach(id_of('b'), Json::object(), Json::object());
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().what, HasSubstr("ECS_CONTAINERD_SUBNET 10.77.0.1/24: a network such as"));
}

// As under systemd with ProtectSystem=: what the service mounts stays in its own mount namespace, what the host mounts
// shows there, too.
TEST_F(NetworksTest, AnAgentWithMountsOfItsOwnPinsWhereContainerdSeesIt) {
    ASSERT_EQ(::mount("", "/", nullptr, MS_SHARED | MS_REC, nullptr), 0);
    NetworkOptions in_service = options();
    const std::string own = netns_folder() + "-own";
    Result<Attachment> seen;
    Result<Attachment> unseen;
    Result<void> detached;
    std::thread([&] {
        if (::unshare(CLONE_FS | CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0)
            return;
        in_service.netns_folder = own;
        unseen = Networks(in_service).attach(id_of('a'), Json::object(), {{"NetworkMode", "none"}});
        in_service.netns_folder = netns_folder();
        in_service.mount_namespace = "/proc/" + std::to_string(::getpid()) + "/ns/mnt";
        seen = Networks(in_service).attach(id_of('b'), Json::object(), Json::object());
        (void)Networks(in_service).attach(id_of('c'), Json::object(), {{"NetworkMode", "none"}});
        detached = Networks(in_service).detach(id_of('c'));
    }).join();
    ASSERT_TRUE(unseen);
    EXPECT_FALSE(is_pinned(unseen->netns_path));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->ipv4, "172.18.0.2");
    EXPECT_TRUE(is_pinned(seen->netns_path));
    EXPECT_TRUE(detached);
    EXPECT_THAT(names_in(netns_folder()), ElementsAre("ecs-" + id_of('b')));
}

TEST_F(NetworksTest, ManyContainersAtOnceAllGetAnAddress) {
    std::vector<std::string> addresses(12);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        threads.emplace_back([&, i] {
            std::string id = id_of('a');
            id[0] = static_cast<char>('0' + i % 10);
            id[1] = static_cast<char>('a' + i / 10);
            auto one = networks_->attach(id, Json::object(), publishing("80/tcp", "0"));
            addresses[i] = one ? one->ipv4 : one.error().what;
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::sort(addresses.begin(), addresses.end());
    EXPECT_EQ(std::unique(addresses.begin(), addresses.end()), addresses.end());
    EXPECT_THAT(addresses, testing::Each(testing::StartsWith("172.18.0.")));
    EXPECT_THAT(port_rules(run("iptables-save")), SizeIs(12));
    networks_->reconcile({});
    restart_agent();
    networks_->reconcile({});
    expect_nothing_left();
}

TEST_F(NetworksTest, AMissingPluginIsNamedWithItsPackage) {
    NetworkOptions without = options();
    without.plugin_folders = {directory_ + "/nothing"};
    Networks networks(without);
    const auto one = networks.attach(id_of('a'), Json::object(), Json::object());
    ASSERT_FALSE(one);
    EXPECT_EQ(one.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(one.error().what, HasSubstr("apt-get install containernetworking-plugins"));
    expect_nothing_left();
}

TEST_F(NetworksTest, AContainerIsTakenOffTheNetworkAfterThePluginsAreGone) {
    attach('a', publishing("80/tcp", "8080"));
    NetworkOptions without = options();
    without.plugin_folders = {directory_ + "/nothing"};
    Networks networks(without);
    EXPECT_TRUE(networks.detach(id_of('a')));
    expect_nothing_left();
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
