#include "runtime/containerd/log_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/files.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/tag.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class LogSetupTest : public testing::Test {
  protected:
    LogSetupTest() {
        options.program = "/usr/libexec/ecs-node-agent/ecs-awslogs";
        container.id = "c1";
        container.spec =
            R"({"process":{"args":["httpd","-p","80"],"env":["PATH=/bin","APP_NAME=shop","APP_TIER=web=1","DB_PASSWORD=s3cret","odd"]}})";
    }
    /// What the logging program is told when the driver json-file has these options.
    logs::LoggerConfig told(const nlohmann::json& log_options) {
        Creation creation;
        creation.name = "ecs-web-1";
        creation.host_config = {{"LogConfig", {{"Type", "json-file"}, {"Config", log_options}}}};
        const auto streams = set_up_logs(options, directory + "/data", directory + "", container, creation);
        EXPECT_TRUE(streams) << streams.error().what;
        const auto config = logs::decode_config(*read_file(logger_config_file(directory + "")));
        EXPECT_TRUE(config);
        return *config;
    }

    fakes::TempDirectory directory;
    LogOptions options;
    Container container;
};

TEST_F(LogSetupTest, TheLoggingProgramGetsNoVariableThatNobodyAskedFor) {
    EXPECT_THAT(told(nlohmann::json::object()).env, IsEmpty());
    EXPECT_EQ(told(nlohmann::json::object()).log_file, json_log_file(directory + "/data", "c1"));
}

TEST_F(LogSetupTest, VariablesAreChosenByName) {
    EXPECT_THAT(told({{"env", "APP_NAME,NOSUCH"}}).env, ElementsAre(Pair("APP_NAME", "shop")));
}

TEST_F(LogSetupTest, VariablesAreChosenByAnExpressionAnywhereInTheirName) {
    EXPECT_THAT(told({{"env-regex", "^APP_"}}).env, ElementsAre(Pair("APP_NAME", "shop"), Pair("APP_TIER", "web=1")));
    EXPECT_THAT(told({{"env-regex", "TIER"}, {"env", "PATH"}}).env,
                ElementsAre(Pair("APP_TIER", "web=1"), Pair("PATH", "/bin")));
    EXPECT_THAT(told({{"env-regex", "shop"}}).env, IsEmpty()) << "values do not count";
}

TEST_F(LogSetupTest, WhatWasChosenIsAddedToEachLine) {
    container.labels = {{"team", "a"}};
    const auto config = told({{"env-regex", "^APP_N"}, {"env", "APP_TIER"}, {"labels", "team"}});
    EXPECT_THAT(logs::extra_attributes(config),
                ElementsAre(Pair("APP_NAME", "shop"), Pair("APP_TIER", "web=1"), Pair("team", "a")));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
