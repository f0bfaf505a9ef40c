#include "runtime/containerd/oci/mount_options.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/mount_table.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

using Words = std::vector<std::string>;

TEST(MountOptions, WordsAreFlagsPropagationOrForTheFileSystem) {
    const MountArguments overlay = mount_arguments({"index=off", "workdir=/w", "lowerdir=/a:/b"});
    EXPECT_EQ(overlay.flags, 0U);
    EXPECT_EQ(overlay.data, "index=off,workdir=/w,lowerdir=/a:/b");
    const MountArguments bind = mount_arguments({"rbind", "ro", "rslave"});
    EXPECT_EQ(bind.flags, static_cast<unsigned long>(MS_BIND | MS_REC | MS_RDONLY));
    EXPECT_EQ(bind.propagation, static_cast<unsigned long>(MS_SLAVE | MS_REC));
    EXPECT_EQ(mount_arguments({"ro", "noexec", "rw"}).flags, static_cast<unsigned long>(MS_NOEXEC))
        << "the last one counts";
}

TEST(TmpfsOptions, TheLastWordOnAMatterCounts) {
    EXPECT_EQ(tmpfs_options("").value(), (Words{"noexec", "nosuid", "nodev", "rprivate"}));
    EXPECT_EQ(tmpfs_options("exec,size=1m,size=2m,rshared").value(),
              (Words{"nosuid", "nodev", "exec", "size=2m", "rshared"}));
    EXPECT_EQ(tmpfs_options("defaults,suid").value(), (Words{"noexec", "nodev", "rprivate", "suid"}));
}

TEST(TmpfsOptions, UnknownOnesAreRefused) {
    for (const char* wrong : {"size", "colour=red", "size=1m,,mode=1", " "})
        EXPECT_FALSE(tmpfs_options(wrong)) << wrong;
}

constexpr const char* kTable =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:25 / /run/my\\040mount rw master:3 - tmpfs tmpfs rw\n"
    "31 22 0:26 / /data rw - ext4 /dev/sdb rw\n"
    "broken line\n";

TEST(MountTable, SaysWhatAPathIsOn) {
    const auto table = parse_mount_table(kTable);
    ASSERT_EQ(table.size(), 3U);
    EXPECT_EQ(mount_of(table, "/etc")->point, "/");
    EXPECT_TRUE(mount_of(table, "/etc")->shared);
    EXPECT_EQ(mount_of(table, "/run/my mount/x")->point, "/run/my mount");
    EXPECT_TRUE(mount_of(table, "/run/my mount")->slave);
    EXPECT_EQ(mount_of(table, "/database")->point, "/") << "a name that only begins like a mount's";
    EXPECT_FALSE(mount_of(table, "/data")->shared);
    EXPECT_EQ(mount_of({}, "/"), nullptr);
}

TEST(MountTable, SaysWhatIsMountedBelow) {
    const auto table = parse_mount_table(kTable);
    EXPECT_TRUE(has_mounts(table, "/run"));
    EXPECT_TRUE(has_mounts(table, "/data"));
    EXPECT_FALSE(has_mounts(table, "/dat"));
    EXPECT_FALSE(has_mounts(table, "/data/x"));
}

TEST(Paths, AreCleanedAsGoDoes) {
    EXPECT_EQ(clean_path("/a//b/./../c/"), "/a/c");
    EXPECT_EQ(clean_path("/../.."), "/");
    EXPECT_EQ(clean_path(""), ".");
    EXPECT_EQ(clean_path("a/../.."), "..");
    EXPECT_EQ(clean_path("../x"), "../x");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
