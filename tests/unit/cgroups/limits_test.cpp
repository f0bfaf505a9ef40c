#include <gmock/gmock.h>

#include "cgroups/cpu.hpp"
#include "cgroups/memory.hpp"
#include "cgroups/pids.hpp"
#include "cgroups/task_cgroups_v2.hpp"

namespace nodeagent::cgroups {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// The vectors are those of task-engine.md D.3 and D.4.
TEST(CpuLimits, ConvertsSharesToWeights) {
    EXPECT_EQ(cpu_weight(2), 1U);
    EXPECT_EQ(cpu_weight(512), 20U);
    EXPECT_EQ(cpu_weight(1024), 39U);
    EXPECT_EQ(cpu_weight(2048), 79U);
    EXPECT_EQ(cpu_weight(262144), 10000U);
}

TEST(CpuLimits, ClampsSharesThatTheKernelWouldRefuse) {
    EXPECT_EQ(cpu_weight(0), 1U);
    EXPECT_EQ(cpu_weight(400000), 10000U);
    EXPECT_THAT(cpu_files(Version::V1, {.cpu = std::nullopt, .cpu_shares = 0, .memory_bytes = {}, .pids = {}}),
                ElementsAre(FileWrite{"cpu.shares", "2"}));
}

TEST(CpuLimits, CutsTheQuotaAndRoundsSystemdsUpToTenMilliseconds) {
    const auto period = std::chrono::milliseconds(100);
    struct Row {
        double cpus;
        std::uint64_t quota, per_second;
    };
    for (const Row row :
         {Row{0.25, 25000, 250000}, Row{0.333, 33300, 340000}, Row{1.5, 150000, 1500000}, Row{4, 400000, 4000000}}) {
        const CpuBandwidth bandwidth = cpu_bandwidth(row.cpus, period);
        EXPECT_EQ(bandwidth.quota, row.quota) << row.cpus;
        EXPECT_EQ(bandwidth.period, 100000U);
        EXPECT_EQ(cpu_quota_per_second(bandwidth), row.per_second) << row.cpus;
    }
}

TEST(CpuLimits, WritesThePeriodBeforeTheQuotaOnV1) {
    EXPECT_THAT(cpu_files(Version::V1, {.cpu = 0.5, .memory_bytes = {}, .pids = {}}),
                ElementsAre(FileWrite{"cpu.cfs_period_us", "100000"}, FileWrite{"cpu.cfs_quota_us", "50000"}));
}

TEST(CpuLimits, WritesOneFileOnV2) {
    EXPECT_THAT(cpu_files(Version::V2,
                          {.cpu = 0.5, .memory_bytes = {}, .pids = {}, .cpu_period = std::chrono::milliseconds(20)}),
                ElementsAre(FileWrite{"cpu.max", "10000 20000"}));
    EXPECT_THAT(cpu_files(Version::V2, {.cpu = std::nullopt, .cpu_shares = 1024, .memory_bytes = {}, .pids = {}}),
                ElementsAre(FileWrite{"cpu.weight", "39"}));
}

TEST(CpuLimits, NeverAsksForLessThanTheKernelGrants) {
    EXPECT_THAT(cpu_files(Version::V2, {.cpu = 0.001, .memory_bytes = {}, .pids = {}}),
                ElementsAre(FileWrite{"cpu.max", "1000 100000"}));
}

TEST(MemoryLimits, AreWrittenInBytesOrNotAtAll) {
    const TaskLimits limited{.cpu = {}, .memory_bytes = 256U << 20U, .pids = {}};
    EXPECT_THAT(memory_files(Version::V1, limited), ElementsAre(FileWrite{"memory.limit_in_bytes", "268435456"}));
    EXPECT_THAT(memory_files(Version::V2, limited), ElementsAre(FileWrite{"memory.max", "268435456"}));
    EXPECT_THAT(memory_files(Version::V2, {.cpu = {}, .memory_bytes = {}, .pids = {}}), IsEmpty());
}

TEST(PidsLimits, AreWrittenWhenGiven) {
    EXPECT_THAT(pids_files({.cpu = {}, .memory_bytes = {}, .pids = 100}), ElementsAre(FileWrite{"pids.max", "100"}));
    EXPECT_THAT(pids_files({.cpu = {}, .memory_bytes = {}, .pids = {}}), IsEmpty());
}

TEST(SliceProperties, CarryEveryLimitUnderSystemdsNames) {
    const auto all = slice_properties("ecstasks-a.slice", {.cpu = 0.333, .memory_bytes = 1048576, .pids = 64});
    EXPECT_EQ(all.description, "cgroup ecstasks-a.slice");
    EXPECT_TRUE(all.tasks_accounting);
    EXPECT_THAT(all.numbers,
                ElementsAre(Pair("MemoryMax", 1048576U), Pair("CPUQuotaPerSecUSec", 340000U), Pair("TasksMax", 64U)));
    const auto shares = slice_properties("s", {.cpu = {}, .cpu_shares = 512, .memory_bytes = {}, .pids = {}});
    EXPECT_FALSE(shares.tasks_accounting);
    EXPECT_THAT(shares.numbers, ElementsAre(Pair("CPUWeight", 20U)));
}

}  // namespace
}  // namespace nodeagent::cgroups
