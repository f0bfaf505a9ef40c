// What a container shares with the host and with other containers: networks, namespaces, volumes.

#include "tests/integration/containerd_backend/containerd_test.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "tests/fakes/fake_containerd_world.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::HasSubstr;

class ContainerdShared : public ContainerdBackendTest {
  protected:
    static std::string namespace_of(std::int64_t pid, const std::string& kind) {
        std::error_code failed;
        return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + kind, failed).string();
    }
    ContainerSpec pause(const std::string& word = "pause") {
        ContainerSpec spec = world.shell(world.name(word), kForever);
        spec.host_config["IpcMode"] = "shareable";
        return spec;
    }
    ContainerSpec follower(ContainerSpec spec, const std::string& of) {
        for (const char* mode : {"NetworkMode", "PidMode", "IpcMode"}) spec.host_config[mode] = "container:" + of;
        return spec;
    }
};

TEST_F(ContainerdShared, NamespacesOfAPauseContainerAreThoseOfItsFollowers) {
    const std::string first = start(pause());
    const std::string second = start(follower(world.shell(world.name("web"), kForever), first));
    const std::int64_t one = inspect(first).pid, two = inspect(second).pid;
    for (const char* kind : {"pid", "ipc", "net"}) EXPECT_EQ(namespace_of(one, kind), namespace_of(two, kind)) << kind;
    EXPECT_NE(namespace_of(one, "mnt"), namespace_of(two, "mnt"));
    EXPECT_TRUE(inspect(second).ports.empty());
    remove(second);
}

TEST_F(ContainerdShared, MemoryOfAPauseContainerIsSeenByAllItsFollowers) {
    const std::string first = start(pause());
    ContainerSpec writer = follower(speaking("writer", "echo shared >/dev/shm/file; cat /dev/shm/file"), first);
    EXPECT_EQ(said(std::move(writer)), "shared\n");
    ContainerSpec reader = follower(speaking("reader", "cat /dev/shm/file"), first);
    EXPECT_EQ(said(std::move(reader)), "shared\n");
    remove(world.name("writer"));
    remove(world.name("reader"));
    EXPECT_TRUE(world.run(backend.stop(first, seconds(20))));
    start_again(first);
    ContainerSpec later = follower(speaking("later", "test -e /dev/shm/file || echo empty"), first);
    EXPECT_EQ(said(std::move(later)), "empty\n");
    remove(world.name("later"));
}

TEST_F(ContainerdShared, AFollowerStartsAgainAfterItsPauseContainerDid) {
    const std::string first = start(pause());
    const std::string second = start(follower(world.shell(world.name("web"), kForever), first));
    ASSERT_TRUE(world.run(backend.stop(second, seconds(20))));
    ASSERT_TRUE(world.run(backend.stop(first, seconds(20))));
    start_again(first);
    start_again(second);
    for (const char* kind : {"pid", "ipc", "net"}) {
        EXPECT_EQ(namespace_of(inspect(first).pid, kind), namespace_of(inspect(second).pid, kind)) << kind;
    }
    remove(second);
}

TEST_F(ContainerdShared, AFollowerOfAContainerThatDoesNotRunIsNotStarted) {
    const std::string first = start(pause());
    const std::string second = create(follower(world.shell(world.name("web"), kForever), first));
    ASSERT_TRUE(world.run(backend.stop(first, seconds(20))));
    const auto done = world.run(backend.start(second, kDeadline));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Conflict) << done.error().what;
    EXPECT_THAT(done.error().what, HasSubstr("non running container"));
    remove(second);
}

TEST_F(ContainerdShared, TheHostsNetworkIsTheHosts) {
    ContainerSpec spec = world.shell(world.name("host"), kForever);
    spec.host_config["NetworkMode"] = "host";
    const std::string id = start(std::move(spec));
    EXPECT_EQ(namespace_of(inspect(id).pid, "net"), namespace_of(::getpid(), "net"));
    EXPECT_EQ(inspect(id).network_mode, "host");
}

