// The process of a container: its end, its program, its limits, its user, its environment.

#include "tests/integration/containerd_backend/containerd_test.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;

class ContainerdProcess : public ContainerdBackendTest {};

TEST_F(ContainerdProcess, IsKilledWhenItIgnoresItsStopSignalOnceTheGraceIsOver) {
    const std::string id = start(world.shell(world.name("deaf"), "trap '' TERM; while :; do sleep 0.05; done"));
    const auto begun = steady_clock::now();
    ASSERT_TRUE(world.run(backend.stop(id, seconds(1))));
    EXPECT_GE(steady_clock::now() - begun, seconds(1));
    EXPECT_EQ(inspect(id).exit_code, 137);
    EXPECT_FALSE(inspect(id).oom_killed);
}

TEST_F(ContainerdProcess, IsSeenToBeKilledForMemory) {
    ContainerSpec spec = world.shell(world.name("greedy"), "tail /dev/zero");
    spec.host_config["Memory"] = 8 * 1024 * 1024;
    spec.host_config["MemorySwap"] = 8 * 1024 * 1024;
    Watching events(world);
    const std::string id = start(std::move(spec));
    events.wait_for(id, Kind::Exited);
    events.wait_for(id, Kind::Oom);
    EXPECT_TRUE(inspect(id).oom_killed);
    EXPECT_EQ(inspect(id).exit_code, 137);
}

TEST_F(ContainerdProcess, ThatRunsAgainAfterMemoryRanOutIsNotKilledForMemoryWhenItEndsByItself) {
    ContainerSpec spec = world.shell(world.name("twice"), "test -e /second && exit 3; echo >/second; tail /dev/zero");
    spec.host_config["Memory"] = 8 * 1024 * 1024;
    spec.host_config["MemorySwap"] = 8 * 1024 * 1024;
    Watching events(world);
    const std::string id = start(std::move(spec));
    events.wait_for(id, Kind::Oom);
    events.wait_for(id, Kind::Exited);
    EXPECT_TRUE(inspect(id).oom_killed);
    events.events.clear();
    start_again(id);
    events.wait_for(id, Kind::Exited);
    EXPECT_EQ(inspect(id).exit_code, 3);
    EXPECT_FALSE(inspect(id).oom_killed);
}

TEST_F(ContainerdProcess, WhoseProgramDoesNotExistIsNotStartedAndSaysWhy) {
    ContainerSpec spec = world.shell(world.name("nothing"), "");
    spec.config["Cmd"] = Json::array({"no-such-program"});
    const std::string id = create(std::move(spec));
    const auto done = world.run(backend.start(id, kDeadline));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what, HasSubstr("executable file not found"));
    EXPECT_THAT(done.error().what, HasSubstr("no-such-program"));
    const ContainerView view = inspect(id);
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_EQ("Error response from daemon: " + view.error, done.error().what);
}

TEST_F(ContainerdProcess, StartedAgainKeepsTheFilesOfItsFirstRun) {
    Watching events(world);
    const std::string id = start(
        speaking("again", "echo run >>/runs; cat /runs; test $(cat /runs | while read x; do echo -n x; done) = xx"));
    events.wait_for(id, Kind::Exited);
    EXPECT_EQ(said_by("again"), "run\n");
    EXPECT_EQ(inspect(id).exit_code, 1);
    events.events.clear();
    start_again(id);
    EXPECT_THAT(inspect(id).exit_code, ::testing::AnyOf(std::nullopt, std::optional<int>(0)));
    events.wait_for(id, Kind::Exited);
    EXPECT_EQ(said_by("again"), "run\nrun\n");
    EXPECT_EQ(inspect(id).exit_code, 0);
}

TEST_F(ContainerdProcess, GetsTheStopSignalOfTheImageUnlessTheTaskNamesOne) {
    const std::string other = world.name("signals") + ":1";
    ASSERT_TRUE(world.run(backend.load_image(saved_busybox(other, Json{{"StopSignal", "SIGUSR1"}}))));
    const std::string script =
        "trap 'exit 10' USR1; trap 'exit 12' USR2; trap 'exit 15' TERM; echo >/tmp/x 2>&1;"
        "while :; do sleep 0.05; done";
    ContainerSpec of_image = speaking("image", script);
    of_image.config["Image"] = other;
    ContainerSpec of_task = speaking("task", script);
    of_task.config["Image"] = other;
    of_task.config["StopSignal"] = "SIGUSR2";
    const std::string first = start(std::move(of_image));
    const std::string second = start(std::move(of_task));
    // a signal may come before the shell has its traps: it is the kernel's then, and what it says is still the signal
    ASSERT_TRUE(world.run(backend.stop(first, seconds(20))));
    ASSERT_TRUE(world.run(backend.stop(second, seconds(20))));
    EXPECT_EQ(inspect(first).exit_code, 10);
    EXPECT_EQ(inspect(second).exit_code, 12);
    remove(first);
    remove(second);
    EXPECT_TRUE(world.run(backend.remove_image(other)));
}

