// What ECS users read in the reason of a task, in the words they know from Docker.

#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "agent/base/fd.hpp"
#include "tests/integration/containerd_backend/containerd_world.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ContainerdRefusal : public ::testing::Test {
  protected:
    ContainerdWorld world;
    Backend& backend = world.backend();
};

TEST_F(ContainerdRefusal, OfWhatIsAbsentReadsAsOnDocker) {
    EXPECT_EQ(world.run(backend.inspect("nodeagent-absent")).error().what,
              "Error response from daemon: No such container: nodeagent-absent");
    EXPECT_EQ(world.run(backend.start("nodeagent-absent", seconds(30))).error().what,
              "Error response from daemon: No such container: nodeagent-absent");
    EXPECT_EQ(world.run(backend.inspect_volume("nodeagent-absent")).error().what,
              "Error response from daemon: get nodeagent-absent: no such volume");
    EXPECT_EQ(world.run(backend.inspect_image("nodeagent-absent:1")).error().what,
              "Error response from daemon: No such image: nodeagent-absent:1");
}

TEST_F(ContainerdRefusal, OfAnOccupiedPortReadsAsOnDockerAndTheContainerKeepsItsCause) {
    const Fd occupied(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in address {};
    address.sin_family = AF_INET;
    socklen_t length = sizeof address;
    ASSERT_EQ(::bind(occupied.get(), reinterpret_cast<struct sockaddr*>(&address), length), 0);
    ASSERT_EQ(::listen(occupied.get(), 1), 0);
    ASSERT_EQ(::getsockname(occupied.get(), reinterpret_cast<struct sockaddr*>(&address), &length), 0);
    const std::string port = std::to_string(ntohs(address.sin_port));

    ContainerSpec spec = world.shell(world.name("clash"), "true");
    spec.host_config["PortBindings"]["80/tcp"] = Json::array({Json{{"HostIp", ""}, {"HostPort", port}}});
    const auto id = world.run(backend.create(std::move(spec), seconds(30)));
    ASSERT_TRUE(id) << id.error().what;
    const auto started = world.run(backend.start(*id, seconds(30)));
    ASSERT_FALSE(started);
    constexpr const char* kCause = "driver failed programming external connectivity on endpoint ";
    EXPECT_THAT(started.error().what,
                AllOf(StartsWith(std::string("Error response from daemon: ") + kCause),
                      HasSubstr("listen tcp4 0.0.0.0:" + port + ": bind: address already in use")));
    EXPECT_THAT(world.run(backend.inspect(*id))->error, StartsWith(kCause));
    EXPECT_TRUE(world.run(backend.remove(*id)));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
