#include "runtime/containerd/oci/cgroup_support.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

class CgroupSupportTest : public testing::Test {
  protected:
    void put(const std::string& file, const std::string& text = "") {
        const std::filesystem::path path = root + "/" + file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text << "\n";
    }
    fakes::TempDirectory root;
};

TEST_F(CgroupSupportTest, VersionOneIsWhatFilesAreThere) {
    put("memory/memory.limit_in_bytes");
    put("memory/memory.swappiness");
    put("cpu/cpu.shares");
    put("cpuset/cpuset.cpus", "0-1");
    CgroupSupport support = cgroup_support(root, false);
    EXPECT_TRUE(support.memory);
    EXPECT_FALSE(support.swap_limit) << "a kernel without swap accounting";
    EXPECT_FALSE(support.kernel_memory);
    EXPECT_TRUE(support.cpu_shares);
    EXPECT_FALSE(support.cpu_cfs);
    EXPECT_FALSE(support.cpu_realtime);
    EXPECT_FALSE(support.pids);
    EXPECT_EQ(support.cpuset_cpus, "0-1");
    EXPECT_GT(support.cpus, 0);
    put("memory/memory.memsw.limit_in_bytes");
    put("pids/tasks");
    support = cgroup_support(root, false);
    EXPECT_TRUE(support.swap_limit);
    EXPECT_TRUE(support.pids);
}

TEST_F(CgroupSupportTest, VersionTwoIsWhatControllersAndChildrenSay) {
    put("cgroup.controllers", "cpuset cpu io memory pids");
    put("cpuset.cpus.effective", "0-7");
    CgroupSupport support = cgroup_support(root, true);
    EXPECT_TRUE(support.memory && support.cpu_cfs && support.pids && support.blkio_throttle && support.cpuset);
    EXPECT_FALSE(support.swap_limit);
    EXPECT_FALSE(support.swappiness || support.oom_kill_disable || support.kernel_memory);
    EXPECT_EQ(support.cpuset_cpus, "0-7");
    put("system.slice/memory.swap.max", "max");
    EXPECT_TRUE(cgroup_support(root, true).swap_limit);
}

TEST_F(CgroupSupportTest, WithoutAnyHierarchyNothingCanBeLimited) {
    const CgroupSupport support = cgroup_support(root + "/none", false);
    EXPECT_FALSE(support.memory || support.cpu_shares || support.pids || support.cpuset || support.blkio_weight);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
