// Pulls and image clean-up on a real Docker daemon whose disk is small enough to fill.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "agent/base/blocking_pool.hpp"
#include "agent/engine/disk.hpp"
#include "agent/engine/image_janitor.hpp"
#include "agent/engine/memory_store.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/integration/docker_registry/registry.hpp"
#include "tests/integration/small_disk/small_docker.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using runtime::docker::Registry;
using runtime::docker::Tar;
using testing::HasSubstr;

constexpr std::size_t kMiB = 1 << 20;

class SmallDiskTest : public testing::Test {
  protected:
    SmallDiskTest() {
        work.spawn(link.run([] {}, [](const runtime::RuntimeEvent&) {}));
        world.run_until([this] { return link.reachable(); });
    }
    ~SmallDiskTest() override {
        work.cancel();
        janitor.cancel();
        puller.cancel();
        world.run(drained());
    }
    asio::awaitable<bool> drained() {
        co_await work.drain();
        co_await janitor.drain();
        co_await puller.drain();
        co_return true;
    }

    /// An image of one incompressible file.
    void have_image(const std::string& repository, std::size_t bytes) {
        std::mt19937_64 random(std::hash<std::string>{}(repository));
        std::string content(bytes, '\0');
        for (char& c : content) c = static_cast<char>(random());
        Tar tar;
        tar.file("content", content);
        const auto made = world.call("POST", "/images/create?fromSrc=-&repo=" + repository + "&tag=1", tar.finish(),
                                     "application/x-tar");
        ASSERT_EQ(made.status, 200) << made.body;
        ASSERT_EQ(made.body.find("\"error\""), std::string::npos) << made.body;
    }
    /// It was used by a task, which is gone.
    void was_used(const std::string& image, WallTime when) {
        const auto view = world.run(world.backend().inspect_image(image));
        ASSERT_TRUE(view) << view.error().what;
        images.use("task", "app", image, *view, true, when);
        images.release("task", when);
    }
    bool there(const std::string& image) { return static_cast<bool>(world.run(world.backend().inspect_image(image))); }
    [[nodiscard]] std::string events_text() const {
        std::string all;
        for (const StatusChange& change : events.recent()) all += change.what + "\n";
        return all;
    }
    asio::awaitable<Result<core::DiskUse>> look(std::string folder) {
        auto call = [folder = std::move(folder)] { return disk_use(folder); };
        Result<core::DiskUse> use = co_await pool.run(std::move(call));
        co_return use;
    }

    SmallDocker docker{160};  // of which an empty daemon takes about 35
    runtime::docker::DockerWorld world;
    fakes::ManualClock clock;
    BlockingPool pool{1};
    static config::Config marks_of_60_and_50() {
        config::Config made;
        made.image_pull_behavior = config::ImagePullBehavior::Always;
        made.image_high_watermark = 60;
        made.image_low_watermark = 54;
        return made;
    }
    config::Config config = marks_of_60_and_50();
    MemoryStore store;
    EventLog events;
    RuntimeLink link{world.io.get_executor(), clock, world.backend()};
    ImageLedger images;
    ImageClaims claims{world.io.get_executor()};
    ImageJanitor janitor{JanitorTools{.shard = world.io.get_executor(),
                                      .clock = clock,
                                      .backend = world.backend(),
                                      .link = link,
                                      .images = images,
                                      .claims = claims,
                                      .store = store,
                                      .events = events,
                                      .config = config,
                                      .disk_use = [this](std::string folder) { return look(std::move(folder)); },
                                      .is_ours = [](const runtime::ContainerView&) { return true; }}};
    ImagePuller puller{world.io.get_executor(),
                       clock,
                       world.backend(),
                       link,
                       PullLimits{},
                       PullHooks{.changed = {}, .make_room = [this] { return janitor.make_room(); }}};
    Scope work{world.io.get_executor()};
};

TEST_F(SmallDiskTest, CrossingTheHighMarkRemovesUnusedImagesOldestFirstDownToTheLowMark) {
    const WallTime now = clock.now().wall;
    for (int i = 0; i < 4; ++i) {
        const std::string name = "part" + std::to_string(i);
        ASSERT_NO_FATAL_FAILURE(have_image(name, 20 * kMiB));
        ASSERT_NO_FATAL_FAILURE(was_used(name + ":1", now + std::chrono::seconds(i)));
    }
    runtime::ContainerSpec spec;  // the oldest is in use by a container that no task knows
    spec.name = world.name("holder");
    spec.config["Image"] = "part0:1";
    spec.config["Cmd"] = Json::array({"content"});
    spec.host_config["NetworkMode"] = "none";
    const auto holder = world.run(world.backend().create(std::move(spec), 60s));
    ASSERT_TRUE(holder) << holder.error().what;

    work.spawn(janitor.watch_disk());
    const auto use = disk_use(docker.data());
    ASSERT_TRUE(use);
    ASSERT_GE(use->bytes_percent(), 60U);
    world.io.restart();
    world.io.poll();
    clock.advance(61s);
    world.run_until([this] { return events_text().find("image clean-up removed") != std::string::npos; });
    EXPECT_TRUE(there("part0:1"));
    EXPECT_FALSE(there("part1:1"));
    EXPECT_TRUE(there("part3:1")) << events_text();
    EXPECT_LE(disk_use(docker.data())->bytes_percent(), 54U) << events_text();
    EXPECT_TRUE(world.run(world.backend().remove(*holder)));
}

TEST_F(SmallDiskTest, APullOntoAFullDiskFailsWithThatReasonAndSaysHowFullItIs) {
    Registry registry;
    const std::string repository = registry.address() + "/big";
    ASSERT_NO_FATAL_FAILURE(have_image(repository, 12 * kMiB));
    runtime::RegistryAuth auth;
    auth.username = Registry::kUser;
    auth.password = Secret(Registry::kPassword);
    const auto pushed = world.call("POST", "/images/" + repository + "/push?tag=1", {}, {},
                                   {{"X-Registry-Auth", runtime::docker::registry_auth_header(auth, false)}});
    ASSERT_EQ(pushed.body.find("\"error\""), std::string::npos) << pushed.body;
    ASSERT_TRUE(world.run(world.backend().remove_image(repository + ":1")));

    docker.leave_free(3 * kMiB);
    const auto failed = world.run(puller.pull(repository + ":1", {}, auth, PullFor{"task", "app"}));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->name, "CannotPullContainerError");
    EXPECT_THAT(failed->message, HasSubstr("no space left on device"));
    EXPECT_THAT(events_text(), HasSubstr("a pull found no space; disk of " + docker.data() + ": 9"));

    docker.leave_free(60 * kMiB);
    EXPECT_FALSE(world.run(puller.pull(repository + ":1", {}, auth, PullFor{"task", "app"})));
    EXPECT_TRUE(there(repository + ":1"));
}

}  // namespace
}  // namespace nodeagent::engine
