#include "runtime/containerd/volumes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

VolumeSpec named(const std::string& name, std::map<std::string, std::string> options = {}) {
    return {.name = name, .driver = "", .driver_opts = std::move(options), .labels = {{"task", "t"}}};
}

class VolumesTest : public testing::Test {
  protected:
    std::string refusal(const VolumeSpec& spec) {
        const auto made = volumes.create(spec);
        return made ? "nothing" : made.error().what;
    }
    fakes::TempDirectory data;
    Volumes volumes{data.path()};
};

TEST_F(VolumesTest, AVolumeIsAFolderThatStays) {
    ASSERT_TRUE(volumes.create(named("data")));
    const std::string folder = volumes.mount_point("data").value();
    EXPECT_EQ(folder, data + "/volumes/data/_data");
    struct stat status {};
    ASSERT_EQ(::stat(folder.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0755U);
    EXPECT_TRUE(volumes.is_empty("data"));
    std::ofstream(folder + "/file") << "x";
    EXPECT_FALSE(volumes.is_empty("data"));

    Volumes again(data.path());
    EXPECT_EQ(again.inspect("data").value().labels.at("task"), "t");
    EXPECT_EQ(again.inspect("data").value().driver, "local");
    EXPECT_EQ(again.mount_point("data").value(), folder);
}

TEST_F(VolumesTest, MakingOneThatIsThereLeavesItAsItIs) {
    ASSERT_TRUE(volumes.create(named("data")));
    std::ofstream(volumes.mount_point("data").value() + "/file") << "x";
    VolumeSpec other = named("data");
    other.labels = {{"task", "u"}};
    EXPECT_TRUE(volumes.create(other));
    EXPECT_EQ(volumes.inspect("data").value().labels.at("task"), "t");
    EXPECT_FALSE(volumes.is_empty("data"));
}

TEST_F(VolumesTest, ARemovedOneIsGoneWithItsContent) {
    ASSERT_TRUE(volumes.create(named("data")));
    std::filesystem::create_directories(volumes.mount_point("data").value() + "/a/b");
    EXPECT_TRUE(volumes.remove("data"));
    EXPECT_FALSE(std::filesystem::exists(data + "/volumes/data"));
    const auto gone = volumes.inspect("data");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(gone.error().what, "get data: no such volume");
    EXPECT_EQ(volumes.remove("data").error().kind, ErrorKind::NotFound);
    EXPECT_EQ(volumes.mount_point("data").error().kind, ErrorKind::NotFound);
    EXPECT_FALSE(volumes.is_empty("data"));
}

TEST_F(VolumesTest, NoNameLeadsOutOfTheFolder) {
    for (const char* name : {"", "..", ".", "a/b", "../x", "/etc", "-a", "_a", "a b"}) {
        EXPECT_FALSE(volumes.create(named(name))) << name;
        EXPECT_EQ(volumes.inspect(name).error().kind, ErrorKind::NotFound) << name;
        EXPECT_FALSE(volumes.remove(name)) << name;
    }
    EXPECT_EQ(refusal(named("a")),
              "create a: volume name is too short, names should be at least two alphanumeric characters");
}

TEST_F(VolumesTest, DriversAndOptionsThatAreNotThereAreRefused) {
    VolumeSpec spec = named("data");
    spec.driver = "rexray";
    EXPECT_EQ(refusal(spec), "create data: error looking up volume plugin rexray: plugin \"rexray\" not found");
    EXPECT_EQ(refusal(named("data", {{"colour", "red"}})), "create data: invalid option: \"colour\"");
    EXPECT_EQ(refusal(named("data", {{"type", "nfs"}})), "create data: missing required option: \"device\"");
    EXPECT_EQ(refusal(named("data", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"size", "1m"}})),
              "create data: quota size requested but no quota support");
    EXPECT_EQ(volumes.inspect("data").error().kind, ErrorKind::NotFound);
}

TEST_F(VolumesTest, OptionsAreKeptForTheFirstUse) {
    ASSERT_TRUE(volumes.create(named("data", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m"}})));
    EXPECT_EQ(volumes.inspect("data").value().driver_opts.at("o"), "size=1m");
}

TEST_F(VolumesTest, ACreationThatBrokeOffIsDoneAgain) {
    std::filesystem::create_directories(data + "/volumes/data/_data");
    EXPECT_EQ(volumes.inspect("data").error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(volumes.create(named("data")));
    EXPECT_TRUE(volumes.inspect("data"));
}

TEST_F(VolumesTest, ABrokenRecordIsAnErrorAndNoNewVolume) {
    ASSERT_TRUE(volumes.create(named("data")));
    std::ofstream(data + "/volumes/data/volume.json") << "{";
    EXPECT_EQ(volumes.inspect("data").error().kind, ErrorKind::Malformed);
    EXPECT_FALSE(volumes.create(named("data")));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
