#include "runtime/containerd/network/etc_files.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;

LinkedContainer database() {
    return {.alias = "db",
            .name = "ecs-db-1",
            .hostname = "0123456789ab",
            .ipv4 = "172.18.0.3",
            .env = {"PATH=/bin", "USER=app"},
            .exposed_ports = {"5433/tcp", "5432/tcp", "53/udp"}};
}

TEST(HostsFile, HasDockersHeadThenExtrasThenLinksThenItsOwnName) {
    const std::string file = hosts_file("", {"printer:10.0.0.9"}, "web", "corp", "172.18.0.2", {database()});
    EXPECT_EQ(file,
              "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
              "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
              "10.0.0.9\tprinter\n172.18.0.3\tdb 0123456789ab ecs-db-1\n172.18.0.2\tweb.corp web\n");
}

TEST(HostsFile, OnTheHostsNetworkIsTheHostsWithTheExtras) {
    EXPECT_EQ(hosts_file("1.2.3.4 here", {"six:::1"}, "host", "", "", {}), "1.2.3.4 here\n::1\tsix\n");
}

TEST(ResolvConf, LeavesOutServersThatOnlyTheHostReaches) {
    const std::string host = "nameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch a b\noptions ndots:2\n";
    EXPECT_EQ(resolv_conf(host, {}), "search a b\nnameserver 10.0.0.2\noptions ndots:2\n");
    EXPECT_EQ(resolv_conf("nameserver 127.0.0.1\n", {}), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    EXPECT_EQ(resolv_conf(host, {.servers = {}, .search = {}, .options = {}, .host_network = true}), host);
}

TEST(ResolvConf, TheTasksOwnSettingsReplaceTheHosts) {
    EXPECT_EQ(resolv_conf("nameserver 10.0.0.2\nsearch a\noptions x\n",
                          {.servers = {"1.1.1.1"}, .search = {"."}, .options = {"use-vc"}}),
              "nameserver 1.1.1.1\noptions use-vc\n");
}

TEST(LinkEnvironment, NamesThePortsInOrderTcpFirstAndWhatFollowsAsARange) {
    const auto environment = link_environment("ecs-web-1", {database()});
    EXPECT_EQ(environment.front(), "DB_PORT=tcp://172.18.0.3:5432");
    EXPECT_THAT(environment, Contains("DB_PORT_5432_TCP_ADDR=172.18.0.3"));
    EXPECT_THAT(environment, Contains("DB_PORT_5432_TCP_PORT_END=5433"));
    EXPECT_THAT(environment, Contains("DB_PORT_53_UDP=udp://172.18.0.3:53"));
    EXPECT_THAT(environment, Contains("DB_NAME=/ecs-web-1/db"));
    EXPECT_THAT(environment, Contains("DB_ENV_USER=app"));
    EXPECT_THAT(environment, ::testing::Not(Contains(HasSubstr("PATH"))));
}

TEST(EtcFiles, AreChangedInPlaceSoThatWhoHasThemMountedSeesIt) {
    const fakes::TempDirectory folder;
    const auto config = nlohmann::json::object();
    ASSERT_TRUE(write_etc_files(folder, config, config, "one", "172.18.0.2", {}));
    const std::string file = folder + "/hosts";
    struct stat before {
    }, after{};
    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    ASSERT_TRUE(write_etc_files(folder, config, config, "one", "172.18.0.7", {}));
    ASSERT_EQ(::stat(file.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_THAT(*read_file(file), EndsWith("172.18.0.7\tone\n"));
    EXPECT_EQ(*read_file(folder + "/hostname"), "one\n");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
