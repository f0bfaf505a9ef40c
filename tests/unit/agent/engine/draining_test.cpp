#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EngineDrainingTest : public EngineFixture {
  protected:
    void stop_all() {
        for (const std::string& arn : engine->unstopped()) EXPECT_TRUE(run(engine->stop_task(arn)));
    }
    std::vector<std::string> stops() {
        std::vector<std::string> names;
        for (const auto& [verb, argument] : backend.log()) {
            if (verb == "stop")
                names.push_back(backend.find(argument)->view.labels.at("com.amazonaws.ecs.container-name"));
        }
        return names;
    }
};

TEST_F(EngineDrainingTest, StopsContainersInReverseDependencyOrderWithTheirOwnTimeouts) {
    start();
    model::Container web = container("web");
    web.stop_timeout = 7;
    web.depends_on = {{"proxy", "START"}};
    model::Container proxy = container("proxy", "busybox:latest", false);
    proxy.stop_timeout = 11;
    proxy.depends_on = {{"log", "START"}};
    model::Container log = container("log", "busybox:latest", false);
    accept({task(kArn, {web, proxy, log})});
    settle();
    ASSERT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_EQ(engine->longest_stop(), 7s + 11s + config.container_stop_timeout);
    stop_all();
    settle();
    EXPECT_THAT(stops(), ElementsAre("web", "proxy", "log"));
    EXPECT_EQ(backend.graces["web"], 7s);
    EXPECT_EQ(backend.graces["proxy"], 11s);
    EXPECT_EQ(backend.graces["log"], 30s);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(engine->unstopped(), IsEmpty());
}

TEST_F(EngineDrainingTest, ReportsANewTaskStoppedWithTheReasonAndTakesTasksAgainAfterwards) {
    start();
    engine->refuse_new_tasks("this container instance is draining");
    EXPECT_TRUE(accept({task(arn_of(1), {container("app")})}).handled) << "acknowledged: nothing was wrong with it";
    settle();
    const auto* change = sink.task(arn_of(1), TaskStatus::Stopped);
    ASSERT_NE(change, nullptr);
    EXPECT_THAT(change->reason, HasSubstr("draining"));
    EXPECT_EQ(backend.calls("create"), 0);
    engine->refuse_new_tasks({});
    accept({task(arn_of(2), {container("app")})});
    settle();
    EXPECT_TRUE(reported(arn_of(2), TaskStatus::Running));
}

TEST_F(EngineDrainingTest, ATaskThatIsHereAlreadyIsStillStoppedByItsPayload) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    engine->refuse_new_tasks("this container instance is draining");
    accept({task(kArn, {container("app")}, "STOPPED")});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(sink.task(kArn, TaskStatus::Stopped)->reason, testing::Not(HasSubstr("draining")));
}

}  // namespace
}  // namespace nodeagent::engine
