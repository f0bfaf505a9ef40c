#include "agent/service_manager.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "agent/base/scope.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/notify_socket.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServiceManagerTest : public testing::Test {
  protected:
    ~ServiceManagerTest() override {
        scope.cancel();
        fakes::run_until_idle(io);
    }
    ServiceManager& make(const std::string& watchdog_usec = {}, std::string pid = std::to_string(::getpid())) {
        if (!watchdog_usec.empty()) {
            environment["WATCHDOG_USEC"] = watchdog_usec;
            environment["WATCHDOG_PID"] = std::move(pid);
        }
        return made.emplace(environment, clock);
    }
    void keep_alive() {
        scope.spawn(made->keep_alive());
        fakes::run_until_idle(io);
    }
    /// How many of the messages that came say this.
    int count(const std::string& assignment) {
        int found = 0;
        while (auto message = socket.next()) found += message->find(assignment + "\n") == std::string::npos ? 0 : 1;
        return found;
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::TempDirectory directory;
    fakes::NotifySocket socket{directory + "/notify"};
    config::Environment environment{{"NOTIFY_SOCKET", directory + "/notify"}};
    std::optional<ServiceManager> made;
    Scope scope{io.get_executor()};
};

TEST_F(ServiceManagerTest, AnAgentThatWaitsSaysForWhatAndIsGivenMoreTime) {
    make().waiting_for("Docker at unix:///var/run/docker.sock");
    EXPECT_THAT(socket.last(), AllOf(HasSubstr("STATUS=waiting for Docker at unix:///var/run/docker.sock\n"),
                                     HasSubstr("EXTEND_TIMEOUT_USEC=30000000\n"), Not(HasSubstr("READY=1"))));
}

TEST_F(ServiceManagerTest, TheTimeToStartIsExtendedAsLongAsTheLoopTurns) {
    make();
    keep_alive();
    EXPECT_EQ(count("EXTEND_TIMEOUT_USEC=30000000"), 1) << "the first must come before the start's own limit";
    for (int i = 0; i < 180; ++i) {
        clock.advance(10s, io);
        ASSERT_EQ(count("EXTEND_TIMEOUT_USEC=30000000"), 1);
    }
}

TEST_F(ServiceManagerTest, ReadinessIsToldWithHowThingsAre) {
    make().ready("in cluster bench");
    EXPECT_THAT(socket.last(), AllOf(HasSubstr("READY=1\n"), HasSubstr("STATUS=in cluster bench\n"),
                                     Not(HasSubstr("EXTEND_TIMEOUT_USEC"))));
}

TEST_F(ServiceManagerTest, AReadyAgentIsQuietWhenNothingChangesAndNobodyWatches) {
    make().ready("in cluster bench");
    keep_alive();
    socket.last();
    made->now("in cluster bench");
    clock.advance(1h, io);
    EXPECT_EQ(socket.next(), std::nullopt);
    made->now("in cluster bench, without Docker");
    EXPECT_THAT(socket.last(), HasSubstr("STATUS=in cluster bench, without Docker\n"));
}

TEST_F(ServiceManagerTest, TheWatchdogHearsTheLoopTwiceInItsTime) {
    make("60000000").ready("in cluster bench");
    keep_alive();
    socket.last();
    for (int i = 0; i < 100; ++i) {
        clock.advance(30s, io);
        ASSERT_EQ(count("WATCHDOG=1"), 1);
    }
}

TEST_F(ServiceManagerTest, TheWatchdogHearsNothingWhileAnotherShardStandsStill) {
    asio::io_context turns, stands;
    make("60000000").watch("telemetry", turns.get_executor());
    made->watch("endpoints", stands.get_executor());
    made->ready("in cluster bench");
    keep_alive();
    fakes::run_until_idle(turns);
    EXPECT_GE(count("WATCHDOG=1"), 1) << "nobody has had the time to answer yet";
    for (int i = 0; i < 10; ++i) {
        clock.advance(30s, io);
        fakes::run_until_idle(turns);
        made->now("in cluster bench, told " + std::to_string(i));
        ASSERT_EQ(count("WATCHDOG=1"), 0) << i;
    }
    made->now("not connected");
    EXPECT_THAT(socket.last(), AllOf(HasSubstr("STATUS=not connected\n"), HasSubstr("READY=1\n")));
}

