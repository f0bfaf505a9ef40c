#include "agent/net/aws_endpoint.hpp"

namespace nodeagent::net {
namespace {

TEST(AwsEndpoint, FollowsRegionPartitionAndVariant) {
    EXPECT_EQ(resolve_endpoint("ecs", "us-west-2", {}), "https://ecs.us-west-2.amazonaws.com");
    EXPECT_EQ(resolve_endpoint("ecs", "cn-north-1", {}), "https://ecs.cn-north-1.amazonaws.com.cn");
    EXPECT_EQ(resolve_endpoint("ecs", "us-isob-east-1", {}), "https://ecs.us-isob-east-1.sc2s.sgov.gov");
    EXPECT_EQ(resolve_endpoint("ecs", "us-iso-east-1", {}), "https://ecs.us-iso-east-1.c2s.ic.gov");
    EndpointOptions options;
    options.fips = true;
    EXPECT_EQ(resolve_endpoint("ecs", "us-gov-west-1", options), "https://ecs-fips.us-gov-west-1.amazonaws.com");
    options.dualstack = true;
    EXPECT_EQ(resolve_endpoint("ecs", "us-east-1", options), "https://ecs-fips.us-east-1.api.aws");
}

TEST(AwsEndpoint, PrefersTheMostSpecificOverride) {
    const config::Environment environment{{"AWS_ENDPOINT_URL", "http://127.0.0.1:1/"},
                                          {"AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:2"},
                                          {"AWS_USE_FIPS_ENDPOINT", "true"},
                                          {"AWS_USE_DUALSTACK_ENDPOINT", "true"}};
    EndpointOptions options = endpoint_options_from(environment, "ecs");
    EXPECT_TRUE(options.fips);
    EXPECT_TRUE(options.dualstack);
    EXPECT_EQ(resolve_endpoint("ecs", "us-west-2", options), "http://127.0.0.1:2");
    EXPECT_EQ(resolve_endpoint("ec2", "us-west-2", endpoint_options_from(environment, "ec2")), "http://127.0.0.1:1");
    options.explicit_url = "backend.example.com";
    EXPECT_EQ(resolve_endpoint("ecs", "us-west-2", options), "https://backend.example.com");
}

}  // namespace
}  // namespace nodeagent::net