TEST_F(ContainerdProcess, HasItsEnvironmentUserAndDirectory) {
    ContainerSpec spec = speaking("self", "echo $A $PATH; id -u; id -G; echo $PWD; hostname");
    spec.config["Env"] = Json::array({"A=of the task"});
    spec.config["User"] = "app";
    spec.config["WorkingDir"] = "/made/here";
    spec.config["Hostname"] = "its-name";
    std::filesystem::create_directories(world.folder() + "/said");
    std::filesystem::permissions(world.folder() + "/said", std::filesystem::perms::all);
    std::filesystem::permissions(world.folder(),
                                 std::filesystem::perms::owner_all | std::filesystem::perms::others_exec);
    EXPECT_EQ(said(std::move(spec)), "of the task /bin\n1000\n1000 2000\n/made/here\nits-name\n");
    EXPECT_THAT(inspect(world.name("self")).env, ::testing::Contains("A=of the task"));
}

TEST_F(ContainerdProcess, OfAUserThatTheImageDoesNotHaveIsNotCreatedAndLeavesNoVolume) {
    ContainerSpec spec = world.shell(world.name("stranger"), "true");
    spec.config["User"] = "stranger";
    spec.config["Volumes"]["/data"] = Json::object();
    const auto id = world.run(backend.create(std::move(spec), kDeadline));
    ASSERT_FALSE(id);
    EXPECT_THAT(id.error().what, HasSubstr("unable to find user stranger"));
    EXPECT_THAT(names_in(world.options().data_dir + "/volumes"), ::testing::IsEmpty());
}

std::string limit(std::int64_t pid, const std::string& controller, const std::string& file,
                  const std::string& unified) {
    const std::string cgroups = text_of("/proc/" + std::to_string(pid) + "/cgroup");
    for (const std::string_view line : split(cgroups, '\n')) {
        const auto parts = split(line, ':');
        if (parts.size() != 3) continue;
        const std::string path(parts[2]);
        if (parts[1].empty() && std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers")) {
            return std::string(trimmed(text_of("/sys/fs/cgroup" + path + "/" + unified)));
        }
        for (const std::string_view one : split(parts[1], ',')) {
            if (one != controller) continue;
            return std::string(trimmed(text_of("/sys/fs/cgroup/" + controller + path + "/" + file)));
        }
    }
    return "no such controller";
}

TEST_F(ContainerdProcess, HasItsLimitsInItsCgroup) {
    ContainerSpec spec = world.spec(world.name("limited"), BackendWorld::Program::RunsUntilStopped);
    spec.host_config["Memory"] = 32 * 1024 * 1024;
    spec.host_config["CpuShares"] = 256;
    spec.host_config["CpuPeriod"] = 100000;
    spec.host_config["CpuQuota"] = 50000;
    spec.host_config["PidsLimit"] = 77;
    const ContainerView view = inspect(start(std::move(spec)));
    ASSERT_GT(view.pid, 0);
    const bool unified = std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
    EXPECT_EQ(limit(view.pid, "memory", "memory.limit_in_bytes", "memory.max"), "33554432");
    EXPECT_EQ(limit(view.pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), unified ? "50000 100000" : "50000");
    EXPECT_EQ(limit(view.pid, "cpu", "cpu.shares", "cpu.weight"), unified ? "10" : "256");
    EXPECT_EQ(limit(view.pid, "pids", "pids.max", "pids.max"), "77");
    EXPECT_EQ(view.memory_bytes, 32 * 1024 * 1024);
    EXPECT_EQ(view.cpu_shares, 256);
}

TEST_F(ContainerdProcess, WithAReadOnlyRootCannotWriteThere) {
    ContainerSpec spec = speaking("frozen", "echo x >/file; echo x >/etc/hosts; echo end");
    spec.host_config["ReadonlyRootfs"] = true;
    const std::string text = said(std::move(spec));
    EXPECT_THAT(text, HasSubstr("can't create /file: Read-only file system"));
    EXPECT_THAT(text, HasSubstr("can't create /etc/hosts: Read-only file system"));
    EXPECT_THAT(text, HasSubstr("end\n"));
}

TEST_F(ContainerdProcess, WritesALogThatHoldsItsOutputToTheByte) {
    Watching events(world);
    const std::string id = start(world.shell(world.name("writer"), "echo out; echo err >&2; echo -n 'no \"end\"'"));
    events.wait_for(id, Kind::Exited);
    const std::string file = world.options().data_dir + "/containers/" + id + "/" + id + "-json.log";
    start_again(id);  // waits for the log of the run before
    const std::string text = text_of(file);
    std::vector<std::string> out, err;
    for (const std::string_view line : split(text, '\n')) {
        const auto entry = parse_json(line);
        if (!entry || out.size() + err.size() == 3) continue;
        EXPECT_TRUE((*entry)["time"].is_string());
        ((*entry)["stream"] == "stdout" ? out : err).push_back((*entry)["log"].get<std::string>());
    }
    EXPECT_EQ(out, (std::vector<std::string>{"out\n", "no \"end\""}));
    EXPECT_EQ(err, std::vector<std::string>{"err\n"});
}

TEST_F(ContainerdProcess, WithALogDriverThatIsNotThereIsNotCreated) {
    ContainerSpec spec = world.shell(world.name("logless"), "true");
    spec.host_config["LogConfig"]["Type"] = "no-such-driver";
    const auto id = world.run(backend.create(std::move(spec), kDeadline));
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().what,
              "Error response from daemon: logger: no log driver named 'no-such-driver' is registered");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
