#include "runtime/containerd/health.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace nodeagent::runtime::containerd {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Status = Health::Status;

HealthCheck three_strikes() {
    HealthCheck check;
    check.command = {"true"};
    check.start_period = 10s;
    return check;
}
ProbeOutcome failure() { return {.exit_code = 1, .output = "not well"}; }

TEST(HealthCheckOf, ACommandInAShellIsGivenToTheImagesShell) {
    const json config = json::parse(R"({"Healthcheck":{"Test":["CMD-SHELL","curl localhost"]}})");
    EXPECT_EQ(health_check(config, {})->command, (std::vector<std::string>{"/bin/sh", "-c", "curl localhost"}));
    ImageConfig image;
    image.shell = {"/bin/ash", "-ec"};
    EXPECT_EQ(health_check(config, image)->command, (std::vector<std::string>{"/bin/ash", "-ec", "curl localhost"}));
}

TEST(HealthCheckOf, AnythingNotSaidIsTheImagesThenDockersDefault) {
    ImageConfig image;
    image.healthcheck =
        ImageHealthcheck{.test = {"CMD", "check"}, .interval = 5s, .timeout = {}, .start_period = {}, .retries = 7};
    const auto check = health_check(json::parse(R"({"Healthcheck":{"Interval":2000000000}})"), image);
    ASSERT_TRUE(check);
    EXPECT_EQ(check->command, std::vector<std::string>{"check"});
    EXPECT_EQ(check->interval, 2s);
    EXPECT_EQ(check->timeout, 30s);
    EXPECT_EQ(check->retries, 7);
}

TEST(HealthCheckOf, NoneSwitchesTheImagesOff) {
    ImageConfig image;
    image.healthcheck = ImageHealthcheck{.test = {"CMD", "check"}};
    EXPECT_FALSE(health_check(json::parse(R"({"Healthcheck":{"Test":["NONE"]}})"), image));
    EXPECT_FALSE(health_check(json::object(), {}));
    EXPECT_TRUE(health_check(json::object(), image));
}

TEST(AfterProbe, IsUnhealthyOnlyAfterThatManyFailuresInARow) {
    HealthState state;
    state = after_probe(state, three_strikes(), {.exit_code = 0, .output = "fine"}, 1s);
    EXPECT_EQ(state.health.status, Status::Healthy);
    state = after_probe(state, three_strikes(), failure(), 11s);
    state = after_probe(state, three_strikes(), failure(), 12s);
    EXPECT_EQ(state.health.status, Status::Healthy);
    state = after_probe(state, three_strikes(), failure(), 13s);
    EXPECT_EQ(state.health.status, Status::Unhealthy);
    EXPECT_EQ(state.health.output, "not well");
    EXPECT_EQ(state.health.exit_code, 1);
    state = after_probe(state, three_strikes(), {.exit_code = 0, .output = {}}, 14s);
    EXPECT_EQ(state.health.status, Status::Healthy);
}

TEST(AfterProbe, FailuresOfTheStartPeriodDoNotCount) {
    HealthState state;
    for (int probe = 0; probe < 9; ++probe) state = after_probe(state, three_strikes(), failure(), 1s * probe);
    EXPECT_EQ(state.health.status, Status::Starting);
    for (int probe = 10; probe < 13; ++probe) state = after_probe(state, three_strikes(), failure(), 1s * probe);
    EXPECT_EQ(state.health.status, Status::Unhealthy);
}

TEST(AfterProbe, KeepsTheFirstKilobyteOfWhatAProbeSaid) {
    const HealthState state = after_probe({}, three_strikes(), {.exit_code = 1, .output = std::string(4096, 'x')}, 0s);
    EXPECT_EQ(state.health.output.size(), 1024U);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
