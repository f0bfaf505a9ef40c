#include "runtime/containerd/network/etc_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

// Expected texts are what Docker 20.10.24 wrote for the same containers.
namespace nodeagent::runtime::containerd {
namespace {

const std::string kLocal =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

TEST(HostsFile, NamesExtraHostsThenLinkedContainersThenItself) {
    const LinkedContainer database{
        .alias = "the-db", .name = "my-db", .hostname = "dbhost", .ipv4 = "172.17.0.2", .env = {}, .exposed_ports = {}};
    const auto text = hosts_file({.extra = {"a:1.2.3.4"}, .ipv4 = "172.17.0.3", .hostname = "h1", .links = {database}});
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, kLocal + "1.2.3.4\ta\n172.17.0.2\tthe-db dbhost my-db\n172.17.0.3\th1\n");
}

TEST(HostsFile, DoesNotNameALinkedContainerTwice) {
    const LinkedContainer database{
        .alias = "my-db", .name = "my-db", .hostname = "dbhost", .ipv4 = "172.17.0.2", .env = {}, .exposed_ports = {}};
    EXPECT_EQ(link_host_names(database), "my-db dbhost");
}

TEST(HostsFile, HasTheFullNameBeforeTheShortOne) {
    const auto text = hosts_file({.ipv4 = "172.17.0.2", .hostname = "h1", .domainname = "example.com"});
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, kLocal + "172.17.0.2\th1.example.com h1\n");
}

TEST(HostsFile, PutsTheGatewayInPlaceOfHostGateway) {
    const auto text = hosts_file({.extra = {"gw:host-gateway", "six:2001:db8::1"}, .gateway = "172.18.0.1"});
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, kLocal + "172.18.0.1\tgw\n2001:db8::1\tsix\n");
    EXPECT_FALSE(hosts_file({.extra = {"gw:host-gateway"}})) << "without a network of its own";
    EXPECT_FALSE(hosts_file({.extra = {"nothing"}}));
}

TEST(ResolvConf, TakesTheHostsServersButLoopbackAndIpv6Ones) {
    EXPECT_EQ(resolv_conf("nameserver 10.0.0.2\n", {}), "nameserver 10.0.0.2\n");
    EXPECT_EQ(resolv_conf("search q\nnameserver 127.0.0.1\n\n\nnameserver 1.1.1.1\noptions edns0\n", {}),
              "search q\nnameserver 1.1.1.1\noptions edns0\n");
    EXPECT_EQ(resolv_conf("nameserver 1.1.1.1\nnameserver fe80::1%eth0\n# x\n", {}), "nameserver 1.1.1.1\n# x\n");
}

