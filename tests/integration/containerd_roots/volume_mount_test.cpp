// Volumes with driver options, mounted and removed; propagation of binds. Needs root; mounts are made in a namespace of
// the test's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "runtime/containerd/mounts.hpp"
#include "runtime/containerd/oci/mount_table.hpp"
#include "runtime/containerd/volumes.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

class MountedVolumes : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "these tests need root";
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    }
    void create(const std::string& name, std::map<std::string, std::string> options) {
        const auto made =
            volumes.create({.name = name, .driver = "local", .driver_opts = std::move(options), .labels = {}});
        ASSERT_TRUE(made) << made.error().what;
    }
    bool is_mounted(const std::string& path) {
        const auto table = oci::mount_table().value();
        const auto* entry = oci::mount_of(table, path);
        return entry != nullptr && entry->point == path;
    }
    fakes::TempDirectory data;
    Volumes volumes{data.path()};
};

TEST_F(MountedVolumes, OptionsAreMountedAtTheFirstUseOnly) {
    create("scratch", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m,uid=7,noexec"}});
    const std::string folder = data + "/volumes/scratch/_data";
    EXPECT_FALSE(is_mounted(folder));
    EXPECT_EQ(volumes.mount_point("scratch").value(), folder);
    EXPECT_TRUE(is_mounted(folder));
    std::ofstream(folder + "/file") << "x";
    EXPECT_EQ(volumes.mount_point("scratch").value(), folder);
    EXPECT_TRUE(std::filesystem::exists(folder + "/file")) << "not mounted a second time";
    EXPECT_FALSE(volumes.is_empty("scratch"));
    ASSERT_TRUE(volumes.remove("scratch"));
    EXPECT_FALSE(std::filesystem::exists(data + "/volumes/scratch"));
}

TEST_F(MountedVolumes, RemovingABoundFolderLeavesItsContent) {
    std::filesystem::create_directories(data + "/precious");
    std::ofstream(data + "/precious/file") << "x";
    create("bound", {{"type", "none"}, {"device", data + "/precious"}, {"o", "bind"}});
    const std::string folder = volumes.mount_point("bound").value();
    EXPECT_TRUE(std::filesystem::exists(folder + "/file"));
    ASSERT_TRUE(volumes.remove("bound"));
    EXPECT_TRUE(std::filesystem::exists(data + "/precious/file"));
}

TEST_F(MountedVolumes, WhatSomebodyElseMountedInAVolumeIsNotDeleted) {
    create("used", {});
    const std::string inner = volumes.mount_point("used").value() + "/inner";
    std::filesystem::create_directories(inner);
    std::filesystem::create_directories(data + "/precious");
    std::ofstream(data + "/precious/file") << "x";
    ASSERT_EQ(::mount((data + "/precious").c_str(), inner.c_str(), nullptr, MS_BIND, nullptr), 0);
    const auto refused = volumes.remove("used");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Conflict);
    EXPECT_TRUE(std::filesystem::exists(data + "/precious/file"));
    ASSERT_EQ(::umount(inner.c_str()), 0);
    EXPECT_TRUE(volumes.remove("used"));
}

TEST_F(MountedVolumes, AMountThatFailsIsSaidWithoutItsOptions) {
    create("share", {{"type", "cifs-no-such"}, {"device", "//server/share"}, {"o", "username=u,password=hunter2"}});
    const auto failed = volumes.mount_point("share");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, testing::HasSubstr("failed to mount local volume"));
    EXPECT_THAT(failed.error().what, testing::Not(testing::HasSubstr("hunter2")));
    EXPECT_FALSE(volumes.is_empty("share"));
    EXPECT_TRUE(volumes.remove("share"));
}

TEST_F(MountedVolumes, PropagationNeedsASourceThatHasIt) {
    const std::string shared = data + "/shared", alone = data + "/alone";
    for (const std::string& folder : {shared, alone}) {
        std::filesystem::create_directories(folder);
        ASSERT_EQ(::mount("tmpfs", folder.c_str(), "tmpfs", 0, nullptr), 0);
    }
    ASSERT_EQ(::mount(nullptr, shared.c_str(), nullptr, MS_SHARED, nullptr), 0);
    const auto plan = [this](const std::string& bind) {
        return plan_mounts(Json::object(), {{"Binds", Json::array({bind})}}, ImageConfig(), volumes,
                           [](const std::string&) { return Result<std::vector<Mount>>(std::vector<Mount>()); });
    };
    const auto good = plan(shared + ":/x:rshared");
    ASSERT_TRUE(good) << good.error().what;
    EXPECT_EQ(good->mounts.front().options, (std::vector<std::string>{"rbind", "rshared"}));
    EXPECT_TRUE(plan(shared + ":/x:rslave"));
    EXPECT_EQ(plan(alone + ":/x:rshared").error().what,
              "path " + alone + " is mounted on " + alone + " but it is not a shared mount");
    EXPECT_EQ(plan(alone + ":/x:rslave").error().what,
              "path " + alone + " is mounted on " + alone + " but it is not a shared or slave mount");
    for (const std::string& folder : {shared, alone}) EXPECT_EQ(::umount(folder.c_str()), 0);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
