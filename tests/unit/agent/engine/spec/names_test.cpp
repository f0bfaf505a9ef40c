#include <gtest/gtest.h>

#include <string>

#include "agent/engine/spec/container_spec.hpp"

namespace nodeagent::engine {
namespace {

std::string suffix_of(std::uint64_t random) {
    const std::string name = docker_container_name("f", "1", "c", random);
    return name.substr(name.rfind('-') + 1);
}

TEST(DockerNames, EndInAZigZagVarintOfTenBytes) {
    EXPECT_EQ(suffix_of(0), "00000000000000000000");
    EXPECT_EQ(suffix_of(1), "02000000000000000000");
    EXPECT_EQ(suffix_of(300), "d8040000000000000000");
    EXPECT_EQ(suffix_of(0x0123456789abcdefULL), "deb7de9af1d9a2a30200");
    EXPECT_EQ(suffix_of(1ULL << 62U), "80808080808080808001");
    EXPECT_EQ(suffix_of((1ULL << 63U) - 2), "fcffffffffffffffff01");
}

TEST(DockerNames, OfContainersLoseWhatDockerRefuses) {
    EXPECT_EQ(docker_container_name("fam", "7", "my_web~x.y", 0), "ecs-fam-7-mywebxy-00000000000000000000");
}

TEST(DockerNames, OfVolumesKeepTheVolumeNameAsItIs) {
    EXPECT_EQ(docker_volume_name("fam", "7", "my_data", 1), "ecs-fam-7-my_data-02000000000000000000");
}

}  // namespace
}  // namespace nodeagent::engine
