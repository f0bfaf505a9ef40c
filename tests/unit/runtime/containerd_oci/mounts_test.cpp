#include "runtime/containerd/mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using Words = std::vector<std::string>;
using testing::HasSubstr;

class MountsTest : public testing::Test {
  protected:
    Result<PlannedMounts> plan(const std::string& host, const char* config = "{}") {
        return plan_mounts(Json::parse(config), Json::parse(host), image, volumes, [this](const std::string& name) {
            if (name == "gone") {
                return Result<std::vector<Mount>>(
                    Error{.kind = ErrorKind::NotFound, .what = "No such container: gone"});
            }
            return Result<std::vector<Mount>>(theirs);
        });
    }
    PlannedMounts planned(const std::string& host, const char* config = "{}") {
        auto out = plan(host, config);
        if (!out) ADD_FAILURE() << out.error().what;
        return out ? *std::move(out) : PlannedMounts{};
    }
    std::string refusal(const std::string& host) {
        const auto out = plan(host);
        return out ? "nothing" : out.error().what;
    }
    std::string volume_names() {
        Words names;
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(data + "/volumes", none)) {
            names.push_back(entry.path().filename().string());
        }
        return testing::PrintToString(names);
    }

    fakes::TempDirectory data;
    Volumes volumes{data.path()};
    ImageConfig image;
    std::vector<Mount> theirs;
};

TEST_F(MountsTest, BindsMayBeReadOnly) {
    const PlannedMounts out = planned(R"({"Binds":["/etc:/host/../conf/:ro","/usr:/u"]})");
    ASSERT_EQ(out.mounts.size(), 2U);
    EXPECT_EQ(out.mounts[0], (oci::MountPlan{"bind", "/etc", "/conf", {"rbind", "ro", "rprivate"}}));
    EXPECT_EQ(out.mounts[1], (oci::MountPlan{"bind", "/usr", "/u", {"rbind", "rprivate"}}));
    EXPECT_EQ(
        out.shown[0],
        (Mount{.name = "", .source = "/etc", .destination = "/conf", .read_only = true, .propagation = "rprivate"}));
    EXPECT_TRUE(out.anonymous_volumes.empty());
}

TEST_F(MountsTest, TheSourceOfABindIsMadeWhenItIsAbsent) {
    (void)planned(R"({"Binds":[")" + data.path() + R"(/new/folder:/x"]})");
    EXPECT_TRUE(std::filesystem::is_directory(data + "/new/folder"));
    std::ofstream(data + "/file") << "x";
    (void)planned(R"({"Binds":[")" + data.path() + R"(/file:/x"]})");
    EXPECT_TRUE(std::filesystem::is_regular_file(data + "/file"));
}

TEST_F(MountsTest, TheSourceOfAMountIsNotMade) {
    EXPECT_EQ(refusal(R"({"Mounts":[{"Type":"bind","Source":"/no/such","Target":"/x"}]})"),
              "invalid mount config for type \"bind\": bind source path does not exist: /no/such");
}

TEST_F(MountsTest, ANamedVolumeIsMadeAndTakesTheImagesContent) {
    const PlannedMounts out = planned(R"({"Binds":["data:/data","other:/other:nocopy,ro"]})");
    ASSERT_EQ(out.mounts.size(), 2U);
    EXPECT_EQ(out.mounts[0], (oci::MountPlan{"bind", data + "/volumes/data/_data", "/data", {"rbind"}}));
    EXPECT_EQ(out.mounts[1].options, (Words{"rbind", "ro"}));
    ASSERT_EQ(out.copies.size(), 1U);
    EXPECT_EQ(out.copies[0].volume, "data");
    EXPECT_EQ(out.copies[0].path, "/data");
    EXPECT_TRUE(out.anonymous_volumes.empty());
    EXPECT_EQ(out.shown[0].name, "data");
    std::ofstream(data + "/volumes/data/_data/there") << "x";
    EXPECT_TRUE(planned(R"({"Binds":["data:/data"]})").copies.empty()) << "it holds something already";
}

TEST_F(MountsTest, VolumesOfTheImageAreTheContainersOwn) {
    image.volumes = {"/var/lib/db", "/logs/"};
    const PlannedMounts out = planned(R"({"Binds":["/usr:/logs"]})", R"({"Volumes":{"/more":{}}})");
    ASSERT_EQ(out.anonymous_volumes.size(), 2U) << "nothing for /logs, which is mounted already";
    EXPECT_EQ(out.anonymous_volumes[0].size(), 64U);
    EXPECT_EQ(out.copies.size(), 2U);
    EXPECT_EQ(out.mounts.size(), 3U);
}

TEST_F(MountsTest, AnonymousVolumesOfARefusedContainerAreRemoved) {
    image.volumes = {"/db"};
    EXPECT_THAT(refusal(R"({"Tmpfs":{"/t":"size"}})"), HasSubstr("Invalid tmpfs option \"size\""));
    EXPECT_EQ(volume_names(), "{}");
}

TEST_F(MountsTest, MountsOfAllTypes) {
    const PlannedMounts out = planned(R"({"Mounts":[
        {"Type":"bind","Source":"/usr","Target":"/u","ReadOnly":true,"BindOptions":{"Propagation":"private","NonRecursive":true}},
        {"Type":"volume","Source":"vol","Target":"/v","VolumeOptions":{"NoCopy":true,"Labels":{"a":"b"}}},
        {"Type":"volume","Target":"/w"},
        {"Type":"tmpfs","Target":"/t","ReadOnly":true,"TmpfsOptions":{"SizeBytes":67108864,"Mode":448}}]})");
    ASSERT_EQ(out.mounts.size(), 4U);
    EXPECT_EQ(out.mounts[0].options, (Words{"noexec", "nosuid", "nodev", "rprivate", "ro", "mode=700", "size=64m"}));
    EXPECT_EQ(out.mounts[1].options, (Words{"bind", "ro", "private"}));
    EXPECT_EQ(out.mounts[2].destination, "/v");
    EXPECT_EQ(out.anonymous_volumes.size(), 1U);
    EXPECT_EQ(out.copies.size(), 1U);
    EXPECT_EQ(volumes.inspect("vol").value().labels.at("a"), "b");
}

