#include "agent/ecs/host_facts.hpp"

#include "agent/base/files.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::ecs {
namespace {

using testing::HasSubstr;

class ProcTree : public testing::Test {
  protected:
    fakes::TempDirectory proc;
};

TEST_F(ProcTree, GivesMemoryInWholeMebibytesAndTheCpusOfThisProcess) {
    ASSERT_TRUE(replace_file(proc + "/meminfo", "MemTotal:        2049023 kB\nMemFree:          100000 kB\n"));
    ASSERT_TRUE(replace_file(proc + "/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx sse4_1 sse4_2 avx2\n"));
    const auto facts = read_host_facts(proc);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->memory_mib, 2000);
    EXPECT_GE(facts->online_cpus, 1);
    EXPECT_TRUE(facts->optimized_cpu);
}

TEST_F(ProcTree, SaysWhatIsMissing) {
    EXPECT_THAT(read_host_facts(proc).error().what, HasSubstr("how much memory"));
    ASSERT_TRUE(replace_file(proc + "/meminfo", "Nothing: 1 kB\n"));
    EXPECT_THAT(read_host_facts(proc).error().what, HasSubstr("no MemTotal line"));
}

TEST(HostFacts, WantsAllFourCpuFlags) {
    EXPECT_FALSE(has_optimized_cpu_flags("flags : fpu avx sse4_1 sse4_2\nvmx flags : avx2\n"));
    EXPECT_FALSE(has_optimized_cpu_flags(""));
    EXPECT_TRUE(has_optimized_cpu_flags("model : x\nflags : avx2 avx sse4_2 sse4_1"));
}

TEST(TotalResources, AreCpuMemoryAndReservedPortsInThisOrder) {
    config::Config config;
    config.reserved_memory = 256;
    config.reserved_ports = {22, 80};
    const auto resources =
        total_resources({.online_cpus = 4, .memory_mib = 1024, .optimized_cpu = false, .cpu_architecture = {}}, config);
    ASSERT_TRUE(resources);
    const model::Resource cpu{.integer_value = 4096, .name = "CPU", .string_set_value = {}, .type = "INTEGER"};
    const model::Resource memory{.integer_value = 768, .name = "MEMORY", .string_set_value = {}, .type = "INTEGER"};
    EXPECT_EQ(resources->at(0), cpu);
    EXPECT_EQ(resources->at(1), memory);
    EXPECT_EQ(resources->at(2).string_set_value, (std::vector<std::string>{"22", "80"}));
    EXPECT_EQ(resources->at(3).name, "PORTS_UDP");
    EXPECT_EQ(resources->at(3).string_set_value, std::vector<std::string>{});
}

TEST(TotalResources, CannotReserveMoreMemoryThanThereIs) {
    config::Config config;
    config.reserved_memory = 2000;
    HostFacts host;
    host.memory_mib = 1999;
    const auto resources = total_resources(host, config);
    ASSERT_FALSE(resources);
    EXPECT_THAT(resources.error().what, HasSubstr("ECS_RESERVED_MEMORY is 2000 MiB, but the host has 1999 MiB"));
}

}  // namespace
}  // namespace nodeagent::ecs
