#include "agent/standing.hpp"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

TEST(Standing, SaysWhoWeAreAndWhatIsMissing) {
    ecs::Registered instance;
    instance.container_instance_arn = "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0a1b";
    instance.cluster = "bench";
    Standing standing{.instance = instance, .connected = true, .runtime_reachable = true};
    EXPECT_EQ(in_one_sentence(standing), "container instance 0a1b of cluster bench, connected to ECS");
    standing.connected = false;
    standing.runtime_reachable = false;
    EXPECT_EQ(in_one_sentence(standing),
              "container instance 0a1b of cluster bench, not connected to ECS, trying; Docker does not answer");
}

}  // namespace
}  // namespace nodeagent