TEST_F(ContainerdShared, WithoutANetworkThereIsOnlyALoopback) {
    ContainerSpec spec = speaking("alone", "ls /sys/class/net; cat /sys/class/net/lo/carrier");
    spec.host_config["NetworkMode"] = "none";
    EXPECT_EQ(said(std::move(spec)), "lo\n1\n");
}

TEST_F(ContainerdShared, APublishedPortAnswersOnTheLoopbackOfTheHost) {
    ContainerSpec spec = world.shell(world.name("web"), "echo hello >/index.html; exec httpd -f -p 80 -h /");
    spec.config["ExposedPorts"]["80/tcp"] = Json::object();
    spec.host_config["PortBindings"]["80/tcp"].push_back(Json{{"HostPort", "0"}});
    const std::string id = start(std::move(spec));
    const ContainerView view = inspect(id);
    ASSERT_EQ(view.ports.size(), 1U);
    std::string answer;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (answer.empty() && std::chrono::steady_clock::now() < until) {
        asio::ip::tcp::socket socket(world.io);
        boost::system::error_code failed;
        socket.connect({asio::ip::make_address("127.0.0.1"), view.ports.front().host_port}, failed);
        if (failed) continue;  // it does not listen yet
        asio::write(socket, asio::buffer(std::string("GET /index.html HTTP/1.0\r\n\r\n")), failed);
        asio::read(socket, asio::dynamic_buffer(answer), failed);
    }
    EXPECT_THAT(answer, HasSubstr("200 OK"));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello\n"));
}

TEST_F(ContainerdShared, ALinkGivesTheNameAndTheVariablesOfTheOther) {
    ContainerSpec target = world.shell(world.name("db"), kForever);
    target.config["ExposedPorts"]["5432/tcp"] = Json::object();
    const std::string other = start(std::move(target));
    const std::string address = inspect(other).networks.front().ipv4_address;
    ContainerSpec spec = speaking("web", "cat /etc/hosts; env");
    spec.host_config["Links"] = Json::array({world.name("db") + ":store"});
    const std::string text = said(std::move(spec));
    EXPECT_THAT(text, HasSubstr(address + "\tstore "));
    EXPECT_THAT(text, HasSubstr("STORE_PORT=tcp://" + address + ":5432"));
}

TEST_F(ContainerdShared, ANamedVolumeOutlivesItsContainersAndAnAnonymousOneDoesNot) {
    const std::string volume = world.name("data");
    const auto spec = [&](const std::string& word, const std::string& script) {
        ContainerSpec made = speaking(word, script);
        made.host_config["Binds"].push_back(volume + ":/data");
        made.config["Volumes"]["/scratch"] = Json::object();
        return made;
    };
    EXPECT_EQ(said(spec("first", "echo kept >/data/file; echo gone >/scratch/file; cat /scratch/file")), "gone\n");
    EXPECT_EQ(names_in(world.options().data_dir + "/volumes").size(), 2U);
    const auto used = world.run(backend.remove_volume(volume));
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().kind, ErrorKind::Conflict);
    remove(world.name("first"));
    EXPECT_EQ(names_in(world.options().data_dir + "/volumes"), std::vector<std::string>{volume});
    EXPECT_EQ(said(spec("second", "cat /data/file; ls /scratch")), "kept\n");
    remove(world.name("second"));
    EXPECT_TRUE(world.run(backend.remove_volume(volume)));
    EXPECT_THAT(names_in(world.options().data_dir + "/volumes"), ::testing::IsEmpty());
}

/// The daemon is in memory, the network is real.
TEST(ContainerdNetworkOfAStart, ThatTheDaemonDidNotAnswerGoesWithTheContainer) {
    fakes::FakeContainerdWorld world;
    const std::string id = world.put("web", "none");
    world.daemon->on("create_task", id).fail({.kind = ErrorKind::Unavailable, .what = "connection refused"}, 1);
    ASSERT_FALSE(world.run(world.backend().start(id, kDeadline)));
    EXPECT_EQ(names_in(world.options().network.netns_folder), std::vector<std::string>{"ecs-" + id});
    EXPECT_TRUE(world.run(world.backend().remove(id)));
    EXPECT_THAT(names_in(world.options().network.netns_folder), ::testing::IsEmpty());
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
