// Against the hierarchy of the machine that runs the tests; needs root. Makes and removes cgroups of its own only.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "cgroups/statistics.hpp"
#include "cgroups/task_cgroups.hpp"

namespace nodeagent::cgroups {
namespace {

class RealHierarchy : public ::testing::Test {
  protected:
    void SetUp() override {
        auto found = detect_hierarchy("/sys/fs/cgroup", Driver::Cgroupfs);
        ASSERT_TRUE(found) << found.error().what;
        hierarchy = *found;
        TaskCgroupsOptions options;
        options.hierarchy = hierarchy;
        auto made = make_task_cgroups(std::move(options));
        ASSERT_TRUE(made) << made.error().what;
        cgroups = std::move(*made);
        const auto prepared = cgroups->prepare();
        ASSERT_TRUE(prepared) << prepared.error().what;
    }
    void TearDown() override {
        if (cgroups) (void)cgroups->remove(task);
    }
    [[nodiscard]] std::string directory(const std::string& controller) const {
        const std::string base = hierarchy.version == Version::V1 ? hierarchy.root + "/" + controller : hierarchy.root;
        return base + cgroups->parent_for(task);
    }
    [[nodiscard]] std::string limit_file(const std::string& v1, const std::string& v2) const {
        return hierarchy.version == Version::V1 ? v1 : v2;
    }

    std::string task = "contract" + std::to_string(::getpid());
    Hierarchy hierarchy;
    std::unique_ptr<TaskCgroups> cgroups;
};

TEST_F(RealHierarchy, EnforcesWhatWasAsked) {
    const auto made = cgroups->create(task, {.cpu = 0.5, .memory_bytes = 64U << 20U, .pids = 50});
    ASSERT_TRUE(made) << made.error().what;
    const auto memory = read_file(directory("memory") + limit_file("/memory.limit_in_bytes", "/memory.max"));
    ASSERT_TRUE(memory);
    EXPECT_EQ(trimmed(*memory), "67108864");
    const auto cpu = read_file(directory("cpu") + limit_file("/cpu.cfs_quota_us", "/cpu.max"));
    ASSERT_TRUE(cpu);
    EXPECT_EQ(trimmed(*cpu), limit_file("50000", "50000 100000"));
    const auto pids = read_file(directory("pids") + "/pids.max");
    ASSERT_TRUE(pids);
    EXPECT_EQ(trimmed(*pids), "50");
    const auto removed = cgroups->remove(task);
    EXPECT_TRUE(removed) << removed.error().what;
    EXPECT_NE(::access(directory("memory").c_str(), F_OK), 0);
}

TEST_F(RealHierarchy, KeepsACgroupThatSomeoneLivesIn) {
    ASSERT_TRUE(cgroups->create(task, {.cpu = {}, .memory_bytes = {}, .pids = {}}));
    int gate[2];
    ASSERT_EQ(::pipe(gate), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(gate[1]);
        char byte = 0;
        _exit(static_cast<int>(::read(gate[0], &byte, 1)));  // until the parent lets go
    }
    ::close(gate[0]);
    { std::ofstream(directory("memory") + "/cgroup.procs") << child; }
    const auto refused = cgroups->remove(task);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Conflict);

    ::close(gate[1]);
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto removed = cgroups->remove(task);
    EXPECT_TRUE(removed) << removed.error().what;
}

TEST_F(RealHierarchy, TellsWhatACgroupUsesUntilItIsGone) {
    ASSERT_TRUE(cgroups->create(task, {.cpu = {}, .memory_bytes = 64U << 20U, .pids = {}}));
    auto reader = StatisticsReader::open(hierarchy, cgroups->parent_for(task));
    ASSERT_TRUE(reader) << reader.error().what;
    Statistics seen;
    ASSERT_TRUE(reader->read(seen));
    EXPECT_EQ(seen.memory.limit, 64U << 20U);
    EXPECT_EQ(seen.pids.current, 0U);
    ASSERT_TRUE(cgroups->remove(task));
    const auto gone = reader->read(seen);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace nodeagent::cgroups
