#include "runtime/containerd/oci/seccomp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/containerd/oci/seccomp_profile.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

/// "allowed", "fails with N", "allowed with an argument", or "denied".
std::string verdict(const Json& seccomp, std::string_view call) {
    for (const Json& rule : seccomp.at("syscalls")) {
        const auto names = rule.at("names").get<std::vector<std::string>>();
        if (std::find(names.begin(), names.end(), call) == names.end()) continue;
        if (rule.at("action") == "SCMP_ACT_ERRNO")
            return "fails with " + std::to_string(rule.at("errnoRet").get<int>());
        return rule.contains("args") ? "allowed with an argument" : "allowed";
    }
    return "denied";
}

Json with(std::vector<std::string> capabilities, int major = 5, int minor = 10, const char* architecture = "amd64") {
    return default_seccomp({.capabilities = std::move(capabilities),
                            .kernel_major = major,
                            .kernel_minor = minor,
                            .architecture = architecture});
}

TEST(DefaultSeccomp, DeniesWithAnErrorWhatItDoesNotList) {
    const Json profile = with({});
    EXPECT_EQ(profile.at("defaultAction"), "SCMP_ACT_ERRNO");
    EXPECT_EQ(verdict(profile, "openat2"), "allowed");
    EXPECT_EQ(verdict(profile, "kexec_load"), "denied");
    EXPECT_EQ(verdict(profile, "keyctl"), "denied");
    EXPECT_EQ(verdict(profile, "userfaultfd"), "denied");
}

TEST(DefaultSeccomp, NewNamespacesNeedSysAdmin) {
    EXPECT_EQ(verdict(with({}), "mount"), "denied");
    EXPECT_EQ(verdict(with({}), "unshare"), "denied");
    EXPECT_EQ(verdict(with({}), "clone"), "allowed with an argument");
    EXPECT_EQ(verdict(with({}), "clone3"), "fails with 38");
    const Json admin = with({"CAP_SYS_ADMIN"});
    EXPECT_EQ(verdict(admin, "mount"), "allowed");
    EXPECT_EQ(verdict(admin, "clone3"), "allowed");
    EXPECT_EQ(verdict(admin, "clone"), "allowed");
}

TEST(DefaultSeccomp, CloneIsComparedUnderTheMaskOfNamespaceFlags) {
    const Json profile = with({});
    for (const Json& rule : profile.at("syscalls")) {
        if (rule.at("names") != Json::array({"clone"})) continue;
        EXPECT_EQ(rule.at("args"),
                  Json::parse(R"([{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":2114060288,"valueTwo":0}])"));
        return;
    }
    FAIL() << "no rule for clone";
}

TEST(DefaultSeccomp, CapabilitiesOpenTheirCalls) {
    EXPECT_EQ(verdict(with({"CAP_SYS_CHROOT"}), "chroot"), "allowed");
    EXPECT_EQ(verdict(with({}), "chroot"), "denied");
    EXPECT_EQ(verdict(with({"CAP_SYS_BOOT"}), "reboot"), "allowed");
    EXPECT_EQ(verdict(with({"CAP_SYSLOG"}), "syslog"), "allowed");
    EXPECT_EQ(verdict(with({"CAP_SYS_MODULE"}), "finit_module"), "allowed");
}

TEST(DefaultSeccomp, PtraceNeedsAKernelThatChecksAfterIt) {
    EXPECT_EQ(verdict(with({}, 4, 8), "ptrace"), "allowed");
    EXPECT_EQ(verdict(with({}, 4, 7), "ptrace"), "denied");
    EXPECT_EQ(verdict(with({}, 3, 10), "ptrace"), "denied");
    EXPECT_EQ(verdict(with({"CAP_SYS_PTRACE"}, 3, 10), "ptrace"), "allowed");
}

TEST(DefaultSeccomp, FitsTheMachine) {
    EXPECT_EQ(with({}).at("architectures"), Json::array({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}));
    const Json arm = with({}, 5, 10, "arm64");
    EXPECT_EQ(arm.at("architectures"), Json::array({"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}));
    EXPECT_EQ(verdict(arm, "arch_prctl"), "denied");
    EXPECT_EQ(verdict(arm, "sync_file_range2"), "allowed");
    EXPECT_EQ(verdict(with({}), "arch_prctl"), "allowed");
}

TEST(DefaultSeccomp, ListsNoCallTwiceInOneRule) {
    for (const SeccompRule& rule : default_seccomp_rules()) {
        const Json one = Json(std::string(rule.calls));
        std::vector<std::string> names;
        std::string word;
        for (const char c : std::string(rule.calls) + " ") {
            if (c != ' ')
                word += c;
            else if (!word.empty())
                names.push_back(std::exchange(word, {}));
        }
        std::sort(names.begin(), names.end());
        EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << one;
        EXPECT_FALSE(names.empty());
    }
}

Result<Json> custom(const char* profile, std::vector<std::string> capabilities = {}) {
    return custom_seccomp(profile, {.capabilities = std::move(capabilities), .architecture = "amd64"});
}

TEST(CustomSeccomp, IsTakenWithItsConditionsDecided) {
    const auto profile = custom(R"({"defaultAction":"SCMP_ACT_ALLOW",
        "archMap":[{"architecture":"SCMP_ARCH_AARCH64"},{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
        "syscalls":[{"names":["chmod","fchmod"],"action":"SCMP_ACT_ERRNO","errnoRet":13},
                    {"name":"mkdir","action":"SCMP_ACT_KILL","args":[{"index":1,"value":511,"op":"SCMP_CMP_EQ"}]},
                    {"names":["a"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_SYS_ADMIN"]}},
                    {"names":["b"],"action":"SCMP_ACT_ERRNO","excludes":{"arches":["amd64"]}},
                    {"names":["c"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"9.1"}}]})");
    ASSERT_TRUE(profile) << profile.error().what;
    EXPECT_EQ(*profile,
              Json::parse(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],
        "syscalls":[{"names":["chmod","fchmod"],"action":"SCMP_ACT_ERRNO","errnoRet":13},
                    {"names":["mkdir"],"action":"SCMP_ACT_KILL","args":[{"index":1,"value":511,"op":"SCMP_CMP_EQ"}]}]})"));
}

TEST(CustomSeccomp, OneThatFiltersNothingIsNone) { EXPECT_TRUE(custom("{}")->is_null()); }

TEST(CustomSeccomp, SaysWhatIsWrongWithAProfile) {
    const auto why = [](const char* profile) { return custom(profile).error().what; };
    EXPECT_THAT(why("/etc/profile.json"), testing::StartsWith("Decoding seccomp profile failed: "));
    EXPECT_THAT(why("[]"), testing::HasSubstr("expected an object"));
    EXPECT_THAT(why(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[1]})"), testing::HasSubstr("syscalls"));
    EXPECT_THAT(why(R"({"defaultAction":"x","syscalls":[{"names":["a"],"name":"b"}]})"),
                testing::HasSubstr("use either"));
    EXPECT_THAT(why(R"({"defaultAction":"x","syscalls":[{"names":["a"],"includes":{"minKernel":"new"}}]})"),
                testing::HasSubstr("invalid kernel version: new"));
    EXPECT_THAT(why(R"({"defaultAction":"x","syscalls":[{"names":["a"],"args":[{"index":-1}]}]})"),
                testing::HasSubstr("index"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
