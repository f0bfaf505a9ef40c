#include "agent/spot_action.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"
#include "agent/credentials/imds.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(SpotAction, IsReadWithItsTime) {
    for (const std::string action : {"hibernate", "terminate", "stop"}) {
        const auto read = parse_spot_action(R"({"action":")" + action + R"(","time":"2026-01-01T00:02:00Z"})");
        ASSERT_TRUE(read);
        EXPECT_EQ(read->action, action);
        EXPECT_EQ(read->when, parse_rfc3339("2026-01-01T00:02:00Z"));
    }
}

TEST(SpotAction, OfAnotherWordOrWithoutATimeIsNamedInTheError) {
    EXPECT_THAT(parse_spot_action(R"({"action":"reboot","time":"2026-01-01T00:00:00Z"})").error().what,
                HasSubstr("reboot"));
    EXPECT_THAT(parse_spot_action(R"({"action":"stop","time":"soon"})").error().what, HasSubstr("soon"));
    EXPECT_FALSE(parse_spot_action("{}"));
    EXPECT_FALSE(parse_spot_action("<html>"));
}

TEST(SpotAction, IsLookedForEverySecondAndAnUnknownOneIsPassedOver) {
    log::set_level(log::Level::None);
    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FakeHttpClient http;
    http.on("PUT", "*/latest/api/token").reply(200, "token", {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}});
    http.on("GET", "*/spot/instance-action")
        .reply(404)
        .reply(404)
        .reply(200, R"({"action":"reboot","time":"2026-01-01T00:00:00Z"})")
        .reply(200, R"({"action":"terminate","time":"2026-01-01T00:00:00Z"})");
    credentials::Imds imds(http, clock, {});
    std::optional<SpotAction> seen;
    AskSpotAction ask = [&imds] { return imds.spot_instance_action(); };
    asio::co_spawn(io, wait_for_spot_action(std::move(ask), clock),
                   [&seen](const std::exception_ptr&, SpotAction action) { seen = std::move(action); });
    fakes::run_until_idle(io);
    for (int i = 0; i < 30 && !seen; ++i) {
        EXPECT_FALSE(seen);
        clock.advance(100ms, io);
    }
    ASSERT_TRUE(seen) << "after three seconds";
    EXPECT_EQ(seen->action, "terminate");
    EXPECT_EQ(http.count("GET", "*/spot/instance-action"), 4U);
    log::set_level(log::Level::Info);
}

}  // namespace
}  // namespace nodeagent
