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

TEST(HostCheck, ADockerThatDoesNotAnswerIsNamedWithItsEndpointAndTheRemedy) {
    const HostCheck check =
        check_runtime("Docker", "unix:///run/nowhere.sock", Error{.kind = ErrorKind::Unavailable, .what = "connection refused"});
    EXPECT_FALSE(check.good);
    EXPECT_THAT(check.text, HasSubstr("unix:///run/nowhere.sock"));
    EXPECT_THAT(check.text, HasSubstr("DOCKER_HOST"));
}

}  // namespace
}  // namespace nodeagent
