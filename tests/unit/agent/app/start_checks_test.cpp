#include "agent/start_checks.hpp"

namespace nodeagent {
namespace {

engine::StoredState saved(const std::string& cluster, const std::string& instance_id) {
    engine::StoredState stored;
    stored.metadata[std::string(engine::kContainerInstanceArnKey)] = "arn:aws:ecs:us-west-2:1:container-instance/c/1";
    stored.metadata[std::string(engine::kClusterKey)] = cluster;
    stored.metadata[std::string(engine::kEc2InstanceIdKey)] = instance_id;
    return stored;
}

TEST(StartChecks, AnEmptyStoreIsAFreshStart) { EXPECT_EQ(compare_identity({}, "prod", "i-1"), Identity::Fresh); }

TEST(StartChecks, TheSameMachineAndClusterGoOn) {
    EXPECT_EQ(compare_identity(saved("prod", "i-1"), "prod", "i-1"), Identity::Same);
    EXPECT_EQ(compare_identity(saved("prod", "i-1"), "prod", ""), Identity::Same)
        << "no answer from the metadata service: assume the saved id";
    EXPECT_EQ(compare_identity(saved("default", ""), "", "i-1"), Identity::Same)
        << "an empty cluster is the default one";
}

TEST(StartChecks, ADiskThatMovedIsAnotherMachineWhateverItsCluster) {
    EXPECT_EQ(compare_identity(saved("prod", "i-1"), "other", "i-2"), Identity::OtherMachine);
}

TEST(StartChecks, AnotherClusterIsRefused) {
    EXPECT_EQ(compare_identity(saved("prod", "i-1"), "other", "i-1"), Identity::OtherCluster);
}

TEST(StartChecks, OnlyACloudInitWithoutDataSourceButWithUserDataIsRefused) {
    const std::string none = R"({"v1":{"datasource":"DataSourceNone"}})";
    EXPECT_TRUE(cloud_init_missed_user_data(none, "#!/bin/sh"));
    EXPECT_FALSE(cloud_init_missed_user_data(none, ""));
    EXPECT_FALSE(cloud_init_missed_user_data(R"({"v1":{"datasource":"DataSourceEc2"}})", "#!/bin/sh"));
    EXPECT_FALSE(cloud_init_missed_user_data("", "#!/bin/sh"));
    EXPECT_FALSE(cloud_init_missed_user_data("[1]", "#!/bin/sh"));
}

TEST(StateRemedy, NamesTheDirectoryOrTheOtherAgent) {
    using testing::HasSubstr;
    EXPECT_THAT(state_remedy(ErrorKind::Conflict, "/data"), HasSubstr("other agent"));
    EXPECT_THAT(state_remedy(ErrorKind::Denied, "/data"), HasSubstr("write to /data"));
    EXPECT_THAT(state_remedy(ErrorKind::Unavailable, "/data"), HasSubstr("space on the disk of /data"));
    EXPECT_THAT(state_remedy(ErrorKind::Internal, "/data"), HasSubstr("/data"));
}

}  // namespace
}  // namespace nodeagent
