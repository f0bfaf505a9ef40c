#include "agent/ecs/poll_endpoint.hpp"

#include "tests/unit/agent/ecs/fixture.hpp"

namespace nodeagent::ecs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Outcome = std::optional<Result<model::PollEndpoints>>;

asio::awaitable<void> ask(PollEndpointCache& cache, Outcome& outcome) { outcome = co_await cache.get("arn:instance"); }

class PollEndpointTest : public EcsTest {
  protected:
    Outcome get() {
        Outcome outcome;
        scope.spawn(ask(cache, outcome));
        let_pass([&outcome] { return outcome.has_value(); });
        return outcome;
    }
    ApiClient api = api_client();
    PollEndpointCache cache{api, clock, io.get_executor(), "prod"};
};

TEST_F(PollEndpointTest, AsksOnceInTwelveHours) {
    http.on("POST", "*")
        .reply(200, R"({"endpoint":"https://a","telemetryEndpoint":"https://t"})")
        .reply(200, R"({"endpoint":"https://b"})");
    const Outcome first = get();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->endpoint, "https://a");
    EXPECT_EQ((*first)->telemetry_endpoint, "https://t");
    clock.advance(12h - 1s);
    EXPECT_EQ((*get())->endpoint, "https://a");
    const std::vector<Json> bodies = sent("DiscoverPollEndpoint");
    ASSERT_EQ(bodies.size(), 1U);
    EXPECT_EQ(bodies[0], Json::parse(R"({"cluster":"prod","containerInstance":"arn:instance","zoneId":""})"));
    clock.advance(1s);
    EXPECT_EQ((*get())->endpoint, "https://b");
}

TEST_F(PollEndpointTest, LivesOnAnExpiredAnswerWhileTheServiceFails) {
    http.on("POST", "*")
        .reply(200, R"({"endpoint":"https://a"})")
        .reply(400, error_body("ClientException"))
        .reply(200, R"({"endpoint":"https://b"})");
    ASSERT_TRUE(*get());
    clock.advance(13h);
    EXPECT_EQ((*get())->endpoint, "https://a");
    EXPECT_EQ((*get())->endpoint, "https://b") << "the expired answer was not renewed";
}

TEST_F(PollEndpointTest, TellsTheServicesErrorWhenItKnowsNothing) {
    http.on("POST", "*").reply(400, error_body("AccessDeniedException", "not you"));
    const Outcome outcome = get();
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().kind, ErrorKind::Denied);
    EXPECT_THAT(outcome->error().what, HasSubstr("discover poll endpoint: AccessDeniedException: not you"));
}

TEST_F(PollEndpointTest, LetsSimultaneousCallersShareOneRequest) {
    http.on("POST", "*").reply(200, R"({"endpoint":"https://a"})");
    http.hold();
    Outcome first;
    Outcome second;
    scope.spawn(ask(cache, first));
    scope.spawn(ask(cache, second));
    run_until_idle(io);
    http.release();
    run_until_idle(io);
    EXPECT_EQ((*first)->endpoint, "https://a");
    EXPECT_EQ((*second)->endpoint, "https://a");
    EXPECT_EQ(http.requests.size(), 1U);
}

}  // namespace
}  // namespace nodeagent::ecs
