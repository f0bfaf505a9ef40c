#include "agent/base/files.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {
namespace {

TEST(ReplaceFile, LeavesTheNewContentWithItsMode) {
    const fakes::TempDirectory directory;
    ASSERT_TRUE(replace_file(directory + "/file", "old"));
    ASSERT_TRUE(replace_file(directory + "/file", "new", 0644));
    EXPECT_EQ(read_file(directory + "/file").value(), "new");
    struct stat status {};
    ASSERT_EQ(::stat((directory + "/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0644U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1) << "and no other file";
}

TEST(ReplaceFile, FollowsNoLinkThatSomebodyPutInItsWay) {
    const fakes::TempDirectory directory;
    const std::string elsewhere = directory + "/elsewhere";
    std::ofstream(elsewhere) << "precious";
    std::filesystem::create_symlink(elsewhere, directory + "/file");
    std::filesystem::create_symlink(elsewhere, directory + "/file.tmp");
    ASSERT_TRUE(replace_file(directory + "/file", "new"));
    EXPECT_EQ(read_file(directory + "/file").value(), "new");
    EXPECT_EQ(read_file(elsewhere).value(), "precious");
}

TEST(ReplaceFile, SucceedsOverWhatACrashLeftBehind) {
    const fakes::TempDirectory directory;
    std::ofstream(directory + "/file.tmp") << "half of someth";
    ASSERT_TRUE(replace_file(directory + "/file", "new"));
    EXPECT_EQ(read_file(directory + "/file").value(), "new");
}

}  // namespace
}  // namespace nodeagent