TEST(ResolvConf, AsksPublicServersWhenTheHostHasNone) {
    EXPECT_EQ(resolv_conf("nameserver 127.0.0.1\nsearch a.b\n", {}),
              "search a.b\n\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    EXPECT_EQ(resolv_conf("nameserver 2001:db8::1\n", {}), "\nnameserver 8.8.8.8\nnameserver 8.8.4.4");
    EXPECT_EQ(resolv_conf("", {}), "\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

TEST(ResolvConf, WritesWhatTheTaskDefinitionWishesAndTheHostsForTheRest) {
    const std::string host = "search q\nnameserver 127.0.0.1\nnameserver 1.1.1.1\noptions edns0\n";
    EXPECT_EQ(resolv_conf(host, {.servers = {"9.9.9.9"}, .search = {"x.y", "z"}, .options = {"ndots:2"}}),
              "search x.y z\nnameserver 9.9.9.9\noptions ndots:2\n");
    EXPECT_EQ(resolv_conf(host, {.search = {"s"}}),
              "search s\nnameserver 127.0.0.1\nnameserver 1.1.1.1\noptions edns0\n");
    EXPECT_EQ(resolv_conf("nameserver 10.0.0.2\n", {.search = {"."}}), "nameserver 10.0.0.2\n");
    EXPECT_EQ(resolv_conf("", {.search = {"s"}}), "search s\n");
}

TEST(ResolvConf, KnowsTheFileOfSystemdResolved) {
    EXPECT_TRUE(only_names_resolved("# by systemd\nnameserver 127.0.0.53\noptions edns0\n"));
    EXPECT_FALSE(only_names_resolved("nameserver 127.0.0.53\nnameserver 10.0.0.2\n"));
    EXPECT_FALSE(only_names_resolved(""));
}

TEST(EtcFiles, AreReadableByAnybodyInTheContainer) {
    const fakes::TempDirectory directory;
    const ::mode_t before = ::umask(0077);
    const auto files = write_etc_files(directory + "/etc", Json::object(), Json::object(), "h1", "172.18.0.2", {});
    ::umask(before);
    ASSERT_TRUE(files);
    EXPECT_EQ(*read_file(files->hostname), "h1\n");
    EXPECT_EQ(*read_file(files->hosts), kLocal + "172.18.0.2\th1\n");
    for (const std::string& path : {files->hostname, files->hosts, files->resolv_conf}) {
        struct stat about {};
        ASSERT_EQ(::stat(path.c_str(), &about), 0);
        EXPECT_EQ(about.st_mode & 07777, 0644U) << path;
    }
}

TEST(EtcFiles, AreTheHostsInModeHostButForWhatTheTaskDefinitionAdds) {
    const fakes::TempDirectory directory;
    const Json host = {{"NetworkMode", "host"}};
    const auto copies = write_etc_files(directory + "/a", Json::object(), host, "vm", "", {});
    ASSERT_TRUE(copies);
    EXPECT_EQ(*read_file(copies->hosts), *read_file("/etc/hosts"));
    const Json more = {{"NetworkMode", "host"}, {"ExtraHosts", {"a:1.2.3.4"}}, {"Dns", {"9.9.9.9"}}};
    const auto added = write_etc_files(directory + "/b", Json::object(), more, "vm", "", {});
    ASSERT_TRUE(added);
    EXPECT_EQ(*read_file(added->hosts), kLocal + "1.2.3.4\ta\n");
    EXPECT_THAT(*read_file(added->resolv_conf), testing::HasSubstr("nameserver 9.9.9.9\n"));
}

TEST(EtcFiles, AreWrittenAnewForTheNextStart) {
    const fakes::TempDirectory directory;
    const Json many = {{"ExtraHosts", {"a-long-name-that-is-gone-later:1.2.3.4"}}};
    ASSERT_TRUE(write_etc_files(directory + "/etc", Json::object(), many, "h1", "172.18.0.2", {}));
    const auto files = write_etc_files(directory + "/etc", Json::object(), Json::object(), "h1", "172.18.0.9", {});
    ASSERT_TRUE(files);
    EXPECT_EQ(*read_file(files->hosts), kLocal + "172.18.0.9\th1\n");
}

TEST(LinkEnvironment, HasEveryVariableThatDockerGives) {
    const LinkedContainer database{.alias = "the-db",
                                   .name = "my-db",
                                   .hostname = "dbhost",
                                   .ipv4 = "172.17.0.2",
                                   .env = {"HOME=/x", "PATH=/bin", "A=b=c", "BROKEN"},
                                   .exposed_ports = {"5434/tcp", "53/udp", "5432/tcp", "5433/tcp", "53/tcp"}};
    EXPECT_THAT(
        link_environment("web", {database}),
        testing::ElementsAre("THE_DB_PORT=tcp://172.17.0.2:53", "THE_DB_PORT_5432_TCP_START=tcp://172.17.0.2:5432",
                             "THE_DB_PORT_5432_TCP_ADDR=172.17.0.2", "THE_DB_PORT_5432_TCP_PROTO=tcp",
                             "THE_DB_PORT_5432_TCP_PORT_START=5432", "THE_DB_PORT_5432_TCP_END=tcp://172.17.0.2:5434",
                             "THE_DB_PORT_5432_TCP_PORT_END=5434", "THE_DB_PORT_53_TCP=tcp://172.17.0.2:53",
                             "THE_DB_PORT_53_TCP_ADDR=172.17.0.2", "THE_DB_PORT_53_TCP_PORT=53",
                             "THE_DB_PORT_53_TCP_PROTO=tcp", "THE_DB_PORT_53_UDP=udp://172.17.0.2:53",
                             "THE_DB_PORT_53_UDP_ADDR=172.17.0.2", "THE_DB_PORT_53_UDP_PORT=53",
                             "THE_DB_PORT_53_UDP_PROTO=udp", "THE_DB_PORT_5432_TCP=tcp://172.17.0.2:5432",
                             "THE_DB_PORT_5432_TCP_ADDR=172.17.0.2", "THE_DB_PORT_5432_TCP_PORT=5432",
                             "THE_DB_PORT_5432_TCP_PROTO=tcp", "THE_DB_PORT_5433_TCP=tcp://172.17.0.2:5433",
                             "THE_DB_PORT_5433_TCP_ADDR=172.17.0.2", "THE_DB_PORT_5433_TCP_PORT=5433",
                             "THE_DB_PORT_5433_TCP_PROTO=tcp", "THE_DB_PORT_5434_TCP=tcp://172.17.0.2:5434",
                             "THE_DB_PORT_5434_TCP_ADDR=172.17.0.2", "THE_DB_PORT_5434_TCP_PORT=5434",
                             "THE_DB_PORT_5434_TCP_PROTO=tcp", "THE_DB_NAME=/web/the-db", "THE_DB_ENV_A=b=c"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
