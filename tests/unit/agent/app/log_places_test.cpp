#include "agent/log_places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent {
namespace {

using runtime::logs::LoggerConfig;
using testing::HasSubstr;

class LogPlacesTest : public testing::Test {
  protected:
    LogPlacesTest() {
        surroundings.region = "eu-west-1";
        surroundings.docker_host = "unix:///var/run/docker.sock";
        surroundings.containerd_folder = "/data/containerd/containers";
        model::ContainerView container;
        container.name = "web";
        container.docker_id = "c1";
        container.docker_name = "ecs-web-1";
        container.known = model::ContainerStatus::Running;
        container.log_driver = "awslogs";
        container.log_options = {{"awslogs-group", "shop"}, {"splunk-token", "s3cret"}};
        task.arn = "arn:aws:ecs:eu-west-1:1:task/c/t1";
        task.containers = {container};
    }
    metadata::ContainerLogs place(const std::string& runtime = "docker") {
        return task_logs(task, runtime, surroundings, [this](const std::string&) { return told; }).containers.front();
    }
    std::map<std::string, std::string>& options() { return task.containers.front().log_options; }

    LogSurroundings surroundings;
    model::TaskView task;
    std::optional<LoggerConfig> told;
};

TEST_F(LogPlacesTest, OfAwslogsAreGroupStreamAndRegionAndNoOtherOption) {
    const auto place_of_it = place();
    EXPECT_EQ(place_of_it.driver, "awslogs");
    EXPECT_EQ(place_of_it.group, "shop");
    EXPECT_EQ(place_of_it.stream, "c1") << "Docker's default: the container's id";
    EXPECT_EQ(place_of_it.region, "eu-west-1") << "the agent's";
    EXPECT_EQ(place_of_it.endpoint, "");
    options()["awslogs-stream"] = "web/web/t1";
    options()["awslogs-region"] = "us-east-1";
    options()["awslogs-endpoint"] = "http://127.0.0.1:1";
    EXPECT_EQ(place().stream, "web/web/t1");
    EXPECT_EQ(place().region, "us-east-1");
    EXPECT_EQ(place().endpoint, "http://127.0.0.1:1");
    const auto all = task_logs(task, "docker", surroundings, [](const std::string&) { return std::nullopt; });
    EXPECT_THAT(metadata::task_logs_document(all).body, testing::Not(HasSubstr("s3cret")));
}

TEST_F(LogPlacesTest, TheStreamMayComeFromATag) {
    options()["tag"] = "{{.Name}}-x";
    EXPECT_EQ(place().stream, "ecs-web-1-x");
    options()["tag"] = "{{.Command}}";
    EXPECT_EQ(place().stream, "");
    EXPECT_THAT(place().problem, HasSubstr("the log option tag \"{{.Command}}\", which the agent cannot work out"));
}

TEST_F(LogPlacesTest, OnAHostWithIPv6OnlyTheEndpointIsTheDualstackOne) {
    surroundings.dualstack = true;
    EXPECT_EQ(place().endpoint, "https://logs.eu-west-1.api.aws");
}

TEST_F(LogPlacesTest, OnContainerdTheLoggingProgramsConfigurationCounts) {
    told.emplace();
    told->driver = "awslogs";
    told->command = "httpd";
    told->options = {{"awslogs-group", "told"}, {"tag", "{{.Command}}"}};
    EXPECT_EQ(place("containerd").group, "told");
    EXPECT_EQ(place("containerd").stream, "httpd");
    EXPECT_EQ(place("docker").group, "shop");
}

TEST_F(LogPlacesTest, OnContainerdTheEndpointIsTheOneThatTheLoggingProgramWasTold) {
    told.emplace();
    told->driver = "awslogs";
    told->endpoint = "https://logs.internal";
    EXPECT_EQ(place("containerd").endpoint, "https://logs.internal");
    told->options["awslogs-endpoint"] = "http://127.0.0.1:1";
    EXPECT_EQ(place("containerd").endpoint, "http://127.0.0.1:1");
}

TEST_F(LogPlacesTest, OnContainerdTheDefaultIsAFile) {
    task.containers.front().log_driver = "";
    EXPECT_EQ(place("containerd").driver, "json-file");
    EXPECT_EQ(place("containerd").path, "/data/containerd/containers/c1/c1-json.log");
    EXPECT_EQ(place("docker").driver, "") << "Docker's own default";
    EXPECT_EQ(place("docker").path, "");
}

TEST_F(LogPlacesTest, OfAContainerThatWasNotCreatedThereIsNone) {
    task.containers.front().docker_id = "";
    EXPECT_EQ(place("containerd").container_id, "");
    EXPECT_EQ(place("containerd").group, "");
}

}  // namespace
}  // namespace nodeagent
