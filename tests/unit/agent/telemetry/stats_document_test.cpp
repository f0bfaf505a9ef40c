#include "agent/telemetry/stats_document.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/files.hpp"

namespace nodeagent::telemetry {
namespace {

using cgroups::Version;
using nlohmann::ordered_json;
using Operation = cgroups::IoStatistics::Operation;
using ::testing::HasSubstr;
using ::testing::Not;

ordered_json recorded() {
    return ordered_json::parse(*read_file(std::string(NODEAGENT_TEST_DATA) + "/telemetry/stats_v1.json"));
}

void fill_cpu(const ordered_json& shown, Usage& into) {
    into.cgroup.cpu.usage_ns = shown["cpu_usage"]["total_usage"];
    into.cgroup.cpu.per_cpu_ns = shown["cpu_usage"]["percpu_usage"].get<std::vector<std::uint64_t>>();
    into.cgroup.cpu.kernel_ns = shown["cpu_usage"]["usage_in_kernelmode"];
    into.cgroup.cpu.user_ns = shown["cpu_usage"]["usage_in_usermode"];
    into.system_cpu_ns = shown["system_cpu_usage"];
}

TEST(StatsDocument, HasTheRecordedKeysInTheRecordedOrder) {
    ordered_json golden = recorded();
    Usage now;
    now.read = WallTime(std::chrono::milliseconds(1'767'225'601'250));
    fill_cpu(golden["cpu_stats"], now);
    now.cgroup.pids.current = 1;
    now.cgroup.memory.usage = golden["memory_stats"]["usage"];
    now.cgroup.memory.max_usage = golden["memory_stats"]["max_usage"];
    now.cgroup.memory.limit = golden["memory_stats"]["limit"];
    const auto names = cgroups::memory_counters(Version::V1);
    for (std::size_t i = 0; i < names.size(); ++i)
        now.cgroup.memory.counters[i] = golden["memory_stats"]["stats"][std::string(names[i])];
    const ordered_json& eth0 = golden["networks"]["eth0"];
    now.interfaces = {{"eth0",
                       {.rx_bytes = eth0["rx_bytes"],
                        .rx_packets = eth0["rx_packets"],
                        .tx_bytes = eth0["tx_bytes"],
                        .tx_packets = eth0["tx_packets"]}}};
    Usage before;
    before.read = WallTime(std::chrono::seconds(1'767'225'600));
    fill_cpu(golden["precpu_stats"], before);

    golden["read"] = "2026-01-01T00:00:01.25Z";
    golden["preread"] = "2026-01-01T00:00:00Z";
    golden["name"] = "/ecs-web";
    golden["id"] = "abc";
    EXPECT_EQ(stats_document({.name = "ecs-web", .id = "abc", .version = Version::V1, .online_cpus = 2}, now, &before),
              golden.dump());
}

TEST(StatsDocument, OfTheFirstReadingHasAnEmptyOneBeforeIt) {
    const std::string document = stats_document({.name = "n", .id = "i"}, Usage{}, nullptr);
    EXPECT_THAT(document, HasSubstr(R"("preread":"0001-01-01T00:00:00Z")"));
    EXPECT_THAT(document, HasSubstr(R"("precpu_stats":{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,)"
                                    R"("usage_in_usermode":0},"throttling_data":)"));
}

TEST(StatsDocument, OfVersionTwoIsAsDockersIs) {
    Usage now;
    now.cgroup.io.bytes = {{202, 1, Operation::Read, 638976}, {202, 1, Operation::Write, 0}};
    now.cgroup.io.requests = {{202, 1, Operation::Read, 3}, {202, 1, Operation::Write, 0}};
    now.cgroup.memory.max_usage = 9;
    now.cgroup.memory.oom_events = 2;
    now.cgroup.memory.fail_count = 50;
    const std::string document = stats_document(
        {.name = "n", .id = "i", .version = Version::V2, .online_cpus = 4, .machine_memory = 4096}, now, nullptr);
    const ordered_json shown = ordered_json::parse(document);
    EXPECT_EQ(shown["blkio_stats"]["io_service_bytes_recursive"].dump(),
              R"([{"major":202,"minor":1,"op":"read","value":638976},{"major":202,"minor":1,"op":"write","value":0}])");
    EXPECT_TRUE(shown["blkio_stats"]["io_serviced_recursive"].is_null());
    EXPECT_TRUE(shown["blkio_stats"]["sectors_recursive"].is_null());
    EXPECT_FALSE(shown["cpu_stats"]["cpu_usage"].contains("percpu_usage"));
    EXPECT_FALSE(shown["memory_stats"].contains("max_usage"));
    EXPECT_EQ(shown["memory_stats"]["failcnt"], 2);
    EXPECT_EQ(shown["memory_stats"]["limit"], 4096) << "without a limit, the machine's memory";
    EXPECT_EQ(shown["memory_stats"]["stats"].size(), 31U);
    EXPECT_EQ(shown["pids_stats"]["limit"], UINT64_MAX);
}

TEST(StatsDocument, LeavesOutWhatDockerLeavesOut) {
    Usage now;
    const std::string document = stats_document({.name = "n", .id = "i", .version = Version::V1}, now, nullptr);
    EXPECT_THAT(document, HasSubstr(R"("pids_stats":{},)"));
    EXPECT_THAT(document, Not(HasSubstr("networks")));
    EXPECT_THAT(document, Not(HasSubstr("failcnt")));
    EXPECT_THAT(document, HasSubstr(R"("io_service_bytes_recursive":[],"io_serviced_recursive":[])"));
}

TEST(StatsDocument, SortsInterfacesByName) {
    Usage now;
    now.interfaces = {{"eth1", {}}, {"eth0", {}}};
    const std::string document = stats_document({.name = "n", .id = "i"}, now, nullptr);
    EXPECT_LT(document.find("\"eth0\""), document.find("\"eth1\""));
}

}  // namespace
}  // namespace nodeagent::telemetry
