// Health checks in real containers.

#include "tests/integration/containerd_backend/containerd_test.hpp"

namespace nodeagent::runtime::containerd {
namespace {

class ContainerdHealth : public ContainerdBackendTest {
  protected:
    /// Probed ten times a second.
    ContainerSpec checked(const std::string& word, const std::string& probe, int retries = 1,
                          std::chrono::nanoseconds timeout = seconds(20)) {
        ContainerSpec spec = world.spec(world.name(word), BackendWorld::Program::RunsUntilStopped);
        spec.config["Healthcheck"] = Json{{"Test", {"CMD-SHELL", probe}},
                                          {"Interval", 100'000'000},
                                          {"Timeout", timeout.count()},
                                          {"Retries", retries}};
        return spec;
    }
};

TEST_F(ContainerdHealth, ComesWithTheOutputOfAProbeThatFails) {
    Watching events(world);
    const std::string id = start(checked("sick", "echo not well; false"));
    EXPECT_EQ(inspect(id).health.status, Health::Status::Starting);
    events.wait_for(id, Kind::Health);
    const Health health = inspect(id).health;
    EXPECT_EQ(health.status, Health::Status::Unhealthy);
    EXPECT_EQ(health.output, "not well\n");
    EXPECT_EQ(health.exit_code, 1);
}

TEST_F(ContainerdHealth, ComesAndGoesWithWhatTheProbeFinds) {
    Watching events(world);
    const std::string id =
        start(checked("moody", "if test -e /ill; then rm /ill; false; else echo >/ill; echo fine; fi"));
    std::vector<Health::Status> seen;
    for (int i = 0; i < 3; ++i) {
        events.wait_for(id, Kind::Health);
        seen.push_back(inspect(id).health.status);
        events.events.clear();
    }
    EXPECT_THAT(seen, ::testing::IsSupersetOf({Health::Status::Healthy, Health::Status::Unhealthy}));
}

TEST_F(ContainerdHealth, IsBadWhenAProbeDoesNotEndInTime) {
    Watching events(world);
    const std::string id = start(checked("slow", "sleep 1000", 1, std::chrono::milliseconds(300)));
    events.wait_for(id, Kind::Health);
    const Health health = inspect(id).health;
    EXPECT_EQ(health.status, Health::Status::Unhealthy);
    EXPECT_EQ(health.output, "Health check exceeded timeout (300ms)");
}

TEST_F(ContainerdHealth, IsNotBadBecauseTheDaemonWasAway) {
    auto events = std::make_unique<Watching>(world);
    const std::string id = start(checked("steady", "true"));
    events->wait_for(id, Kind::Health);
    world.go_away();
    world.run_until([&events] { return events->ended.has_value(); });
    // several probes fall into the outage
    asio::steady_timer outage(world.io, std::chrono::milliseconds(600));
    bool over = false;
    outage.async_wait([&over](const auto&) { over = true; });
    world.run_until([&over] { return over; });
    world.come_back();
    events = std::make_unique<Watching>(world);
    EXPECT_EQ(inspect(id).health.status, Health::Status::Healthy);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
