// The agent, the daemon or the machine goes while containers are there.

#include "tests/integration/containerd_backend/containerd_test.hpp"
#include "tests/integration/own_containerd.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "runtime/containerd/network/netns.hpp"

namespace nodeagent::runtime::containerd {
namespace {

ContainerSpec with_port(ContainerSpec spec, const std::string& host_port = "0") {
    spec.config["ExposedPorts"]["80/tcp"] = Json::object();
    spec.host_config["PortBindings"]["80/tcp"].push_back(Json{{"HostPort", host_port}});
    return spec;
}

ContainerSpec probed(ContainerSpec spec, const std::string& probe) {
    spec.config["Healthcheck"] =
        Json{{"Test", {"CMD-SHELL", probe}}, {"Interval", 100'000'000}, {"Timeout", 20'000'000'000}, {"Retries", 1}};
    return spec;
}

bool is_free(std::uint16_t port) {
    asio::io_context io;
    asio::ip::tcp::acceptor acceptor(io);
    boost::system::error_code failed;
    acceptor.open(asio::ip::tcp::v4());
    acceptor.bind({asio::ip::tcp::v4(), port}, failed);
    return !failed;
}

class ContainerdAgentRestart : public ContainerdBackendTest {
  protected:
    void restart_agent() { world.restart_agent(); }
};

TEST_F(ContainerdAgentRestart, LeavesWhatRunsWithItsProcessPortsAndAddress) {
    const std::string id = start(with_port(world.shell(world.name("web"), kForever)));
    const ContainerView before = inspect(id);
    restart_agent();
    Watching events(world);
    const ContainerView after = inspect(id);
    EXPECT_EQ(after.phase, ContainerPhase::Running);
    EXPECT_EQ(after.pid, before.pid);
    EXPECT_EQ(after.started_at, before.started_at);
    EXPECT_EQ(after.ports, before.ports);
    EXPECT_EQ(after.networks, before.networks);
    EXPECT_FALSE(is_free(before.ports.front().host_port)) << "the port is held again";
    ASSERT_TRUE(world.run(world.backend().stop(id, seconds(20))));
    events.wait_for(id, Kind::Exited);
    EXPECT_EQ(inspect(id).exit_code, 0);
}

TEST_F(ContainerdAgentRestart, ToldOfAnEndThatNobodyWatched) {
    const std::string id = start(world.shell(world.name("gone"), "while ! test -e /go; do sleep 0.02; done; exit 9"));
    const std::int64_t pid = inspect(id).pid;
    world.restart_agent();  // watches nothing
    std::ofstream("/proc/" + std::to_string(pid) + "/root/go").put('x');
    std::promise<void> over;
    const auto waiting = world.client().wait(id, {}, [&over](const Result<Exit>&) { over.set_value(); });
    over.get_future().wait();
    {
        Watching events(world);
        const ContainerView view = inspect(id);
        EXPECT_EQ(view.phase, ContainerPhase::Stopped);
        EXPECT_EQ(view.exit_code, 9);
        EXPECT_TRUE(view.finished_at);
    }
}

TEST_F(ContainerdAgentRestart, DoesNotEndHealthChecks) {
    const std::string id = start(probed(world.shell(world.name("well"), kForever), "test ! -e /ill"));
    {
        Watching events(world);
        events.wait_for(id, Kind::Health);
    }
    restart_agent();
    Watching events(world);
    EXPECT_EQ(inspect(id).health.status, Health::Status::Starting);
    events.wait_for(id, Kind::Health);
    EXPECT_EQ(inspect(id).health.status, Health::Status::Healthy);
}

TEST_F(ContainerdAgentRestart, StartsAnewWhatWasOnlyHalfStarted) {
    const std::string id = create(with_port(world.shell(world.name("half"), kForever)));
    const auto root = world.client().snapshot_mounts(world.client().get_container(id)->snapshotter, id);
    ASSERT_TRUE(root);
    // the namespace that its document names is made by a start
    start_again(id);
    ASSERT_TRUE(world.run(world.backend().stop(id, seconds(20))));
    world.restart_agent();
    const std::string netns = world.options().network.netns_folder + "/ecs-" + id;
    ASSERT_TRUE(pin_namespace(netns));
    (void)world.client().delete_task(id);
    const std::string folder = world.options().data_dir + "/containers/" + id;
    std::filesystem::create_directories(folder);
    const auto pid =
        world.client().create_task({.container_id = id, .root = *root, .streams = {}, .terminal = false}, kDeadline);
    ASSERT_TRUE(pid) << pid.error().what;
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Created);
    start_again(id);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
    EXPECT_NE(inspect(id).pid, static_cast<std::int64_t>(*pid));
}

TEST_F(ContainerdAgentRestart, RemovesWhatWasOnlyHalfStarted) {
    ContainerSpec spec = world.shell(world.name("half"), kForever);
    spec.host_config["NetworkMode"] = "host";
    const std::string id = start(std::move(spec));
    ASSERT_TRUE(world.run(world.backend().stop(id, seconds(20))));
    const auto root = world.client().snapshot_mounts(world.client().get_container(id)->snapshotter, id);
    (void)world.client().delete_task(id);
    ASSERT_TRUE(
        world.client().create_task({.container_id = id, .root = *root, .streams = {}, .terminal = false}, kDeadline));
    world.restart_agent();
    const auto removed = world.run(world.backend().remove(id));
    EXPECT_TRUE(removed) << (removed ? "" : removed.error().what);
}

/// A world on a daemon of its own.
class ContainerdOutage : public ::testing::Test {
  protected:
    void TearDown() override { EXPECT_THAT(tested.removed_all(), ::testing::IsEmpty()); }
    fakes::TempDirectory folder;
    OwnContainerd daemon{folder + "/containerd"};
    TestedWorld tested{daemon.socket()};
    ContainerdWorld& world = tested.world;
};

TEST_F(ContainerdOutage, LeavesContainersRunningAndTheirEndsAreTold) {
    auto events = std::make_unique<Watching>(world);
    const std::string stays = tested.start(with_port(world.shell(world.name("stays"), kForever)));
    const std::string ends =
        tested.start(world.shell(world.name("ends"), "while ! test -e /go; do sleep 0.02; done; exit 9"));
    const std::int64_t pid = tested.inspect(ends).pid;
    const std::int64_t stays_pid = tested.inspect(stays).pid;
    daemon.stop(SIGKILL);
    world.run_until([&events] { return events->ended.has_value(); });
    EXPECT_EQ(events->ended->kind, ErrorKind::Unavailable);
    std::ofstream("/proc/" + std::to_string(pid) + "/root/go").put('x');
    while (std::filesystem::exists("/proc/" + std::to_string(pid) + "/root/go")) std::this_thread::yield();
    daemon.start();
    events = std::make_unique<Watching>(world);
    EXPECT_TRUE(events->connected);
    EXPECT_EQ(tested.inspect(stays).phase, ContainerPhase::Running);
    EXPECT_EQ(tested.inspect(stays).pid, stays_pid);
    world.run_until([&] { return tested.inspect(ends).phase == ContainerPhase::Stopped; });
    EXPECT_EQ(tested.inspect(ends).exit_code, 9);
    ASSERT_TRUE(world.run(world.backend().stop(stays, seconds(20))));
    events->wait_for(stays, Kind::Exited);
    EXPECT_EQ(tested.inspect(stays).exit_code, 0);
}

TEST_F(ContainerdOutage, OfTheMachineStopsEverythingAndLeavesNothingToBeCleanedByHand) {
    ContainerSpec pause = with_port(world.shell(world.name("pause"), kForever));
    pause.host_config["IpcMode"] = "shareable";
    const std::string first = tested.start(std::move(pause));
    ContainerSpec follower = world.shell(world.name("web"), kForever);
    for (const char* mode : {"NetworkMode", "IpcMode"}) follower.host_config[mode] = "container:" + first;
    const std::string second = tested.start(std::move(follower));
    const std::string never = tested.create(world.shell(world.name("never"), kForever));
    daemon.restart_machine(
        {world.options().run_dir, world.options().network.netns_folder, "/run/containerd/runc/" + world.name_space()});
    world.restart_agent();
    for (const std::string& id : {first, second}) {
        const ContainerView view = tested.inspect(id);
        EXPECT_EQ(view.phase, ContainerPhase::Stopped);
        EXPECT_EQ(view.exit_code, 255);
        EXPECT_TRUE(view.finished_at);
    }
    Watching events(world);
    EXPECT_EQ(tested.inspect(first).exit_code, 255);
    EXPECT_EQ(tested.inspect(never).phase, ContainerPhase::Created);
    tested.start_again(first);
    tested.start_again(second);
    EXPECT_EQ(tested.inspect(second).phase, ContainerPhase::Running);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
