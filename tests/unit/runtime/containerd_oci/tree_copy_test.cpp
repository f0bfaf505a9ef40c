#include "runtime/containerd/oci/tree_copy.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

class TreeCopyTest : public testing::Test {
  protected:
    TreeCopyTest() {
        std::filesystem::create_directories(from);
        std::filesystem::create_directories(to);
    }
    Result<void> copied() {
        const Fd source(::open(from.c_str(), O_RDONLY | O_DIRECTORY));
        return copy_tree(source.get(), to);
    }
    static struct stat status_of(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
        return status;
    }
    fakes::TempDirectory root;
    std::string from = root + "/from", to = root + "/to";
};

TEST_F(TreeCopyTest, FilesFoldersAndLinksComeOverAsTheyAre) {
    std::filesystem::create_directories(from + "/a/b");
    std::ofstream(from + "/a/b/file") << std::string(3'000'000, 'x');
    ASSERT_EQ(::chmod((from + "/a/b/file").c_str(), 04751), 0);
    ASSERT_EQ(::chmod((from + "/a").c_str(), 01770), 0);
    ASSERT_EQ(::symlink("/etc/passwd", (from + "/link").c_str()), 0);
    ASSERT_EQ(::link((from + "/a/b/file").c_str(), (from + "/same").c_str()), 0);
    ASSERT_EQ(::mkfifo((from + "/fifo").c_str(), 0640), 0);
    const timespec times[2] = {{1'600'000'000, 5}, {1'600'000'001, 7}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (from + "/a/b/file").c_str(), times, 0), 0);
    ASSERT_EQ(::chmod(from.c_str(), 0700), 0);

    const auto done = copied();
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(read_file(to + "/a/b/file").value(), std::string(3'000'000, 'x'));
    EXPECT_EQ(status_of(to + "/a/b/file").st_mode & 07777U, 04751U);
    EXPECT_EQ(status_of(to + "/a/b/file").st_mtim.tv_sec, 1'600'000'001);
    EXPECT_EQ(status_of(to + "/a").st_mode & 07777U, 01770U);
    EXPECT_EQ(std::filesystem::read_symlink(to + "/link"), "/etc/passwd");
    EXPECT_EQ(status_of(to + "/same").st_ino, status_of(to + "/a/b/file").st_ino);
    EXPECT_TRUE(S_ISFIFO(status_of(to + "/fifo").st_mode));
    EXPECT_EQ(status_of(to + "/fifo").st_mode & 07777U, 0640U);
    EXPECT_EQ(status_of(to).st_mode & 07777U, 0700U) << "the folder itself, too";
}

TEST_F(TreeCopyTest, ExtendedAttributesComeOver) {
    std::ofstream(from + "/file") << "x";
    if (::setxattr((from + "/file").c_str(), "user.colour", "red", 3, 0) != 0) {
        ASSERT_EQ(errno, ENOTSUP);  // a file system without them: then none is to be copied
        EXPECT_TRUE(copied());
        return;
    }
    ASSERT_TRUE(copied());
    char value[8] = {};
    EXPECT_EQ(::getxattr((to + "/file").c_str(), "user.colour", value, sizeof value), 3);
    EXPECT_STREQ(value, "red");
}

TEST_F(TreeCopyTest, WhatIsNotEmptyIsLeftAlone) {
    std::ofstream(from + "/new") << "x";
    std::ofstream(to + "/old") << "x";
    const auto done = copied();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Conflict);
    EXPECT_FALSE(std::filesystem::exists(to + "/new"));
}

TEST_F(TreeCopyTest, ATreeWithoutEndIsRefused) {
    std::string deep = from;
    for (int i = 0; i < 300; ++i) {
        deep += "/d";
        ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
    }
    const auto done = copied();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Malformed);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
