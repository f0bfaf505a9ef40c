#include "runtime/containerd/cgroup_path.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

TEST(CgroupFolder, APathIsItself) { EXPECT_EQ(cgroup_folder("/ecs/task/id"), "/ecs/task/id"); }

TEST(CgroupFolder, EveryDashOfASliceIsALevel) {
    EXPECT_EQ(cgroup_folder("ecstasks-0123.slice:ecs:abc"), "/ecstasks.slice/ecstasks-0123.slice/ecs-abc.scope");
    EXPECT_EQ(cgroup_folder("system.slice:docker:abc"), "/system.slice/docker-abc.scope");
}

TEST(CgroupFolder, NothingForWhatIsNeither) {
    EXPECT_EQ(cgroup_folder(""), "");
    EXPECT_EQ(cgroup_folder("a:b"), "");
    EXPECT_EQ(cgroup_folder("a.scope:b:c"), "");
}

TEST(OutOfMemory, IsReadFromTheKernelsCountOfBothVersions) {
    const fakes::TempDirectory root;
    std::filesystem::create_directories(root + "/memory/ecs/killed");
    std::ofstream(root + "/memory/ecs/killed/memory.oom_control") << "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
    std::filesystem::create_directories(root + "/a.slice/a-b.slice/ecs-x.scope");
    std::ofstream(root + "/a.slice/a-b.slice/ecs-x.scope/memory.events") << "low 0\noom 1\noom_kill 0\n";
    EXPECT_TRUE(was_out_of_memory(root, false, "/ecs/killed"));
    EXPECT_FALSE(was_out_of_memory(root, true, "a-b.slice:ecs:x"));
    EXPECT_FALSE(was_out_of_memory(root, false, "/ecs/gone"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
