#include "runtime/containerd/oci/capabilities.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nodeagent::runtime::containerd::oci {
namespace {

using Names = std::vector<std::string>;

Names of(const char* host_config, CapabilityLimits limits = {}) {
    Names names = container_capabilities(Json::parse(host_config), limits).value();
    std::sort(names.begin(), names.end());
    return names;
}

const Names kDockers{"CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
                     "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
                     "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

TEST(ContainerCapabilities, AContainerHasDockersFourteen) { EXPECT_EQ(of("{}"), kDockers); }

TEST(ContainerCapabilities, AreNamedWithAndWithoutThePrefixInAnyCase) {
    Names with_two = kDockers;
    with_two.insert(with_two.end(), {"CAP_NET_ADMIN", "CAP_SYS_TIME"});
    std::sort(with_two.begin(), with_two.end());
    EXPECT_EQ(of(R"({"CapAdd":["net_admin","CAP_SYS_TIME","CAP_CHOWN"]})"), with_two);
}

TEST(ContainerCapabilities, WhatIsAddedStaysThoughAllAreDropped) {
    EXPECT_EQ(of(R"({"CapAdd":["CHOWN"],"CapDrop":["ALL"]})"), Names{"CAP_CHOWN"});
    EXPECT_EQ(of(R"({"CapDrop":["all"]})"), Names{});
    EXPECT_TRUE(has_capability(of(R"({"CapAdd":["CHOWN"],"CapDrop":["CHOWN"]})"), "CAP_CHOWN"));
}

TEST(ContainerCapabilities, AllButTheDroppedOnes) {
    const Names names = of(R"({"CapAdd":["ALL"],"CapDrop":["CAP_SYS_ADMIN"]})");
    EXPECT_EQ(names.size(), 40U);
    EXPECT_FALSE(has_capability(names, "CAP_SYS_ADMIN"));
    EXPECT_TRUE(has_capability(names, "CAP_CHECKPOINT_RESTORE"));
}

TEST(ContainerCapabilities, AllMeansThoseOfTheKernelThatCanBeGiven) {
    const Names old_kernel = of(R"({"Privileged":true})", {.last = 37});
    EXPECT_EQ(old_kernel.size(), 38U);
    EXPECT_FALSE(has_capability(old_kernel, "CAP_BPF"));
    EXPECT_FALSE(
        has_capability(of(R"({"CapAdd":["ALL"]})", {.available = ~(std::uint64_t{1} << 24)}), "CAP_SYS_RESOURCE"));
}

TEST(ContainerCapabilities, APrivilegedContainerHasAllWhateverIsDropped) {
    EXPECT_EQ(of(R"({"Privileged":true,"CapDrop":["ALL"]})").size(), 41U);
}

TEST(ContainerCapabilities, AnUnknownNameIsRefusedWithDockersWords) {
    const auto names = container_capabilities(Json::parse(R"({"CapDrop":["fly"]})"), {});
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().what, "invalid CapDrop: unknown capability: \"CAP_FLY\"");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
