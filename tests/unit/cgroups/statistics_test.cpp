#include "cgroups/statistics.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/cgroup_tree.hpp"

namespace nodeagent::cgroups {
namespace {

using fakes::CgroupTree;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Hierarchy hierarchy_of(const CgroupTree& tree) { return *detect_hierarchy(tree.root(), Driver::Cgroupfs); }

TEST(Statistics, OfVersionOneComeFromEveryController) {
    CgroupTree tree(Version::V1);
    tree.put("cpu/cpu.stat", "nr_periods 7\nnr_throttled 2\nthrottled_time 123\n");
    tree.put("cpuacct/cpuacct.usage", "34519697\n");
    tree.put("cpuacct/cpuacct.usage_percpu", "22237158 12282539 \n");
    tree.put("cpuacct/cpuacct.stat", "user 1\nsystem 3\n");
    tree.put("memory/memory.usage_in_bytes", "335872\n");
    tree.put("memory/memory.max_usage_in_bytes", "3559424\n");
    tree.put("memory/memory.limit_in_bytes", "50331648\n");
    tree.put("memory/memory.failcnt", "5\n");
    tree.put("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    tree.put("memory/memory.stat",
             "cache 1\nrss 2\ntotal_cache 4096\ntotal_rss 53248\ntotal_inactive_file 10\ntotal_pgfault 1578\n");
    tree.put("pids/pids.current", "3\n");
    tree.put("pids/pids.max", "100\n");
    tree.put("blkio/blkio.throttle.io_service_bytes_recursive",
             "8:0 Read 4096\n8:0 Write 10\n8:0 Total 4106\nTotal 4106\n");
    tree.put("blkio/blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
    auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
    ASSERT_TRUE(reader);
    Statistics seen;
    ASSERT_TRUE(reader->read(seen));
    EXPECT_EQ(seen.cpu.usage_ns, 34519697U);
    EXPECT_THAT(seen.cpu.per_cpu_ns, ElementsAre(22237158U, 12282539U));
    EXPECT_EQ(seen.cpu.user_ns, 10'000'000U);
    EXPECT_EQ(seen.cpu.kernel_ns, 30'000'000U);
    EXPECT_EQ(seen.cpu.periods, 7U);
    EXPECT_EQ(seen.cpu.throttled_periods, 2U);
    EXPECT_EQ(seen.cpu.throttled_ns, 123U);
    EXPECT_EQ(seen.memory.usage, 335872U);
    EXPECT_EQ(seen.memory.max_usage, 3559424U);
    EXPECT_EQ(seen.memory.limit, 50331648U);
    EXPECT_EQ(seen.memory.fail_count, 5U);
    EXPECT_EQ(seen.memory.oom_kills, 1U);
    EXPECT_EQ(seen.memory.cache, 4096U);
    EXPECT_EQ(seen.memory.rss, 53248U);
    EXPECT_EQ(seen.memory.page_faults, 1578U);
    EXPECT_EQ(seen.pids.current, 3U);
    EXPECT_EQ(seen.pids.limit, 100U);
    EXPECT_THAT(seen.io.devices, ElementsAre(IoStatistics::Device{8, 0, 4096, 10, 1, 2}));
    EXPECT_EQ(seen.memory.working_set(Version::V1), 335872U - 4096U);
}

TEST(Statistics, OfVersionTwoComeFromOneDirectory) {
    CgroupTree tree(Version::V2);
    tree.put("cpu.stat",
             "usage_usec 1137691\nuser_usec 810\nsystem_usec 80\nnr_periods 3\nnr_throttled 1\nthrottled_usec 9\n");
    tree.put("memory.current", "6504448\n");
    tree.put("memory.peak", "7000000\n");
    tree.put("memory.max", "max\n");
    tree.put("memory.stat", "anon 3063808\nfile 3440640\ninactive_file 3440640\npgfault 7\npgmajfault 1\n");
    tree.put("memory.events", "low 0\nhigh 0\nmax 4\noom 1\noom_kill 2\n");
    tree.put("pids.current", "3\n");
    tree.put("pids.max", "max\n");
    tree.put("io.stat", "202:26368 rbytes=638976 wbytes=5 rios=3 wios=1 dbytes=0 dios=0\n8:0 rbytes=1\n");
    auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
    ASSERT_TRUE(reader);
    Statistics seen;
    ASSERT_TRUE(reader->read(seen));
    EXPECT_EQ(seen.cpu.usage_ns, 1137691000U);
    EXPECT_EQ(seen.cpu.throttled_ns, 9000U);
    EXPECT_EQ(seen.memory.limit, MemoryStatistics::kNoLimit);
    EXPECT_EQ(seen.memory.max_usage, 7000000U);
    EXPECT_EQ(seen.memory.oom_kills, 2U);
    EXPECT_EQ(seen.memory.working_set(Version::V2), 6504448U - 3440640U);
    EXPECT_THAT(seen.io.devices,
                ElementsAre(IoStatistics::Device{202, 26368, 638976, 5, 3, 1}, IoStatistics::Device{8, 0, 1, 0, 0, 0}));
    EXPECT_EQ(seen.io.read_bytes(), 638977U);
}

TEST(Statistics, ASecondPassSeesNewNumbersAndForgetsOldOnes) {
    CgroupTree tree(Version::V2);
    tree.put("memory.current", "1000\n");
    tree.put("io.stat", "8:0 rbytes=1\n");
    auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
    Statistics seen;
    ASSERT_TRUE(reader->read(seen));
    tree.put("memory.current", "77\n");
    tree.put("io.stat", "");
    ASSERT_TRUE(reader->read(seen));
    EXPECT_EQ(seen.memory.usage, 77U);
    EXPECT_TRUE(seen.io.devices.empty());
}

TEST(Statistics, OfAControllerThatIsAbsentStayZero) {
    CgroupTree tree(Version::V1);
    std::filesystem::remove_all(tree.root() + "/pids");
    auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
    Statistics seen;
    seen.pids.current = 9;
    ASSERT_TRUE(reader->read(seen));
    EXPECT_EQ(seen.pids.current, 0U);
}

TEST(Statistics, OfACgroupThatDoesNotExistAreNotFound) {
    const CgroupTree tree(Version::V1);
    const auto reader = StatisticsReader::open(hierarchy_of(tree), "/ecs/none");
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(reader.error().what, HasSubstr("/ecs/none"));
}

TEST(Statistics, ALineThatIsCutOffOrStrangeIsNoNumber) {
    CpuStatistics cpu;
    parse_cpu_stat_v2("usage_usec\nuser_usec abc\n\nsystem_usec 5", cpu);
    EXPECT_EQ(cpu.usage_ns, 0U);
    EXPECT_EQ(cpu.user_ns, 0U);
    EXPECT_EQ(cpu.kernel_ns, 5000U);
    IoStatistics io;
    parse_io_stat("8:0 rbytes wbytes=\nnonsense\n", io);
    EXPECT_EQ(io.read_bytes() + io.write_bytes(), 0U);
}

}  // namespace
}  // namespace nodeagent::cgroups
