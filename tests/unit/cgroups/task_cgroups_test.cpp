#include "cgroups/task_cgroups.hpp"

#include <gmock/gmock.h>

#include "cgroups/task_cgroups_v2.hpp"
#include "tests/fakes/cgroup_tree.hpp"

namespace nodeagent::cgroups {
namespace {

using fakes::CgroupTree;
using ::testing::HasSubstr;

const std::string kTask = "158d1c8083dd49d6b527399fd6414f5c";
const TaskLimits kLimits{.cpu = 0.25, .memory_bytes = 256U << 20U, .pids = 100};

std::unique_ptr<TaskCgroups> on(CgroupTree& tree) {
    TaskCgroupsOptions options;
    options.hierarchy = *detect_hierarchy(tree.root(), Driver::Cgroupfs);
    options.directories = &tree;
    return std::move(*make_task_cgroups(std::move(options)));
}

TEST(Hierarchy, IsVersionTwoWhereTheRootListsControllers) {
    const CgroupTree tree(Version::V2);
    const auto found = detect_hierarchy(tree.root(), Driver::Systemd);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->version, Version::V2);
    EXPECT_EQ(found->driver, Driver::Systemd);
    EXPECT_TRUE(found->has("memory"));
    EXPECT_FALSE(found->has("freezer"));
}

TEST(Hierarchy, IsVersionOneWhereControllersAreDirectoriesEvenBesideVersionTwo) {
    const CgroupTree tree(Version::V1);
    std::filesystem::create_directory(tree.root() + "/unified");
    tree.put("unified/cgroup.procs", "");
    tree.put("unified/cgroup.controllers", "");
    const auto found = detect_hierarchy(tree.root());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->version, Version::V1);
    EXPECT_EQ(found->driver, Driver::Cgroupfs);
    EXPECT_TRUE(found->has("freezer"));
    EXPECT_FALSE(found->has("unified"));
}

TEST(Hierarchy, ThatIsNotMountedIsNamedWithTheRemedy) {
    const auto found = detect_hierarchy("/nonexistent");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(found.error().what, HasSubstr("ECS_CGROUP_PATH"));
}

TEST(TaskCgroups, OfVersionOneHaveTheirLimitsInEveryController) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    ASSERT_TRUE(cgroups->create(kTask, kLimits));
    EXPECT_EQ(cgroups->parent_for(kTask), "/ecs/" + kTask);
    EXPECT_EQ(tree.content("cpu/ecs/" + kTask + "/cpu.cfs_quota_us").substr(0, 5), "25000");
    EXPECT_EQ(tree.content("memory/ecs/" + kTask + "/memory.limit_in_bytes").substr(0, 9), "268435456");
    EXPECT_EQ(tree.content("memory/ecs/" + kTask + "/memory.use_hierarchy").substr(0, 1), "1");
    EXPECT_EQ(tree.content("pids/ecs/" + kTask + "/pids.max").substr(0, 3), "100");
    EXPECT_EQ(tree.content("cpuset/ecs/" + kTask + "/cpuset.cpus"), "0-1");
    EXPECT_TRUE(tree.has("freezer/ecs/" + kTask));
}

TEST(TaskCgroups, ThatExistKeepTheirLimits) {
    for (const Version version : {Version::V1, Version::V2}) {
        CgroupTree tree(version);
        const auto cgroups = on(tree);
        ASSERT_TRUE(cgroups->prepare());
        ASSERT_TRUE(cgroups->create(kTask, kLimits));
        const std::string limit = version == Version::V1 ? "memory/ecs/" + kTask + "/memory.limit_in_bytes"
                                                         : "ecstasks.slice/ecstasks-" + kTask + ".slice/memory.max";
        tree.put(limit, "tuned by hand");
        ASSERT_TRUE(cgroups->create(kTask, kLimits));
        EXPECT_EQ(tree.content(limit), "tuned by hand");
    }
}

TEST(TaskCgroups, OfVersionTwoWithoutSystemdAreDirectoriesInTheSlice) {
    CgroupTree tree(Version::V2);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    EXPECT_THAT(tree.content("cgroup.subtree_control"), HasSubstr("+io")) << "the last of cpu, memory, pids, io";
    ASSERT_TRUE(cgroups->create(kTask, kLimits));
    const std::string slice = "ecstasks.slice/ecstasks-" + kTask + ".slice";
    EXPECT_EQ(cgroups->parent_for(kTask), "/" + slice);
    EXPECT_EQ(tree.content(slice + "/cpu.max").substr(0, 12), "25000 100000");
    EXPECT_EQ(tree.content(slice + "/memory.max").substr(0, 9), "268435456");
    EXPECT_EQ(tree.content(slice + "/pids.max").substr(0, 3), "100");
}

TEST(TaskCgroups, AreRemovedWithWhatContainersLeftInThem) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    ASSERT_TRUE(cgroups->create(kTask, kLimits));
    std::filesystem::create_directory(tree.root() + "/memory/ecs/" + kTask + "/c0ffee");
    ASSERT_TRUE(cgroups->remove(kTask));
    EXPECT_FALSE(tree.has("memory/ecs/" + kTask));
    EXPECT_FALSE(tree.has("cpu/ecs/" + kTask));
    EXPECT_TRUE(tree.has("memory/ecs"));
    EXPECT_TRUE(cgroups->remove(kTask)) << "an absent one is fine";
}

TEST(TaskCgroups, OfAHybridHostAreRemovedFromTheUnifiedTreeToo) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    ASSERT_TRUE(cgroups->create(kTask, kLimits));
    std::filesystem::create_directories(tree.root() + "/unified/ecs/" + kTask);  // the runtime's own doing
    ASSERT_TRUE(cgroups->remove(kTask));
    EXPECT_FALSE(tree.has("unified/ecs/" + kTask));
    EXPECT_TRUE(tree.has("unified/ecs"));
}

