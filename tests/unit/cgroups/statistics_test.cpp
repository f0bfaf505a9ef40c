#include "cgroups/statistics.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/fakes/cgroup_tree.hpp"

namespace nodeagent::cgroups {
namespace {

using fakes::CgroupTree;
using Entry = IoStatistics::Entry;
using Operation = IoStatistics::Operation;
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
             "cache 1\nrss 2\nshmem 9\ntotal_cache 4096\ntotal_rss 53248\ntotal_inactive_file 10\ntotal_pgfault 1578\n");
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
    EXPECT_EQ(seen.memory.counter(Version::V1, "total_cache"), 4096U);
    EXPECT_EQ(seen.memory.counter(Version::V1, "total_rss"), 53248U);
    EXPECT_EQ(seen.memory.counter(Version::V1, "total_pgfault"), 1578U);
    EXPECT_EQ(seen.memory.counter(Version::V1, "writeback"), 0U);
    EXPECT_EQ(seen.memory.counter(Version::V1, "no_such_counter"), 0U);
    EXPECT_EQ(seen.pids.current, 3U);
    EXPECT_EQ(seen.pids.limit, 100U);
    EXPECT_THAT(seen.io.bytes, ElementsAre(Entry{8, 0, Operation::Read, 4096}, Entry{8, 0, Operation::Write, 10},
                                           Entry{8, 0, Operation::Total, 4106}));
    EXPECT_THAT(seen.io.requests, ElementsAre(Entry{8, 0, Operation::Read, 1}, Entry{8, 0, Operation::Write, 2}));
    EXPECT_EQ(seen.memory.working_set(Version::V1), 335872U - 1U);
    EXPECT_FALSE(seen.cpu_pressure);
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
    tree.put("memory.pressure",
             "some avg10=1.25 avg60=0.50 avg300=0.00 total=1000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=77\n");
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
    EXPECT_EQ(seen.memory.oom_events, 1U);
    EXPECT_THAT(seen.io.bytes, ElementsAre(Entry{202, 26368, Operation::Read, 638976},
                                           Entry{202, 26368, Operation::Write, 5}, Entry{8, 0, Operation::Read, 1},
                                           Entry{8, 0, Operation::Write, 0}));
    EXPECT_EQ(seen.io.bytes_of(Operation::Read), 638977U);
    EXPECT_EQ(seen.io.requests_of(Operation::Write), 1U);
    ASSERT_TRUE(seen.memory_pressure);
    EXPECT_DOUBLE_EQ(seen.memory_pressure->some.average10, 1.25);
    EXPECT_EQ(seen.memory_pressure->full.total_us, 77U);
    EXPECT_FALSE(seen.io_pressure);
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
    EXPECT_TRUE(seen.io.bytes.empty());
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

TEST(Statistics, OfWhoDoesNothingAreReadInFullWhenAskedFor) {
    using Extent = StatisticsReader::Extent;
    for (const Version version : {Version::V1, Version::V2}) {
        CgroupTree tree(version);
        const bool v1 = version == Version::V1;
        const std::string cpu = v1 ? "cpuacct/cpuacct.usage_percpu" : "cpu.stat";
        const std::string limit = v1 ? "memory/memory.limit_in_bytes" : "memory.max";
        const std::string io = v1 ? "blkio/blkio.throttle.io_service_bytes" : "io.stat";
        tree.put(cpu, v1 ? "5 0\n" : "usage_usec 5\n");
        tree.put(v1 ? "memory/memory.usage_in_bytes" : "memory.current", "1000\n");
        tree.put(limit, "2000\n");
        tree.put(io, "");
        auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
        Statistics seen;
        ASSERT_TRUE(reader->read(seen, Extent::Quick)) << "the first is always full";
        EXPECT_EQ(seen.memory.limit, 2000U);
        tree.put(limit, "3000\n");  // by somebody else
        tree.put(io, v1 ? "8:0 Read 1\n" : "8:0 rbytes=1\n");
        for (int pass = 0; pass < 5; ++pass) ASSERT_TRUE(reader->read(seen, Extent::Quick));
        EXPECT_EQ(seen.memory.limit, 2000U);
        EXPECT_EQ(seen.io.bytes_of(Operation::Read), 1U) << "the kernel writes back for who sleeps";
        ASSERT_TRUE(reader->read(seen, Extent::Full));
        EXPECT_EQ(seen.memory.limit, 3000U);
        tree.put(limit, "4000\n");
        tree.put(cpu, v1 ? "5 1\n" : "usage_usec 6\n");
        ASSERT_TRUE(reader->read(seen, Extent::Quick));
        EXPECT_EQ(seen.memory.limit, 4000U) << "it has done something";
    }
}

TEST(Statistics, WithoutDescriptorsAreAnErrorAndNotZero) {
    CgroupTree tree(Version::V2);
    tree.put("cpu.stat", "usage_usec 5\n");
    tree.put("memory.current", "1000\n");
    auto reader = StatisticsReader::open(hierarchy_of(tree), "/");
    ASSERT_TRUE(reader);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    Statistics seen;
    seen.memory.usage = 7;
    const auto failed = reader->read(seen);
    ::setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(failed.error().what, HasSubstr("Too many open files"));
    EXPECT_EQ(seen.memory.usage, 7U);
    ASSERT_TRUE(reader->read(seen)) << "and works again when it can";
    EXPECT_EQ(seen.memory.usage, 1000U);
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
    EXPECT_EQ(io.bytes_of(Operation::Read) + io.bytes_of(Operation::Write), 0U);
    parse_blkio("8:0 Read\n8:0 Sideways 4\n8:0\nTotal 5\n", io.bytes);
    EXPECT_THAT(io.bytes, ElementsAre(Entry{8, 0, Operation::Read, 0}));
    EXPECT_FALSE(parse_pressure("some\nfull avg10=x\n"));
}

}  // namespace
}  // namespace nodeagent::cgroups
