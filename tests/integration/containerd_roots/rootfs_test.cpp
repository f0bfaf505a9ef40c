// Roots of containers, mounted and looked into. Needs root.

#include "runtime/containerd/oci/rootfs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/base/files.hpp"
#include "runtime/containerd/oci/mount_table.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

class ContainerRoot : public testing::Test {
  protected:
    ContainerRoot() {
        std::filesystem::create_directories(root + "/etc");
        std::ofstream(root + "/etc/passwd") << "root:x:0:0::/:/bin/sh\n";
        std::ofstream(folder + "/secret") << "the host's\n";
    }
    void inside(const std::function<void(int root_fd)>& look) {
        const auto done = with_root({{"bind", root, {"rbind", "rw"}}}, [&look](int root_fd) -> Result<void> {
            look(root_fd);
            return {};
        });
        ASSERT_TRUE(done) << done.error().what;
    }
    fakes::TempDirectory folder;
    std::string root = folder + "/root";
};

TEST_F(ContainerRoot, FilesAreReadWhereTheContainerFindsThem) {
    ASSERT_EQ(::symlink("/etc/passwd", (root + "/users").c_str()), 0);
    ASSERT_EQ(::symlink((folder + "/secret").c_str(), (root + "/leak").c_str()), 0);
    ASSERT_EQ(::mkfifo((root + "/fifo").c_str(), 0666), 0);
    ASSERT_EQ(::symlink("loop", (root + "/loop").c_str()), 0);
    inside([](int fd) {
        EXPECT_EQ(read_in_root(fd, "/etc/passwd", 1000), "root:x:0:0::/:/bin/sh\n");
        EXPECT_EQ(read_in_root(fd, "users", 1000), "root:x:0:0::/:/bin/sh\n")
            << "a link begins at the container's root";
        EXPECT_EQ(read_in_root(fd, "/etc/passwd", 4), "root");
        EXPECT_EQ(read_in_root(fd, "/leak", 1000), "") << "a link to the host's files leads nowhere";
        EXPECT_EQ(read_in_root(fd, "/../../../etc/passwd", 4), "root");
        for (const char* none : {"/none", "/etc", "/fifo", "/loop", "/etc/passwd/x"}) {
            EXPECT_EQ(read_in_root(fd, none, 1000), "") << none;
        }
    });
}

TEST_F(ContainerRoot, FoldersAreMadeInsideOnly) {
    std::filesystem::create_directories(root + "/real");
    ASSERT_EQ(::symlink("/real", (root + "/link").c_str()), 0);
    ASSERT_EQ(::symlink("/made/later", (root + "/dangling").c_str()), 0);
    ASSERT_EQ(::symlink((folder + "/outside").c_str(), (root + "/leak").c_str()), 0);
    ASSERT_EQ(::symlink("b", (root + "/a").c_str()), 0);
    ASSERT_EQ(::symlink("a", (root + "/b").c_str()), 0);
    const mode_t mask = ::umask(0077);
    inside([](int fd) {
        for (const char* path : {"/srv/app", "/link/inner", "/dangling/x", "/leak/y", "/../up", "relative", "/real"}) {
            const auto made = make_directory_in_root(fd, path);
            EXPECT_TRUE(made) << path << ": " << made.error().what;
        }
        const auto blocked = make_directory_in_root(fd, "/etc/passwd/x");
        ASSERT_FALSE(blocked);
        EXPECT_EQ(blocked.error().what, "Cannot mkdir: /etc/passwd is not a directory");
        EXPECT_FALSE(make_directory_in_root(fd, "/a/x")) << "links in a circle";
    });
    ::umask(mask);
    for (const char* path : {"/srv/app", "/real/inner", "/made/later/x", "/up", "/relative"}) {
        EXPECT_TRUE(std::filesystem::is_directory(root + path)) << path;
    }
    struct stat status {};
    ASSERT_EQ(::stat((root + "/srv/app").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0755U);
    EXPECT_FALSE(std::filesystem::exists(folder + "/outside")) << "nothing is made on the host";
}

TEST_F(ContainerRoot, ContentIsCopiedOutOnce) {
    std::filesystem::create_directories(root + "/data/sub");
    std::ofstream(root + "/data/sub/file") << "x";
    ASSERT_EQ(::chown((root + "/data").c_str(), 5, 6), 0);
    ASSERT_EQ(::chown((root + "/data/sub/file").c_str(), 7, 8), 0);
    const std::string target = folder + "/volume";
    std::filesystem::create_directories(target);
    inside([&target](int fd) {
        EXPECT_TRUE(copy_from_root(fd, "/none", target));
        EXPECT_TRUE(std::filesystem::is_empty(target));
        EXPECT_TRUE(copy_from_root(fd, "/data", target));
        EXPECT_EQ(copy_from_root(fd, "/data", target).error().kind, ErrorKind::Conflict);
        EXPECT_EQ(copy_from_root(fd, "/etc/passwd", target).error().what,
                  "cannot mount volume over existing file, file exists /etc/passwd");
    });
    struct stat status {};
    ASSERT_EQ(::stat(target.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 5U);
    ASSERT_EQ(::stat((target + "/sub/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_gid, 8U);
}

TEST_F(ContainerRoot, NobodyElseSeesTheMount) {
    std::size_t seen_inside = 0;
    const auto before = mount_table().value().size();
    inside([&](int) { seen_inside = mount_table().value().size(); });
    EXPECT_EQ(seen_inside, before) << "this process's own table, not the thread's";
    EXPECT_EQ(mount_table().value().size(), before);
}

TEST_F(ContainerRoot, AnErrorOfTheWorkComesBackAndOneOfTheMount) {
    const auto failed = with_root({{"bind", root, {"rbind"}}},
                                  [](int) -> Result<void> { return Error{.kind = ErrorKind::Denied, .what = "mine"}; });
    EXPECT_EQ(failed.error().what, "mine");
    bool called = false;
    const auto unmounted = with_root({{"bind", root + "/none", {"rbind"}}}, [&called](int) -> Result<void> {
        called = true;
        return {};
    });
    EXPECT_FALSE(unmounted);
    EXPECT_FALSE(called);
}

/// More layers than fit a page of mount options.
TEST_F(ContainerRoot, AnImageOfVeryManyLayersIsMounted) {
    fakes::TempDirectory long_name;
    const std::string layers = long_name + "/io.containerd.snapshotter.v1.overlayfs/snapshots";
    std::string lower;
    for (int i = 100; i > 0; --i) {
        const std::string layer = layers + "/" + std::to_string(i) + "/fs";
        std::filesystem::create_directories(layer);
        std::ofstream(layer + "/of" + std::to_string(i)) << "layer " << i;
        lower += (lower.empty() ? "" : ":") + layer;
    }
    ASSERT_GT(lower.size(), 4096U);
    const auto done = with_root({{"overlay", "overlay", {"lowerdir=" + lower}}}, [](int fd) -> Result<void> {
        EXPECT_EQ(read_in_root(fd, "/of1", 100), "layer 1");
        EXPECT_EQ(read_in_root(fd, "/of100", 100), "layer 100");
        return {};
    });
    ASSERT_TRUE(done) << done.error().what;
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
