#include <gmock/gmock.h>

#include "tests/unit/runtime/containerd_oci/spec_fixture.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

class DevicesTest : public SpecTest {
  protected:
    Json rules() { return made().at("linux").at("resources").at("devices"); }
    Json nodes() { return made().at("linux").value("devices", Json::array()); }
};

TEST_F(DevicesTest, EverythingIsDeniedButWhatEveryContainerHas) {
    EXPECT_EQ(nodes(), Json::array());
    const Json all = rules();
    EXPECT_EQ(all.front(), Json::parse(R"({"allow":false,"access":"rwm"})"));
    EXPECT_EQ(all.size(), 7U);
    EXPECT_EQ(all[1], Json::parse(R"({"allow":true,"type":"c","major":1,"minor":5,"access":"rwm"})"));
}

TEST_F(DevicesTest, ADeviceIsThereAndAllowed) {
    host = Json::parse(
        R"({"Devices":[{"PathOnHost":"/dev/sda","PathInContainer":"/dev/disk","CgroupPermissions":"rw"}]})");
    EXPECT_EQ(nodes(),
              Json::parse(R"([{"path":"/dev/disk","type":"b","major":8,"minor":0,"fileMode":432,"uid":0,"gid":6}])"));
    EXPECT_EQ(rules().back(), Json::parse(R"({"allow":true,"type":"b","major":8,"minor":0,"access":"rw"})"));
}

TEST_F(DevicesTest, WithoutMoreADeviceKeepsItsPathAndMayBeUsedFully) {
    host = Json::parse(R"({"Devices":[{"PathOnHost":"/dev/fuse"}]})");
    EXPECT_EQ(nodes().front().at("path"), "/dev/fuse");
    EXPECT_EQ(rules().back().at("access"), "rwm");
}

TEST_F(DevicesTest, AFolderMeansAllDevicesInIt) {
    host = Json::parse(
        R"({"Devices":[{"PathOnHost":"/dev/snd","PathInContainer":"/dev/audio","CgroupPermissions":"r"}]})");
    const Json all = nodes();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].at("path"), "/dev/audio/pcm");
    EXPECT_EQ(all[1].at("path"), "/dev/audio/timer");
    EXPECT_EQ(rules().size(), 9U);
}

TEST_F(DevicesTest, RulesOpenWhatIsNotThereYet) {
    host = Json::parse(R"({"DeviceCgroupRules":["c 10:* rm","a *:* rwm"]})");
    const Json all = rules();
    EXPECT_EQ(all[7], Json::parse(R"({"allow":true,"type":"c","major":10,"minor":-1,"access":"rm"})"));
    EXPECT_EQ(all[8], Json::parse(R"({"allow":true,"type":"a","major":-1,"minor":-1,"access":"rwm"})"));
}

TEST_F(DevicesTest, APrivilegedContainerHasAllOfTheHost) {
    host = Json::parse(R"({"Privileged":true,"Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse"},
                                                        {"PathOnHost":"/dev/sda","PathInContainer":"/dev/again"}]})");
    EXPECT_EQ(rules(), Json::parse(R"([{"allow":true,"access":"rwm"}])"));
    const Json all = nodes();
    ASSERT_EQ(all.size(), 6U);
    EXPECT_EQ(all.back().at("path"), "/dev/again");
}

TEST_F(DevicesTest, WhatIsNoDeviceIsRefused) {
    host =
        Json::parse(R"({"Devices":[{"PathOnHost":"/dev/none","PathInContainer":"/dev/x","CgroupPermissions":"rwm"}]})");
    EXPECT_EQ(refusal(),
              "error gathering device information while adding custom device \"/dev/none\": no such file or "
              "directory");
    host = Json::parse(R"({"Devices":[{"PathOnHost":"/dev/fuse","CgroupPermissions":"rx"}]})");
    EXPECT_EQ(refusal(), "invalid device mode: rx");
    for (const char* rule : {"", "c 1:2", "d 1:2 r", "c 1 r", "c 1:2 x", "c -1:2 r", "c 1:2:3 r", "c 1:2 rwmr"}) {
        host = {{"DeviceCgroupRules", {rule}}};
        EXPECT_EQ(refusal(), "invalid device cgroup rule format: '" + std::string(rule) + "'");
    }
}

TEST(HostDevices, FindsWhatEveryHostHas) {
    const auto found = host_devices().at("/dev/null");
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().type, 'c');
    EXPECT_EQ(found->front().major, 1);
    EXPECT_EQ(found->front().minor, 3);
    EXPECT_FALSE(host_devices().at("/dev/no-such-device"));
    EXPECT_FALSE(host_devices().at("/etc/passwd"));
    bool has_null = false;
    for (const Device& device : host_devices().all()) {
        has_null = has_null || device.path == "/dev/null";
        EXPECT_FALSE(device.path.starts_with("/dev/pts/")) << device.path;
    }
    EXPECT_TRUE(has_null);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