TEST_F(ServiceManagerTest, AShardThatTurnsAgainSavesTheAgentInTime) {
    asio::io_context other;
    make("60000000").watch("endpoints", other.get_executor());
    made->ready("in cluster bench");
    keep_alive();
    clock.advance(30s, io);
    socket.last();
    fakes::run_until_idle(other);
    clock.advance(5s, io);  // well before the 60 s after what was last heard
    EXPECT_EQ(count("WATCHDOG=1"), 1);
    for (int i = 0; i < 10; ++i) {
        fakes::run_until_idle(other);
        clock.advance(30s, io);
        ASSERT_EQ(count("WATCHDOG=1"), 1) << i;
    }
}

TEST_F(ServiceManagerTest, NoShardIsAskedWhenNobodyWatches) {
    asio::io_context other;
    make().watch("endpoints", other.get_executor());
    keep_alive();
    clock.advance(1h, io);
    EXPECT_EQ(other.poll(), 0U);
}

TEST_F(ServiceManagerTest, AWatchdogOfAnotherProcessIsNotOurs) {
    make("60000000", "1").ready("in cluster bench");
    keep_alive();
    for (int i = 0; i < 10; ++i) clock.advance(30s, io);
    EXPECT_EQ(count("WATCHDOG=1"), 0);
}

TEST_F(ServiceManagerTest, AWatchdogWithoutAProcessIdIsOurs) {
    environment["WATCHDOG_USEC"] = "60000000";
    make().ready("in cluster bench");
    EXPECT_EQ(count("WATCHDOG=1"), 1);
}

TEST_F(ServiceManagerTest, AnEndIsToldWithItsReason) {
    make().ready("in cluster bench");
    socket.last();
    made->stopping("the cluster is gone\nREADY=1");
    EXPECT_EQ(socket.last(), "STATUS=stopping: the cluster is gone READY=1\nSTOPPING=1\n");
    made->now("in cluster bench, not connected");
    EXPECT_EQ(socket.next(), std::nullopt) << "what an end brings about is not its reason";
}

TEST_F(ServiceManagerTest, ReachesASocketWithoutAPath) {
    const std::string name = "@nodeagent-test-" + std::to_string(::getpid());
    fakes::NotifySocket abstract(name);
    environment["NOTIFY_SOCKET"] = name;
    make().ready("in cluster bench");
    EXPECT_THAT(abstract.last(), HasSubstr("READY=1\n"));
}

TEST_F(ServiceManagerTest, ReadinessThatFoundTheSocketFullIsToldLater) {
    make();
    for (int i = 0; i < 10'000; ++i) made->waiting_for("ECS");  // more than a socket holds
    made->ready("in cluster bench");
    EXPECT_EQ(count("READY=1"), 0);
    keep_alive();
    EXPECT_EQ(count("READY=1"), 1);
    clock.advance(1h, io);
    EXPECT_EQ(socket.next(), std::nullopt);
}

TEST_F(ServiceManagerTest, WithoutAServiceManagerNothingHappens) {
    environment.clear();
    make("60000000").ready("in cluster bench");
    keep_alive();
    EXPECT_EQ(scope.size(), 0U);
    EXPECT_EQ(socket.next(), std::nullopt);
}

TEST_F(ServiceManagerTest, ASocketThatIsGoneOrCannotBeNamedIsNoReasonToEnd) {
    environment["NOTIFY_SOCKET"] = directory + "/nobody";
    make().ready("in cluster bench");
    environment["NOTIFY_SOCKET"] = "/" + std::string(200, 'x');
    make().ready("in cluster bench");
    EXPECT_EQ(socket.next(), std::nullopt);
}

}  // namespace
}  // namespace nodeagent