TEST_F(MountsTest, ATmpfsHasDockersOptionsAndItsOwn) {
    const PlannedMounts out = planned(R"({"Tmpfs":{"/run":"size=64m,exec,mode=755","/tmp":""}})");
    ASSERT_EQ(out.mounts.size(), 2U);
    EXPECT_EQ(
        out.mounts[0],
        (oci::MountPlan{"tmpfs", "tmpfs", "/run", {"nosuid", "nodev", "rprivate", "size=64m", "exec", "mode=755"}}));
    EXPECT_EQ(out.mounts[1].options, (Words{"noexec", "nosuid", "nodev", "rprivate"}));
    EXPECT_TRUE(out.shown.empty());
}

TEST_F(MountsTest, VolumesComeFromAnotherContainer) {
    ASSERT_TRUE(volumes.create({.name = "shared", .driver = "", .driver_opts = {}, .labels = {}}));
    theirs = {{.name = "shared", .source = "/old", .destination = "/s"},
              {.name = "", .source = "/usr", .destination = "/u", .read_only = true, .propagation = "private"},
              {.name = "", .source = "", .destination = "/tmpfs"}};
    const PlannedMounts out = planned(R"({"VolumesFrom":["web"]})");
    ASSERT_EQ(out.mounts.size(), 2U);
    EXPECT_EQ(out.mounts[0], (oci::MountPlan{"bind", data + "/volumes/shared/_data", "/s", {"rbind"}}));
    EXPECT_EQ(out.mounts[1], (oci::MountPlan{"bind", "/usr", "/u", {"rbind", "ro", "private"}}));
    EXPECT_TRUE(out.copies.empty());
    EXPECT_EQ(planned(R"({"VolumesFrom":["web:ro"]})").mounts[0].options, (Words{"rbind", "ro"}));
    EXPECT_EQ(planned(R"({"VolumesFrom":["web"],"Binds":["/etc:/s"]})").mounts[0].source, "/etc")
        << "the container's own mount comes before";
    EXPECT_EQ(refusal(R"({"VolumesFrom":["gone"]})"), "No such container: gone");
}

TEST_F(MountsTest, TwoMountsAtOnePlaceAreRefused) {
    EXPECT_EQ(refusal(R"({"Binds":["/usr:/x","/etc:/x/"]})"), "Duplicate mount point: /x");
    EXPECT_EQ(refusal(R"({"Binds":["/usr:/x"],"Mounts":[{"Type":"tmpfs","Target":"/x"}]})"),
              "Duplicate mount point: /x");
    EXPECT_EQ(refusal(R"({"Binds":["/usr:/x"],"Tmpfs":{"/x":""}})"), "Duplicate mount point: /x");
}

TEST_F(MountsTest, MistakesAreRefusedWithDockersWords) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {R"({"Binds":[""]})", "invalid volume specification: ''"},
        {R"({"Binds":[":/x"]})", "invalid volume specification: ':/x'"},
        {R"({"Binds":["/x:ro"]})", "invalid volume specification: '/x:ro'"},
        {R"({"Binds":["/a:/b:ro:z"]})", "invalid volume specification: '/a:/b:ro:z'"},
        {R"({"Binds":["/a:/b:fast"]})", "invalid mode: fast"},
        {R"({"Binds":["/a:/b:ro,rw"]})", "invalid mode: ro,rw"},
        {R"({"Binds":["/a:/"]})",
         "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid "
         "specification: destination can't be '/'"},
        {R"({"Binds":["/a:b"]})",
         "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid "
         "mount path: 'b' mount path must be absolute"},
        {R"({"Binds":["/a:/b:nocopy"]})",
         "invalid volume specification: '/a:/b:nocopy': invalid mount config for type "
         "\"bind\": field VolumeOptions must not be specified"},
        {R"({"Binds":["v1:/b:rshared"]})",
         "invalid volume specification: 'v1:/b:rshared': invalid mount config for "
         "type \"volume\": field BindOptions must not be specified"},
        {R"({"Binds":["./a:/b"]})",
         "create ./a: \"./a\" includes invalid characters for a local volume name, only "
         "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
         "use absolute path"},
        {R"({"Binds":["vol:/b"],"VolumeDriver":"rexray"})",
         "create vol: error looking up volume plugin rexray: plugin \"rexray\" not found"},
        {R"({"Mounts":[{"Type":"npipe","Target":"/x"}]})",
         "invalid mount config for type \"npipe\": mount type unknown"},
        {R"({"Mounts":[{"Type":"bind","Target":"/x"}]})",
         "invalid mount config for type \"bind\": field Source must not be empty"},
        {R"({"Mounts":[{"Type":"volume","Target":"/x","ReadOnly":true}]})",
         "invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous volumes"},
        {R"({"Mounts":[{"Type":"tmpfs","Source":"a","Target":"/x"}]})",
         "invalid mount config for type \"tmpfs\": field Source must not be specified"},
        {R"({"VolumesFrom":[""]})", "volumes-from specification cannot be an empty string"},
        {R"({"VolumesFrom":["web:rshared"]})", "invalid mode: rshared"},
        {R"({"Tmpfs":{"/":""}})", "invalid specification: destination can't be '/'"},
    };
    for (const auto& [host, text] : cases) EXPECT_EQ(refusal(host), text) << host;
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
