#include "agent/host_check.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "agent/engine/sqlite_store.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {
namespace {

using testing::HasSubstr;

class HostCheckTest : public testing::Test {
  protected:
    fakes::TempDirectory directory;
};

TEST_F(HostCheckTest, ADirectoryThatIsFreeIsGoodAndStaysAsItIs) {
    const HostCheck check = check_data_directory(directory);
    EXPECT_TRUE(check.good);
    EXPECT_THAT(check.text, HasSubstr("writable"));
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST_F(HostCheckTest, ADirectoryToBeMadeIsGoodAndIsNotMade) {
    EXPECT_TRUE(check_data_directory(directory + "/a/b/").good);
    EXPECT_FALSE(std::filesystem::exists(directory + "/a"));
}

TEST_F(HostCheckTest, AFileInItsPlaceIsNamed) {
    std::filesystem::create_symlink("/etc/passwd", directory + "/file");
    const HostCheck check = check_data_directory(directory + "/file");
    EXPECT_FALSE(check.good);
    EXPECT_THAT(check.text, HasSubstr("not a directory"));
}

asio::awaitable<void> hold(engine::SqliteStore& store, bool& held) { held = (co_await store.load()).has_value(); }

// another process must ask: a process's own locks are invisible to it
TEST_F(HostCheckTest, ADirectoryInUseNamesTheProcess) {
    asio::io_context io;
    engine::SqliteStore store(io.get_executor(), directory);
    bool held = false;
    asio::co_spawn(io, hold(store, held), [](const std::exception_ptr&) {});
    io.run();
    ASSERT_TRUE(held);
    const pid_t us = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        const HostCheck check = check_data_directory(directory);
        const bool named = check.text.find("pid " + std::to_string(us)) != std::string::npos;
        ::_exit(!check.good && named ? 0 : 1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

asio::awaitable<void> put(engine::SqliteStore& store, std::string key) {
    (void)co_await store.load();
    (void)co_await store.put(engine::Shelf::Metadata, std::move(key), "something");
    co_await store.drain();
}

TEST_F(HostCheckTest, OwnStateIsWhatMakesAnInstanceAndAsksForNothingToChange) {
    EXPECT_FALSE(has_own_state(directory));
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    for (const auto& [key, own] :
         {std::pair(engine::kAvailabilityZoneKey, false), {engine::kContainerInstanceArnKey, true}}) {
        asio::io_context io;
        engine::SqliteStore store(io.get_executor(), directory);
        asio::co_spawn(io, put(store, std::string(key)), [](const std::exception_ptr&) {});
        io.run();
        EXPECT_EQ(has_own_state(directory), own) << key << ", what is in the log of the database counts too";
    }
    std::filesystem::create_directory(directory + "/other");
    std::filesystem::create_directory(directory + "/other/ecs-node-agent.db");
    EXPECT_TRUE(has_own_state(directory + "/other")) << "what cannot be read is not taken for nothing";
}

TEST(HostCheck, ADockerThatDoesNotAnswerIsNamedWithItsEndpointAndTheRemedy) {
    const HostCheck check = check_runtime("Docker", "unix:///run/nowhere.sock",
                                          Error{.kind = ErrorKind::Unavailable, .what = "connection refused"});
    EXPECT_FALSE(check.good);
    EXPECT_THAT(check.text, HasSubstr("unix:///run/nowhere.sock"));
    EXPECT_THAT(check.text, HasSubstr("DOCKER_HOST"));
}

}  // namespace
}  // namespace nodeagent
