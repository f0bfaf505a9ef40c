#include "runtime/containerd/network/cni.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using testing::HasSubstr;

/// A folder of plugins that are shell scripts; each writes what it was asked to <folder>/log.
class CniTest : public testing::Test {
  protected:
    CniTest() : cni_({directory_ + "/absent", directory_}) {}

    void plugin(const std::string& type, const std::string& answer) {
        const std::string path = directory_ + ("/" + type);
        std::ofstream(path) << "#!/bin/sh\nread -r input\nprintf '%s %s %s %s %s\\n' " + type +
                                   " \"$CNI_COMMAND\" \"$CNI_CONTAINERID\" \"$CNI_NETNS\" \"$CNI_IFNAME\" >> " +
                                   (directory_ + "/log") + "\nprintf '%s' \"$input\" > " +
                                   (directory_ + ("/input-" + type)) + "\n" + answer + "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    std::string log() { return *read_file(directory_ + "/log"); }
    Json input(const std::string& type) { return Json::parse(*read_file(directory_ + ("/input-" + type))); }
    static Json list(const std::vector<std::string>& types) {
        Json plugins = Json::array();
        for (const std::string& type : types) plugins.push_back({{"type", type}});
        return {{"name", "ecs"}, {"cniVersion", "1.0.0"}, {"plugins", std::move(plugins)}};
    }
    const CniCall call_{.container_id = "c1", .netns = "/run/netns/x"};

    fakes::TempDirectory directory_;
    Cni cni_;
};

TEST_F(CniTest, HandsEachPluginTheResultOfTheOneBefore) {
    plugin("first", R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]}')");
    plugin("second", R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.3/24"}]}')");
    const auto result = cni_.add(list({"first", "second"}), call_);
    ASSERT_TRUE(result);
    EXPECT_EQ((*result)["ips"][0]["address"], "10.0.0.3/24");
    EXPECT_EQ(log(), "first ADD c1 /run/netns/x eth0\nsecond ADD c1 /run/netns/x eth0\n");
    EXPECT_FALSE(input("first").contains("prevResult"));
    EXPECT_EQ(input("second")["prevResult"]["ips"][0]["address"], "10.0.0.2/24");
    EXPECT_EQ(input("second")["name"], "ecs");
    EXPECT_EQ(input("second")["cniVersion"], "1.0.0");
}

TEST_F(CniTest, RemovesBackwardsWithTheFinalResult) {
    plugin("first", "");
    plugin("second", "");
    ASSERT_TRUE(cni_.remove(list({"first", "second"}), {.container_id = "c1", .netns = ""}, {{"final", true}}));
    EXPECT_EQ(log(), "second DEL c1  eth0\nfirst DEL c1  eth0\n");
    EXPECT_EQ(input("first")["prevResult"]["final"], true);
}

TEST_F(CniTest, RemovesWithTheOthersWhenOneFails) {
    plugin("first", "");
    plugin("second", "exit 3");
    const auto removed = cni_.remove(list({"first", "second"}), call_, nullptr);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().what, "CNI plugin second: it ended with 3");
    EXPECT_THAT(log(), HasSubstr("first DEL"));
    EXPECT_FALSE(input("first").contains("prevResult")) << "nobody knows it";
}

TEST_F(CniTest, TellsWhatAPluginSaysOfItsFailure) {
    plugin("first", R"(echo '{"code":11,"msg":"no address is left","details":"in 10.0.0.0/30"}'; exit 1)");
    plugin("second", "");
    const auto result = cni_.add(list({"first", "second"}), call_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what, "CNI plugin first: no address is left: in 10.0.0.0/30");
    EXPECT_EQ(log(), "first ADD c1 /run/netns/x eth0\n") << "the second is not called";
}

TEST_F(CniTest, TellsWhatAPluginWroteToStandardErrorWhenItDidNotSayMore) {
    plugin("first", "echo panic >&2; exit 2");
    const auto result = cni_.add(list({"first"}), call_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what, "CNI plugin first: panic");
}

TEST_F(CniTest, RefusesAnAnswerThatIsNoResult) {
    for (const std::string answer : {"echo hello", "echo '[1]'", "true"}) {
        plugin("first", answer);
        const auto result = cni_.add(list({"first"}), call_);
        ASSERT_FALSE(result) << answer;
        EXPECT_EQ(result.error().kind, ErrorKind::Malformed);
    }
}

TEST_F(CniTest, StopsAPluginThatFloodsItsOutput) {
    plugin("first", "exec cat /dev/zero");
    const auto result = cni_.add(list({"first"}), call_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(result.error().what, HasSubstr("bytes"));
}

TEST_F(CniTest, NamesThePackageOfAPluginThatLacks) {
    const auto result = cni_.add(list({"bridge"}), call_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(result.error().what, "no CNI plugin bridge in " + (directory_ + "/absent, ") + directory_.path() +
                                       ": apt-get install containernetworking-plugins");
}

TEST_F(CniTest, RunsNothingOutsideItsFolders) {
    EXPECT_FALSE(cni_.add(list({"../bin/sh"}), call_));
    EXPECT_FALSE(cni_.add(list({""}), call_));
}

TEST(PluginInput, CarriesOnlyWhatThePluginDeclares) {
    const Json list = {{"name", "n"}, {"cniVersion", "0.4.0"}, {"plugins", Json::array()}};
    const Json plugin = {{"type", "portmap"}, {"capabilities", {{"portMappings", true}, {"mac", false}}}};
    const Json input = plugin_input(list, plugin, {{"portMappings", {1}}, {"mac", "02:42"}, {"ips", "x"}}, nullptr);
    EXPECT_EQ(input["runtimeConfig"], Json({{"portMappings", {1}}}));
    EXPECT_FALSE(plugin_input(list, {{"type", "bridge"}}, {{"mac", "02:42"}}, nullptr).contains("runtimeConfig"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
