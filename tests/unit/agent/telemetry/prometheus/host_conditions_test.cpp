#include "agent/telemetry/host_conditions.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::telemetry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HostConditionsTest : public testing::Test {
  protected:
    HostConditionsTest() {
        std::filesystem::create_directory(proc_ + "/pressure");
        put("meminfo", "MemTotal:       1024000 kB\nMemFree:          1000 kB\nMemAvailable:    512000 kB\n");
        put("loadavg", "0.50 1.25 2.00 3/402 12345\n");
        put("pressure/io",
            "some avg10=0.00 avg60=30.50 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=4.00 avg300=0.00 "
            "total=500000\n");
    }
    void put(const std::string& name, const std::string& text) { std::ofstream(proc_ + "/" + name) << text; }
    model::HostConditions look() {
        return look_at_host({.data_dir = proc_, .docker_root = "", .proc = proc_}, HostMarks{});
    }
    fakes::TempDirectory proc_;
};

TEST_F(HostConditionsTest, ReadsWhatTheKernelTells) {
    const model::HostConditions host = look();
    ASSERT_EQ(host.disks.size(), 1U) << "the runtime has not told its folder";
    EXPECT_EQ(host.disks[0].use, "data");
    EXPECT_GT(host.disks[0].bytes_total, host.disks[0].bytes_free);
    EXPECT_EQ(host.memory_total, 1024000ULL * 1024);
    EXPECT_EQ(host.memory_available, 512000ULL * 1024);
    ASSERT_TRUE(host.load);
    EXPECT_THAT(*host.load, ElementsAre(0.5, 1.25, 2));
    ASSERT_EQ(host.pressures.size(), 1U);
    EXPECT_EQ(host.pressures[0].resource, "io");
    EXPECT_EQ(host.pressures[0].some_percent, 30.5);
    EXPECT_EQ(host.pressures[0].full_seconds, 0.5);
}

TEST_F(HostConditionsTest, WhatCannotBeReadIsAbsent) {
    for (const char* name : {"meminfo", "loadavg", "pressure/io"}) std::filesystem::remove(proc_ + "/" + name);
    const model::HostConditions host =
        look_at_host({.data_dir = "/no/such/folder", .docker_root = "", .proc = proc_}, HostMarks{});
    EXPECT_THAT(host.disks, IsEmpty());
    EXPECT_EQ(host.memory_total, 0U);
    EXPECT_FALSE(host.load);
    EXPECT_THAT(host.pressures, IsEmpty());
    EXPECT_THAT(host.short_of, IsEmpty());
}

TEST(Shortages, SayWhatIsShortInWords) {
    model::HostConditions host;
    host.disks = {{.use = "docker", .path = "/var/lib/docker", .bytes_percent = 91, .inodes_percent = 12},
                  {.use = "data", .path = "/data", .bytes_percent = 84, .inodes_percent = 99}};
    host.memory_total = 1000 << 20;
    host.memory_available = 40 << 20;
    host.pressures = {{.resource = "cpu", .full_percent = 90}, {.resource = "io", .full_percent = 25}};
    find_shortages(host, HostMarks{.disk = {.high = 85, .low = 80}});
    ASSERT_EQ(host.short_of.size(), 4U);
    EXPECT_EQ(host.short_of[0].of, "disk");
    EXPECT_EQ(host.short_of[0].why, "disk of /var/lib/docker: 91% in use, which is at or above 85%");
    EXPECT_EQ(host.short_of[1].of, "inodes");
    EXPECT_THAT(host.short_of[1].why, HasSubstr("/data"));
    EXPECT_EQ(host.short_of[2].of, "memory");
    EXPECT_EQ(host.short_of[3].of, "io_pressure");
    EXPECT_THAT(host.short_of[3].why, HasSubstr("25% of the last minute"));
}

TEST(Shortages, BeginWhereTheImageCleanUpBegins) {
    model::HostConditions host;
    host.disks = {{.use = "docker", .path = "/d", .bytes_percent = 90}};
    find_shortages(host, HostMarks{.disk = {.high = 92, .low = 80}});
    EXPECT_THAT(host.short_of, IsEmpty());
    find_shortages(host, HostMarks{.disk = {.high = 90, .low = 80}});
    EXPECT_EQ(host.short_of.size(), 1U);
    find_shortages(host, HostMarks{.disk = {.high = 0, .low = 0}});
    EXPECT_THAT(host.short_of, IsEmpty()) << "turned off: 95% counts";
}

}  // namespace
}  // namespace nodeagent::telemetry
