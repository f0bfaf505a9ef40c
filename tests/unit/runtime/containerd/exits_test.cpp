#include "runtime/containerd/exits.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/fakes/fake_containerd.hpp"

namespace nodeagent::runtime::containerd {
namespace {

class ExitsTest : public ::testing::Test {
  protected:
    ExitsTest() {
        Container container;
        container.id = "web";
        EXPECT_TRUE(daemon->create_container(container));
        EXPECT_TRUE(daemon->create_task({.container_id = "web", .root = {}, .streams = {}}, std::chrono::seconds(1)));
        EXPECT_TRUE(daemon->start("web", {}, std::chrono::seconds(1)));
    }
    void await_told(std::size_t times) {
        while (told.size() < times && io.run_one_for(std::chrono::seconds(60)) > 0) {
        }
        ASSERT_EQ(told.size(), times);
    }
    std::shared_ptr<fakes::FakeContainerd> daemon = std::make_shared<fakes::FakeContainerd>();
    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::vector<std::pair<Exits::Key, Result<Exit>>> told;
    Exits exits{io.get_executor(), daemon,
                [this](const Exits::Key& process, const Result<Exit>& exit) { told.emplace_back(process, exit); }};
};

TEST_F(ExitsTest, TellsAnEndOnceHoweverOftenItIsWaitedFor) {
    exits.watch("web", {});
    exits.watch("web", {});
    daemon->exit("web", 3);
    await_told(1);
    EXPECT_EQ(told.front().first, Exits::Key("web", ""));
    EXPECT_EQ(told.front().second->status, 3U);
    EXPECT_EQ(daemon->calls("wait"), 1);
}

TEST_F(ExitsTest, TellsAnEndThatCameBeforeTheWait) {
    daemon->exit("web", 4);
    exits.watch("web", {});
    await_told(1);
    EXPECT_EQ(told.front().second->status, 4U);
}

TEST_F(ExitsTest, TellsThatAProcessIsGoneOrTheDaemonIs) {
    exits.watch("absent", {});
    await_told(1);
    EXPECT_EQ(told.back().second.error().kind, ErrorKind::NotFound);
    exits.watch("web", {});
    daemon->go_away();
    await_told(2);
    EXPECT_EQ(told.back().second.error().kind, ErrorKind::Unavailable);
    daemon->come_back();
    exits.watch("web", {});
    daemon->exit("web", 5);
    await_told(3);
    EXPECT_EQ(told.back().second->status, 5U);
}

TEST_F(ExitsTest, TellsOnTheShardWhoeverAsked) {
    std::thread([this] { exits.watch("web", {}); }).join();
    daemon->exit("web", 6);
    await_told(1);
    EXPECT_EQ(told.front().second->status, 6U);
}

TEST(ExitsEnd, MayComeTogetherWithTheClientsWhileWaitsFail) {
    for (int round = 0; round < 300; ++round) {
        asio::io_context io;
        auto daemon = std::make_shared<fakes::FakeContainerd>();
        auto exits = std::make_unique<Exits>(io.get_executor(), daemon, [](const Exits::Key&, const Result<Exit>&) {});
        for (const char* id : {"a", "b", "c", "d"}) {
            Container container;
            container.id = id;
            ASSERT_TRUE(daemon->create_container(container));
            ASSERT_TRUE(daemon->create_task({.container_id = id, .root = {}, .streams = {}}, std::chrono::seconds(1)));
            exits->watch(id, {});
        }
        daemon->go_away();  // the waits fail on the client's own thread, on which it must not end
        exits.reset();
        daemon.reset();
    }
}

TEST_F(ExitsTest, TellsNothingOnceItIsClosed) {
    exits.watch("web", {});
    exits.close();
    exits.watch("web", {});
    daemon->exit("web", 7);
    EXPECT_EQ(daemon->calls("wait"), 1);
    io.poll();
    EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
