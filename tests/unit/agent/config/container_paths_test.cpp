#include "agent/config/container_paths.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_files.hpp"

namespace nodeagent::config {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class ContainerPathsTest : public testing::Test {
  protected:
    std::string on_host(std::string_view path, bool in_container = false) {
        const ContainerPaths paths([this](const std::string& one) { return there.contains(one); }, in_container);
        return paths.on_host(path).value_or("as it is");
    }
    std::set<std::string> there;
};

TEST_F(ContainerPathsTest, EveryMountOfTheReferencesContainerIsKnown) {
    EXPECT_EQ(on_host("/data"), "/var/lib/ecs/data");
    EXPECT_EQ(on_host("/data/"), "/var/lib/ecs/data/");
    EXPECT_EQ(on_host("/log/ecs-agent.log"), "/var/log/ecs/ecs-agent.log");
    EXPECT_EQ(on_host("/managed-agents/x"), "/var/lib/ecs/deps/x");
    EXPECT_EQ(on_host("/rotatingcreds/credentials"), "/root/.aws/credentials");
    EXPECT_EQ(on_host("/host/proc/1/ns/net"), "/proc/1/ns/net");
}

TEST_F(ContainerPathsTest, OtherPathsAreTheHosts) {
    for (const char* path : {"", "/", "/database", "/data2/x", "/var/lib/ecs/data", "data", "/host/process"}) {
        EXPECT_EQ(on_host(path), "as it is") << path;
    }
}

TEST_F(ContainerPathsTest, ADirectoryOfTheHostIsMeantUnlessTheStateIsElsewhere) {
    there = {"/data"};
    EXPECT_EQ(on_host("/data"), "as it is");
    EXPECT_EQ(on_host("/log"), "/var/log/ecs") << "each mount by itself";
    for (const char* state : {"agent.db", "agent.db.migrated", "ecs-node-agent.db"}) {
        there = {"/data", std::string("/var/lib/ecs/data/") + state};
        EXPECT_EQ(on_host("/data"), "/var/lib/ecs/data") << state;
        there.insert("/data/ecs-node-agent.db");
        EXPECT_EQ(on_host("/data"), "as it is") << "this agent's own state is there";
    }
}

TEST_F(ContainerPathsTest, AnAgentInAContainerMeansWhatItSays) { EXPECT_EQ(on_host("/data", true), "as it is"); }

TEST_F(ContainerPathsTest, SettingsThatWereCarriedOverAreReadSoAndAWarningSaysIt) {
    HostFiles host;
    FakeInstance instance;
    Environment environment{{"AWS_DEFAULT_REGION", "us-west-2"},
                            {"ECS_DATADIR", "/data"},
                            {"ECS_LOGFILE", "/log/ecs-agent.log"},
                            {"ECS_AUDIT_LOGFILE", "/var/log/audit"}};
    Surroundings surroundings;
    surroundings.read_file = host.reader();
    surroundings.instance = &instance;
    const Examination examined = examine(environment, surroundings);
    EXPECT_EQ(examined.loaded.config.data_dir, "/var/lib/ecs/data");
    EXPECT_TRUE(examined.loaded.config.checkpoint);
    EXPECT_EQ(examined.loaded.config.log_file, "/var/log/ecs/ecs-agent.log");
    EXPECT_EQ(examined.loaded.config.audit_logfile, "/var/log/audit");
    EXPECT_THAT(examined.loaded.warnings,
                Contains(HasSubstr("ECS_DATADIR (environment): /data is a path in amazon-ecs-agent's container; on this "
                                   "host it is /var/lib/ecs/data, which is used")));
    for (const EffectiveSetting& line : examined.loaded.settings) {
        if (line.name == "ECS_DATADIR") {
            EXPECT_EQ(line.value, "/var/lib/ecs/data");
        }
    }
    environment["ECS_HOST_DATA_DIR"] = "/var/lib/ecs";
    EXPECT_EQ(examine(environment, surroundings).loaded.config.data_dir, "/data");
}

}  // namespace
}  // namespace nodeagent::config
