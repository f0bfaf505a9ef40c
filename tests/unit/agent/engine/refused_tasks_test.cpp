// Tasks that are not taken up: what ECS must hear of them outlives the agent, and is told until ECS has it.

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class RefusedTasks : public EngineFixture {
  protected:
    /// Its containers wait for each other.
    static model::Task unorderable() {
        model::Container a = container("a");
        a.depends_on = {{"b", "START"}};
        model::Container b = container("b");
        b.depends_on = {{"a", "START"}};
        return task(kArn, {a, b});
    }
    [[nodiscard]] std::map<std::string, std::string> unsent() { return run(store.load())->unsent; }
};

TEST_F(RefusedTasks, AreReportedByTheNextAgentIfThisOneIsKilledBeforeEcsHasHeard) {
    answering = false;  // the report is lost with the process
    start();
    EXPECT_TRUE(accept({unorderable(), task(arn_of(2), {container("good")})}).handled);
    ASSERT_THAT(unsent(), SizeIs(1));
    const std::string reason = sink.task(kArn, TaskStatus::Stopped)->reason;
    sink.tasks.clear();
    restart();
    settle();
    ASSERT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_EQ(sink.task(kArn, TaskStatus::Stopped)->reason, reason);
    EXPECT_EQ(engine->tasks().size(), 1U) << "the good one only";
}

TEST_F(RefusedTasks, AreDurableInTheOneCommitOfTheirPayloadBeforeTheyAreReported) {
    start();
    store.commits = 0;
    bool saved_first = false;
    sink.acknowledge = [&](const model::StateChangeAck& ack) {
        if (ack.task_arn != kArn) return;
        saved_first = std::any_of(store.history.begin(), store.history.end(), [](const StoreChange& change) {
            return change.shelf == Shelf::Unsent && change.key == kArn && change.text;
        });
    };
    EXPECT_TRUE(accept({unorderable(), task(arn_of(2), {container("good")}, "STOPPED")}).handled);
    EXPECT_TRUE(saved_first);
    EXPECT_THAT(unsent(), ElementsAre(Pair(kArn, HasSubstr("depend"))));
    EXPECT_NE(stored_task(arn_of(2)), "");
}

TEST_F(RefusedTasks, AreForgottenOnceEcsHasHeard) {
    start();
    engine->refuse_new_tasks("this container instance is draining");
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(unsent(), IsEmpty());
    sink.tasks.clear();
    restart();
    settle();
    EXPECT_THAT(sink.tasks, IsEmpty());
}

TEST_F(RefusedTasks, AreNotAcknowledgedWhileTheirRefusalCannotBeSaved) {
    start();
    store.failures = 1;
    const PayloadOutcome first = accept({unorderable()});
    EXPECT_FALSE(first.handled);
    EXPECT_THAT(first.tasks, ElementsAre(model::Acceptance::Failed));
    EXPECT_TRUE(accept({unorderable()}).handled) << "the service sends it again";
}

TEST_F(RefusedTasks, AreNotRememberedWhenEcsSendsThemAgain) {
    answering = false;
    start();
    store.failures = 1;
    EXPECT_FALSE(accept({unorderable()}).handled);
    model::Task without_id = task(arn_of(3), {container("app")});
    without_id.role_credentials = model::RoleCredentials{};
    EXPECT_FALSE(accept({without_id}).handled);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
    EXPECT_TRUE(reported(arn_of(3), TaskStatus::Stopped));
    EXPECT_THAT(unsent(), IsEmpty());
    for (const StoreChange& change : engine->everything()) EXPECT_NE(change.shelf, Shelf::Unsent) << change.key;
    sink.tasks.clear();
    restart();
    settle();
    EXPECT_THAT(sink.tasks, IsEmpty());
}

TEST_F(RefusedTasks, LeaveNothingBehindOnceTheyAreTaken) {
    answering = false;
    start();
    engine->refuse_new_tasks("this container instance is draining");
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    ASSERT_THAT(unsent(), SizeIs(1));
    engine->refuse_new_tasks("");
    store.failures = 1;
    EXPECT_FALSE(accept({task(kArn, {container("app")})}).handled);
    EXPECT_THAT(unsent(), SizeIs(1)) << "the task is not taken yet";
    EXPECT_TRUE(accept({task(kArn, {container("app")})}).handled);
    EXPECT_THAT(unsent(), IsEmpty());
    for (const StoreChange& change : engine->everything()) EXPECT_NE(change.shelf, Shelf::Unsent) << change.key;
}

TEST_F(RefusedTasks, AreNotReportedStoppedWhenTheStoreSaysThatTheyWereTaken) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    stop();
    run(store.put(Shelf::Unsent, kArn, "an older agent's refusal"));
    sink.tasks.clear();
    start();
    settle();
    EXPECT_FALSE(reported(kArn, TaskStatus::Stopped));
    EXPECT_THAT(unsent(), IsEmpty());
}

TEST_F(RefusedTasks, AreWrittenAnewWithTheOthersWhenTheStoreLosesItsMemory) {
    answering = false;
    start();
    accept({unorderable(), task(arn_of(1), {container("a")}), task(arn_of(2), {container("b")})});
    live_through(5s);
    std::vector<StoreChange> all = engine->everything();
    const StoredState before = *run(store.load());
    store.failures = -1;
    stop();
    store.failures = 0;
    run(store.commit(before.forget_all()));
    run(store.commit(std::move(all)));
    EXPECT_EQ(run(store.load())->images, before.images);
    EXPECT_EQ(run(store.load())->tasks, before.tasks);
    EXPECT_EQ(run(store.load())->unsent, before.unsent);
    sink.tasks.clear();
    start();
    live_through(5s);
    EXPECT_EQ(backend.calls("create"), 2) << "what runs is known";
    EXPECT_EQ(engine->tasks().size(), 2U);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped));
}

}  // namespace
}  // namespace nodeagent::engine
