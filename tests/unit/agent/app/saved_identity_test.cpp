#include "agent/saved_identity.hpp"

#include <boost/asio/detached.hpp>

#include "tests/fakes/flaky_store.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kInstance = "arn:aws:ecs:us-west-2:1:container-instance/prod/1";

/// The agent on machine i-1, in cluster prod.
class SavedIdentityTest : public testing::Test {
  protected:
    SavedIdentityTest() {
        config.cluster = "prod";
        config.data_dir = "/data";
    }
    void put(std::string_view key, std::string value) {
        asio::co_spawn(io, store.put(engine::Shelf::Metadata, std::string(key), std::move(value)), asio::detached);
        fakes::run_until_idle(io);
    }
    void put_identity(std::string cluster, std::string host) {
        put(engine::kContainerInstanceArnKey, kInstance);
        put(engine::kClusterKey, std::move(cluster));
        put(engine::kEc2InstanceIdKey, std::move(host));
        asio::co_spawn(io, store.put(engine::Shelf::Tasks, "arn:task", "{}"), asio::detached);
        fakes::run_until_idle(io);
    }
    void begin_opening() {
        asio::co_spawn(io, identity.open(), [this](const std::exception_ptr&, OrEnding<engine::StoredState> result) {
            opened.emplace(std::move(result));
        });
        fakes::run_until_idle(io);
    }
    engine::StoredState stored() {
        engine::StoredState found;
        asio::co_spawn(io, store.load(), [&](const std::exception_ptr&, Result<engine::StoredState> result) {
            found = *std::move(result);
        });
        fakes::run_until_idle(io);
        return found;
    }
    asio::awaitable<Result<std::string>> ask_machine() { co_return machine; }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FlakyStore store;
    config::Config config;
    Result<std::string> machine = std::string("i-1");
    SavedIdentity identity{
        {.store = store, .clock = clock, .config = config, .ec2_instance_id = [this] { return ask_machine(); }}};
    std::optional<OrEnding<engine::StoredState>> opened;
};

TEST_F(SavedIdentityTest, TheSameMachineInTheSameClusterGoesOnWithItsTasks) {
    put_identity("prod", "i-1");
    begin_opening();
    ASSERT_TRUE(opened && *opened);
    EXPECT_TRUE((*opened)->tasks.contains("arn:task"));
    EXPECT_EQ((*opened)->metadata_value(engine::kContainerInstanceArnKey), kInstance);
}

TEST_F(SavedIdentityTest, AStoreThatIsHeldIsWaitedFor) {
    put_identity("prod", "i-1");
    store.load_failures = 2;
    begin_opening();
    EXPECT_FALSE(opened);
    for (int i = 0; i < 10; ++i) clock.advance(1s, io);
    ASSERT_TRUE(opened && *opened);
    EXPECT_TRUE((*opened)->tasks.contains("arn:task"));
}

TEST_F(SavedIdentityTest, TheStateOfAnotherMachineIsForgottenForGoodButItsLeftoversAreRemembered) {
    put_identity("other", "i-2");
    begin_opening();
    ASSERT_TRUE(opened && *opened);
    EXPECT_TRUE((*opened)->tasks.empty());
    EXPECT_EQ((*opened)->metadata_value(engine::kContainerInstanceArnKey), "");
    EXPECT_NE((*opened)->metadata_value(engine::kLeftoversBeforeKey), "");
    EXPECT_TRUE(stored().tasks.empty()) << "also after a kill right now";
    EXPECT_EQ(stored().metadata, (*opened)->metadata);
    EXPECT_EQ(identity.ec2_instance_id(), "i-1");
}

TEST_F(SavedIdentityTest, AnotherMachinesStateThatCannotBeForgottenEndsTheAgent) {
    put_identity("prod", "i-2");
    store.failures = 1;
    begin_opening();
    ASSERT_TRUE(opened && !*opened);
    EXPECT_EQ(opened->error().exit_code, kExitRecoverable);
    EXPECT_THAT(opened->error().why, HasSubstr("disk is full"));
}

TEST_F(SavedIdentityTest, TheStateOfAnotherClusterEndsTheAgentAndNamesBoth) {
    put_identity("other", "i-1");
    begin_opening();
    ASSERT_TRUE(opened && !*opened);
    EXPECT_EQ(opened->error().exit_code, kExitTerminal);
    EXPECT_THAT(opened->error().why, HasSubstr("belongs to cluster other, but ECS_CLUSTER is prod"));
}

TEST_F(SavedIdentityTest, AMetadataServiceThatDoesNotAnswerLeavesTheSavedMachineInPlace) {
    put_identity("prod", "i-2");
    machine = Error{.kind = ErrorKind::Unavailable, .what = "no route to host"};
    begin_opening();
    ASSERT_TRUE(opened && *opened);
    EXPECT_EQ(identity.ec2_instance_id(), "i-2");
}

TEST_F(SavedIdentityTest, IsSavedAsSoonAsTheStoreTakesIt) {
    begin_opening();
    store.failures = 2;
    bool saved = false;
    asio::co_spawn(io,
                   identity.save({.container_instance_arn = kInstance, .availability_zone = "a", .cluster = "prod"}),
                   [&](const std::exception_ptr&) { saved = true; });
    fakes::run_until_idle(io);
    EXPECT_FALSE(saved);
    for (int i = 0; i < 10; ++i) clock.advance(1s, io);
    ASSERT_TRUE(saved);
    EXPECT_EQ(stored().metadata_value(engine::kContainerInstanceArnKey), kInstance);
    EXPECT_EQ(stored().metadata_value(engine::kEc2InstanceIdKey), "i-1");
}

}  // namespace
}  // namespace nodeagent