TEST(TaskCgroups, AreUnoccupiedWhileNoProcessLivesInThemOrBelow) {
    for (const Version version : {Version::V1, Version::V2}) {
        CgroupTree tree(version);
        const auto cgroups = on(tree);
        EXPECT_EQ(cgroups->unoccupied().value(), std::vector<std::string>{}) << "not even a parent";
        ASSERT_TRUE(cgroups->prepare());
        ASSERT_TRUE(cgroups->create(kTask, kLimits));
        ASSERT_TRUE(cgroups->create("alive", kLimits));
        const std::string container =
            (version == Version::V1 ? "memory/ecs/alive" : "ecstasks.slice/ecstasks-alive.slice") + std::string("/c");
        std::filesystem::create_directory(tree.root() + "/" + container);
        tree.put(container + "/cgroup.procs", "4711\n");
        EXPECT_EQ(cgroups->unoccupied().value(), std::vector<std::string>{kTask});
    }
}

TEST(TaskCgroups, WithProcessesInThemAreNotRemoved) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    ASSERT_TRUE(cgroups->create(kTask, kLimits));
    tree.put("memory/ecs/" + kTask + "/cgroup.procs", "4711\n");
    const auto removed = cgroups->remove(kTask);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, ErrorKind::Conflict);
    EXPECT_THAT(removed.error().what, HasSubstr("processes"));
}

TEST(TaskCgroups, AreNotLeftHalfMadeWhenAControllerFails) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    ASSERT_TRUE(cgroups->prepare());
    std::filesystem::remove_all(tree.root() + "/blkio");
    const auto made = cgroups->create(kTask, kLimits);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().what, HasSubstr("/blkio"));
    EXPECT_FALSE(tree.has("cpu/ecs/" + kTask));
}

TEST(TaskCgroups, NeedTheMemoryController) {
    CgroupTree v1(Version::V1);
    std::filesystem::remove_all(v1.root() + "/memory");
    const auto first = on(v1)->prepare();
    ASSERT_FALSE(first);
    EXPECT_THAT(first.error().what, HasSubstr("cgroup_enable=memory"));
    CgroupTree v2(Version::V2);
    v2.put("cgroup.controllers", "cpu pids\n");
    const auto second = on(v2)->prepare();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(second.error().what, HasSubstr("memory"));
}

TEST(TaskCgroups, RefuseIdsThatAreNoPlainNames) {
    CgroupTree tree(Version::V1);
    const auto cgroups = on(tree);
    for (const std::string id : {"", "..", "a/b", "../x", "a b"}) {
        EXPECT_FALSE(cgroups->create(id, kLimits)) << id;
        EXPECT_FALSE(cgroups->remove(id)) << id;
    }
    EXPECT_FALSE(cgroups->create(std::string("a\0b", 3), kLimits));
}

TEST(TaskCgroups, DoNotFollowSymbolicLinks) {
    CgroupTree tree(Version::V1);
    CgroupTree elsewhere(Version::V1);
    std::filesystem::create_directory_symlink(elsewhere.root() + "/memory", tree.root() + "/memory/ecs");
    EXPECT_FALSE(on(tree)->create(kTask, kLimits));
    EXPECT_FALSE(elsewhere.has("memory/" + kTask));
}

TEST(TaskCgroups, RefuseTheSystemdDriverOnVersionOneAndSayWhatToDo) {
    const CgroupTree tree(Version::V1);
    TaskCgroupsOptions options;
    options.hierarchy = *detect_hierarchy(tree.root(), Driver::Systemd);
    const auto made = make_task_cgroups(std::move(options));
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().what, HasSubstr("ECS_ENABLE_TASK_CPU_MEM_LIMIT"));
}

struct RecordedSystemd final : SystemdUnits {
    explicit RecordedSystemd(std::vector<std::string>& into) : calls(into) {}
    Result<void> start_slice(const std::string& name, const SliceProperties& properties) override {
        std::string call = "start " + name;
        for (const auto& [key, value] : properties.numbers) call += " " + key + "=" + std::to_string(value);
        calls.push_back(call);
        return {};
    }
    Result<void> stop_unit(const std::string& name) override {
        calls.push_back("stop " + name);
        return {};
    }
    std::vector<std::string>& calls;
};

TEST(TaskCgroups, OfVersionTwoWithSystemdAreTransientSlices) {
    CgroupTree tree(Version::V2);
    std::filesystem::create_directory(tree.root() + "/ecstasks.slice");
    tree.put("ecstasks.slice/cgroup.controllers", "cpu memory\n");
    tree.put("ecstasks.slice/cgroup.subtree_control", "cpu\n");
    std::vector<std::string> calls;
    TaskCgroupsV2 cgroups(*detect_hierarchy(tree.root(), Driver::Systemd), tree,
                          std::make_unique<RecordedSystemd>(calls));
    ASSERT_TRUE(cgroups.prepare());
    ASSERT_TRUE(cgroups.create(kTask, kLimits));
    ASSERT_TRUE(cgroups.remove(kTask));
    EXPECT_EQ(cgroups.parent_for(kTask), "ecstasks-" + kTask + ".slice");
    EXPECT_THAT(calls, ::testing::ElementsAre("start ecstasks-" + kTask +
                                                  ".slice MemoryMax=268435456 CPUQuotaPerSecUSec=250000 TasksMax=100",
                                              "stop ecstasks-" + kTask + ".slice"));
    EXPECT_EQ(tree.content("ecstasks.slice/cgroup.subtree_control").substr(0, 7), "+memory")
        << "containers need it there";
}

}  // namespace
}  // namespace nodeagent::cgroups
