#include "agent/telemetry/scrape_targets.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/unit/agent/telemetry/prometheus/a_scene.hpp"

namespace nodeagent::telemetry {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

class ScrapeTargetsTest : public testing::Test {
  protected:
    ScrapeTargetsTest() {
        app_.labels = {{"prometheus.io/scrape", "true"}};
        app_.ports = {{.container_port = 9100, .host_port = 32768, .bind_ip = "0.0.0.0", .protocol = "tcp"},
                      {.container_port = 9100, .host_port = 32768, .bind_ip = "::", .protocol = "tcp"},
                      {.container_port = 8125, .host_port = 32769, .bind_ip = "0.0.0.0", .protocol = "udp"},
                      {.container_port = 80, .host_port = 8080, .bind_ip = "0.0.0.0", .protocol = "tcp"}};
    }
    json document(std::string_view address = "10.0.0.5") {
        auto task = task_view({app_});
        task.network_mode = network_mode_;
        task.service_name = "front";
        scene_.show({task});
        return json::parse(scrape_targets(scene_.snapshot, address, "prod"));
    }
    std::vector<std::string> targets(std::string_view address = "10.0.0.5") {
        std::vector<std::string> all;
        for (const json& one : document(address)) all.push_back(one.at("targets").at(0));
        return all;
    }

    AScene scene_;
    model::ContainerView app_ = container_view("app", "aaa");
    std::string network_mode_ = "bridge";
};

TEST_F(ScrapeTargetsTest, EveryPublishedTcpPortIsATargetOnce) {
    EXPECT_THAT(targets(), ElementsAre("10.0.0.5:8080", "10.0.0.5:32768"));
}

TEST_F(ScrapeTargetsTest, LabelsChoosePortAndPath) {
    app_.labels["prometheus.io/port"] = "9100";
    app_.labels["prometheus.io/path"] = "actuator/prometheus";
    EXPECT_EQ(document(), json::parse(R"([{"targets":["10.0.0.5:32768"],"labels":{
        "__meta_ecs_cluster":"prod","__meta_ecs_task_family":"web","__meta_ecs_task_revision":"7",
        "__meta_ecs_task_id":"0123456789abcdef0123456789abcdef",
        "__meta_ecs_task_arn":"arn:aws:ecs:us-west-2:123456789012:task/prod/0123456789abcdef0123456789abcdef",
        "__meta_ecs_service":"front","__meta_ecs_container":"app","__meta_ecs_container_id":"aaa",
        "__meta_ecs_container_port":"9100","__metrics_path__":"/actuator/prometheus"}}])"));
}

TEST_F(ScrapeTargetsTest, OnlyRunningContainersThatAskForItAreTargets) {
    app_.labels["prometheus.io/scrape"] = "false";
    EXPECT_THAT(targets(), IsEmpty());
    app_.labels["prometheus.io/scrape"] = "true";
    app_.known = model::ContainerStatus::Stopped;
    EXPECT_THAT(targets(), IsEmpty());
    app_.known = model::ContainerStatus::Running;
    app_.labels["prometheus.io/port"] = "9999";
    EXPECT_THAT(targets(), IsEmpty()) << "a port that is not published";
}

TEST_F(ScrapeTargetsTest, APortOfALoopbackAddressIsToldToThisMachineOnly) {
    app_.ports = {{.container_port = 80, .host_port = 8080, .bind_ip = "127.0.0.1", .protocol = "tcp"}};
    EXPECT_THAT(targets("10.0.0.5"), IsEmpty());
    EXPECT_THAT(targets("localhost"), ElementsAre("127.0.0.1:8080"));
    app_.ports[0].bind_ip = "10.1.2.3";
    EXPECT_THAT(targets("10.0.0.5"), ElementsAre("10.1.2.3:8080"));
}

TEST_F(ScrapeTargetsTest, IPv6HasPortsOfItsOwn) {
    app_.ports = {{.container_port = 80, .host_port = 32768, .bind_ip = "0.0.0.0", .protocol = "tcp"},
                  {.container_port = 80, .host_port = 32770, .bind_ip = "::", .protocol = "tcp"}};
    EXPECT_THAT(targets("[fd00::5]"), ElementsAre("[fd00::5]:32770"));
    EXPECT_THAT(targets("10.0.0.5"), ElementsAre("10.0.0.5:32768"));
}

TEST_F(ScrapeTargetsTest, OnTheHostsNetworkTheContainersPortsAreTheMachines) {
    network_mode_ = "host";
    app_.ports.clear();
    app_.payload_ports.resize(2);
    app_.payload_ports[0].container_port = 9100;
    app_.payload_ports[1].container_port = 53;
    app_.payload_ports[1].protocol = "udp";
    EXPECT_THAT(targets(), ElementsAre("10.0.0.5:9100"));
}

TEST(HostPart, IsTheHostHeaderWithoutItsPort) {
    EXPECT_EQ(host_part("10.0.0.5:51680"), "10.0.0.5");
    EXPECT_EQ(host_part("node-1.example"), "node-1.example");
    EXPECT_EQ(host_part("[fd00::5]:51680"), "[fd00::5]");
    for (const char* bad : {"", ":51680", "[fd00::5", "[no]:1", "a b", "<script>", "a/b"})
        EXPECT_EQ(host_part(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace nodeagent::telemetry
