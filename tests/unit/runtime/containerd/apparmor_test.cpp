// The AppArmor profile of containers: when it is loaded, and by whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "agent/base/files.hpp"
#include "runtime/containerd/apparmor.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using testing::HasSubstr;
using testing::Optional;

/// Kernel files of a host, and a parser that notes what it is given.
class AppArmor : public testing::Test {
  protected:
    AppArmor() {
        kernel_says("Y\n", "other (enforce)\ndocker-default-2 (enforce)\n");
        parser_does("cat >" + folder_.path() + "/given");
    }
    void kernel_says(const std::string& enabled, const std::string& profiles) {
        std::ofstream(places_.enabled) << enabled;
        std::ofstream(places_.profiles) << profiles;
    }
    void parser_does(const std::string& script) {
        std::ofstream(places_.parser) << "#!/bin/sh\n" << script << "\n";
        ::chmod(places_.parser.c_str(), 0755);
    }
    [[nodiscard]] std::string given() const {
        auto text = read_file(folder_ + "/given");
        return text ? *std::move(text) : std::string();
    }
    [[nodiscard]] std::optional<bool> confined() const {
        const auto answer = ensure_container_profile(places_);
        return answer ? std::optional(*answer) : std::nullopt;
    }

    fakes::TempDirectory folder_;
    AppArmorPlaces places_{.enabled = folder_ + "/enabled",
                           .profiles = folder_ + "/profiles",
                           .includes = folder_ + "/includes",
                           .parser = folder_ + "/parser"};
};

TEST_F(AppArmor, LoadsTheProfileWhereNobodyHas) {
    EXPECT_THAT(confined(), Optional(true));
    EXPECT_EQ(given(), container_profile(false, false));
}

TEST_F(AppArmor, TakesTheProfileThatDockerHasLoaded) {
    kernel_says("Y\n", "docker-default (enforce)\n");
    EXPECT_THAT(confined(), Optional(true));
    EXPECT_EQ(given(), "");
}

TEST_F(AppArmor, ConfinesNobodyWhereTheKernelDoesNot) {
    kernel_says("N\n", "docker-default (enforce)\n");
    EXPECT_THAT(confined(), Optional(false));
    places_.enabled = folder_ + "/absent";
    EXPECT_THAT(confined(), Optional(false));
}

TEST_F(AppArmor, ConfinesNobodyWithoutTheListOfProfiles) {
    places_.profiles = folder_ + "/absent";
    EXPECT_THAT(confined(), Optional(false));
    EXPECT_EQ(given(), "");
}

TEST_F(AppArmor, SaysWhatTheParserSaid) {
    parser_does("echo 'syntax error' >&2; exit 1");
    const auto answer = ensure_container_profile(places_);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().what, "load the AppArmor profile of containers: syntax error");
}

TEST(AppArmorProfile, IncludesOnlyWhatIsThere) {
    EXPECT_THAT(container_profile(true, true), HasSubstr("abi <abi/3.0>,\ninclude <tunables/global>\n"));
    EXPECT_THAT(container_profile(true, true), HasSubstr("  include <abstractions/base>\n"));
    EXPECT_THAT(container_profile(false, false), testing::StartsWith("@{PROC}=/proc/\nprofile \"docker-default\""));
    EXPECT_THAT(container_profile(false, false), testing::Not(HasSubstr("include")));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
