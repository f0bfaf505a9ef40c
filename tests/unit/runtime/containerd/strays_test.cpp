// What a creation has left that was killed: collected when containerd is connected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/containerd/volumes.hpp"
#include "tests/fakes/fake_containerd_world.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class ContainerdStrays : public ::testing::Test {
  protected:
    static std::string id(char digit) { return std::string(64, digit); }
    void make_volume(const std::string& name, const std::string& container) {
        VolumeSpec spec{.name = name, .driver = "local", .driver_opts = {}, .labels = {}};
        if (!container.empty()) spec.labels[kVolumeContainerLabel] = container;
        ASSERT_TRUE(volumes.create(spec));
    }
    std::vector<std::string> volume_folders() {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(world.options().data_dir + "/volumes")) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }
    void connect() { Watching events(world); }

    fakes::FakeContainerdWorld world;
    fakes::FakeContainerd& daemon = *world.daemon;
    Volumes volumes{world.options().data_dir};
};

TEST_F(ContainerdStrays, AnonymousVolumesOfAContainerThatIsNotThereGo) {
    const std::string there = world.put("web");
    make_volume("of-nobody", id('a'));
    make_volume("of-web", there);
    make_volume("named", {});
    connect();
    EXPECT_THAT(volume_folders(), UnorderedElementsAre("of-web", "named"));
}

TEST_F(ContainerdStrays, AFolderOfAVolumeThatWasNeverMadeGoes) {
    make_volume("named", {});
    std::filesystem::create_directories(world.options().data_dir + "/volumes/half/_data");
    connect();
    EXPECT_THAT(volume_folders(), ElementsAre("named"));
}

TEST_F(ContainerdStrays, ARootOfAContainerThatIsNotThereGoes) {
    const std::string there = world.put("web");
    ASSERT_TRUE(daemon.create_lease("ecs-roots-of-an-earlier-agent", {}));
    ASSERT_TRUE(daemon.prepare_snapshot("overlayfs", id('b'), {}, {}, "ecs-roots-of-an-earlier-agent"));
    ASSERT_TRUE(daemon.create_lease("ecs-pull-that-goes-on", {}));
    ASSERT_TRUE(daemon.prepare_snapshot("overlayfs", "extract-1 layer", {}, {}, "ecs-pull-that-goes-on"));
    connect();
    EXPECT_THAT(daemon.snapshots(), Not(Contains(Key(id('b')))));
    EXPECT_THAT(daemon.snapshots(), Contains(Key(there)));
    EXPECT_THAT(daemon.snapshots(), Contains(Key("extract-1 layer")));
    EXPECT_THAT(daemon.leases(), ElementsAre(Key("ecs-pull-that-goes-on")));
}

TEST_F(ContainerdStrays, NothingGoesOfAContainerOfWhichContainerdSaysNothing) {
    make_volume("of-nobody", id('a'));
    daemon.on("get_container", id('a')).fail({.kind = ErrorKind::Timeout, .what = "context deadline exceeded"});
    connect();
    EXPECT_THAT(volume_folders(), ElementsAre("of-nobody"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
