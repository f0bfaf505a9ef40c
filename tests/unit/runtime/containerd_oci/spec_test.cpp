#include <gmock/gmock.h>

#include "agent/base/files.hpp"
#include "runtime/containerd/oci/exec_process.hpp"
#include "tests/unit/runtime/containerd_oci/spec_fixture.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

using Words = std::vector<std::string>;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST_F(SpecTest, AProcessStartsAsDockerStartsIt) {
    config = Json::parse(R"({"Env":["A=1"],"WorkingDir":"/srv/../app/"})");
    SpecInputs from = inputs();
    from.user = {.uid = 0, .gid = 0, .groups = {0, 10}};
    const Json process = made(from).at("process");
    EXPECT_EQ(process.at("args"), Json::array({"sh"}));
    EXPECT_EQ(process.at("cwd"), "/app");
    EXPECT_EQ(process.at("env")[1], "HOSTNAME=cccccccccccc");
    EXPECT_EQ(process.at("terminal"), false);
    EXPECT_EQ(process.at("noNewPrivileges"), false);
    EXPECT_EQ(process.at("oomScoreAdj"), 0);
    EXPECT_EQ(process.at("user"), Json::parse(R"({"uid":0,"gid":0,"additionalGids":[0,10]})"));
    EXPECT_EQ(process.at("capabilities").at("effective"), process.at("capabilities").at("bounding"));
    EXPECT_FALSE(process.at("capabilities").contains("ambient"));
    EXPECT_FALSE(process.contains("rlimits"));
    EXPECT_FALSE(process.contains("apparmorProfile"));
}

TEST_F(SpecTest, AUserWhoIsNotRootKeepsTheBoundingSetOnly) {
    SpecInputs from = inputs();
    from.user = {.uid = 5, .gid = 5, .groups = {5}};
    const Json capabilities = made(from).at("process").at("capabilities");
    EXPECT_EQ(capabilities.size(), 1U);
    EXPECT_EQ(capabilities.at("bounding").size(), 14U);
}

TEST_F(SpecTest, HasDockersFileSystems) {
    const Json spec = made();
    EXPECT_EQ(spec.at("root"), Json::parse(R"({"path":"rootfs","readonly":false})"));
    EXPECT_EQ(options(spec, "/sys"), (Words{"nosuid", "noexec", "nodev", "ro"}));
    EXPECT_EQ(options(spec, "/sys/fs/cgroup"), (Words{"ro", "nosuid", "noexec", "nodev"}));
    EXPECT_EQ(options(spec, "/dev/shm"), (Words{"nosuid", "noexec", "nodev", "mode=1777", "size=67108864"}));
    EXPECT_EQ(options(spec, "/dev/pts").back(), "gid=5");
    EXPECT_EQ(mount(spec, "/run"), nullptr) << "Docker mounts nothing there";
    EXPECT_FALSE(spec.at("linux").contains("rootfsPropagation"));
    EXPECT_THAT(spec.at("linux").at("maskedPaths").get<Words>(), Contains("/proc/kcore"));
    EXPECT_EQ(spec.at("linux").at("readonlyPaths").size(), 5U);
}

TEST_F(SpecTest, OnesOwnMountsComeLastOuterOnesFirst) {
    SpecInputs from = inputs();
    from.mounts = {{"bind", "/v/deep", "/data/a/b", {"rbind"}},
                   {"bind", "/v/data", "/data", {"rbind", "rslave"}},
                   {"bind", "/mine", "/etc/hosts", {"rbind", "ro"}},
                   {"bind", "/files/hosts", "/etc/hosts", {"rbind"}}};
    const Json spec = made(from);
    const Json& mounts = spec.at("mounts");
    EXPECT_EQ(mounts[mounts.size() - 3].at("destination"), "/data");
    EXPECT_EQ(mounts.back().at("destination"), "/data/a/b");
    EXPECT_EQ(mount(spec, "/etc/hosts")->at("source"), "/mine") << "the container's own comes before the agent's";
    EXPECT_EQ(spec.at("linux").at("rootfsPropagation"), "rslave");
}

TEST_F(SpecTest, ASharedMountSharesTheRoot) {
    SpecInputs from = inputs();
    from.mounts = {{"bind", "/a", "/a", {"rbind", "rslave"}}, {"bind", "/b", "/b", {"rbind", "rshared"}}};
    EXPECT_EQ(made(from).at("linux").at("rootfsPropagation"), "shared");
}

TEST_F(SpecTest, AMountOfOnesOwnReplacesDockers) {
    SpecInputs from = inputs();
    from.mounts = {{"bind", "/dev", "/dev", {"rbind"}}, {"tmpfs", "tmpfs", "/sys/fs/cgroup", {"rw"}}};
    const Json spec = made(from);
    EXPECT_EQ(mount(spec, "/dev")->at("source"), "/dev");
    EXPECT_EQ(mount(spec, "/dev/pts"), nullptr);
    EXPECT_EQ(mount(spec, "/dev/shm"), nullptr);
    EXPECT_EQ(mount(spec, "/sys/fs/cgroup")->at("type"), "tmpfs");
}

TEST_F(SpecTest, SharedMemoryIsAsLargeAsAskedFor) {
    host = {{"ShmSize", 1048576}};
    EXPECT_EQ(options(made(), "/dev/shm").back(), "size=1048576");
    host = {{"ShmSize", -1}};
    EXPECT_EQ(refusal(), "SHM size can not be less than 0");
}

TEST_F(SpecTest, SharedMemoryFollowsTheIpcMode) {
    host = {{"IpcMode", "none"}};
    EXPECT_EQ(mount(made(), "/dev/shm"), nullptr);
    host = {{"IpcMode", "host"}};
    SpecInputs from = inputs();
    from.ipc_namespace = "host";
    Json spec = made(from);
    EXPECT_EQ(mount(spec, "/dev/shm")->at("source"), "/dev/shm");
    EXPECT_EQ(name_space(spec, "ipc"), "host");
    host = {{"IpcMode", "container:pause"}};
    from.ipc_namespace = "/proc/7/ns/ipc";
    from.shm_source = "/run/pause/shm";
    spec = made(from);
    EXPECT_EQ(mount(spec, "/dev/shm")->at("source"), "/run/pause/shm");
    EXPECT_EQ(options(spec, "/dev/shm"), (Words{"rbind", "rprivate"}));
    EXPECT_EQ(name_space(spec, "ipc"), "/proc/7/ns/ipc");
}

TEST_F(SpecTest, AReadOnlyRootIsReadOnlyBesidesWhatTheKernelNeeds) {
    host = {{"ReadonlyRootfs", true}, {"Init", true}};
    SpecInputs from = inputs();
    from.init_program = "/usr/bin/tini-static";
    from.mounts = {{"bind", "/v", "/v", {"rbind"}}};
    const Json spec = made(from);
    EXPECT_EQ(spec.at("root").at("readonly"), true);
    EXPECT_THAT(options(spec, "/dev/shm"), Not(Contains("ro")));
    EXPECT_THAT(options(spec, "/dev/mqueue"), Not(Contains("ro")));
    EXPECT_THAT(options(spec, "/v"), Not(Contains("ro")));
    EXPECT_THAT(options(spec, "/sbin/docker-init"), Contains("ro"));
}

TEST_F(SpecTest, NamespacesAreTheContainersOwn) {
    const Json spec = made();
    for (const char* type : {"mount", "uts", "pid", "ipc"}) EXPECT_EQ(name_space(spec, type), "") << type;
    EXPECT_EQ(name_space(spec, "network"), "/run/netns/ecs-c");
    EXPECT_EQ(name_space(spec, "cgroup"), "host") << "with version 1 of cgroups";
    EXPECT_EQ(spec.at("hostname"), "cccccccccccc");
}

TEST_F(SpecTest, CgroupNamespacesFollowTheVersionAndTheMode) {
    SpecInputs from = inputs();
    from.cgroup_v2 = true;
    EXPECT_EQ(name_space(made(from), "cgroup"), "");
    host = {{"CgroupnsMode", "host"}};
    EXPECT_EQ(name_space(made(from), "cgroup"), "host");
    host = {{"CgroupnsMode", "private"}};
    EXPECT_EQ(name_space(made(), "cgroup"), "");
}

TEST_F(SpecTest, TheHostsNamespacesAreSharedWhereAskedFor) {
    host = Json::parse(R"({"NetworkMode":"host","PidMode":"host","UTSMode":"host","Init":true})");
    SpecInputs from = inputs();
    from.netns_path = "";
    from.pid_namespace = "host";
    const Json spec = made(from);
    EXPECT_EQ(name_space(spec, "network"), "host");
    EXPECT_EQ(name_space(spec, "pid"), "host");
    EXPECT_EQ(name_space(spec, "uts"), "host");
    EXPECT_FALSE(spec.contains("hostname"));
    EXPECT_FALSE(spec.at("linux").contains("sysctl"));
    EXPECT_EQ(spec.at("process").at("args"), Json::array({"sh"})) << "an init needs processes of its own";
}

TEST_F(SpecTest, AnInitGoesInFront) {
    host = {{"Init", true}};
    SpecInputs from = inputs();
    from.init_program = "/usr/bin/tini-static";
    const Json spec = made(from);
    EXPECT_EQ(spec.at("process").at("args"), Json::array({"/sbin/docker-init", "--", "sh"}));
    EXPECT_EQ(mount(spec, "/sbin/docker-init")->at("source"), "/usr/bin/tini-static");
    EXPECT_THAT(refusal(), HasSubstr("HostConfig.Init"));
}

TEST_F(SpecTest, SysctlsAreDockersAndOnesOwn) {
    host = Json::parse(R"({"Sysctls":{"net.core.somaxconn":"1024","kernel.shmmax":"7","fs.mqueue.msg_max":"9",
                                      "net.ipv4.ip_unprivileged_port_start":"80"}})");
    SpecInputs from = inputs();
    from.domainname = "example.org";
    EXPECT_EQ(made(from).at("linux").at("sysctl"),
              Json::parse(R"({"net.ipv4.ping_group_range":"0 2147483647","net.ipv4.ip_unprivileged_port_start":"80",
                              "net.core.somaxconn":"1024","kernel.shmmax":"7","fs.mqueue.msg_max":"9",
                              "kernel.domainname":"example.org"})"));
}

TEST_F(SpecTest, AnotherContainersNetworkKeepsItsSysctls) {
    host = {{"NetworkMode", "container:pause"}};
    EXPECT_FALSE(made().at("linux").contains("sysctl"));
}

TEST_F(SpecTest, SysctlsOfTheHostAreRefused) {
    host = Json::parse(R"({"Sysctls":{"vm.swappiness":"1"}})");
    EXPECT_EQ(refusal(), "HostConfig.Sysctls: sysctl \"vm.swappiness\" is not in a separate kernel namespace");
    host = Json::parse(R"({"Sysctls":{"net/core/somaxconn":"1"}})");
    SpecInputs from = inputs();
    from.netns_path = "";
    EXPECT_EQ(refusal(from), "HostConfig.Sysctls: sysctl \"net/core/somaxconn\" not allowed in host network namespace");
}

TEST_F(SpecTest, UlimitsAreTheContainersThenTheHostsDefaults) {
    host = Json::parse(R"({"Ulimits":[{"Name":"nofile","Soft":10,"Hard":20},{"Name":"core","Soft":-1,"Hard":-1}]})");
    SpecInputs from = inputs();
    from.default_ulimits = {{"nofile", 1, 2}, {"nproc", 3, 4}};
    EXPECT_EQ(made(from).at("process").at("rlimits"), Json::parse(R"([{"type":"RLIMIT_NOFILE","soft":10,"hard":20},
                              {"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615},
                              {"type":"RLIMIT_NPROC","soft":3,"hard":4}])"));
    host = Json::parse(R"({"Ulimits":[{"Name":"files","Soft":1,"Hard":1}]})");
    EXPECT_EQ(refusal(), "HostConfig.Ulimits: invalid ulimit type: files");
    host = Json::parse(R"({"Ulimits":[{"Name":"nofile","Soft":-1,"Hard":1}]})");
    EXPECT_THAT(refusal(), HasSubstr("soft limit must be less than or equal to hard limit: -1 > 1"));
}

TEST_F(SpecTest, TheCgroupIsWhereClientsLookForTheId) {
    const std::string id(64, 'c');
    EXPECT_EQ(made().at("linux").at("cgroupsPath"), "/ecs-containerd/" + id);
    host = {{"CgroupParent", "/ecs/task1/"}};
    EXPECT_EQ(made().at("linux").at("cgroupsPath"), "/ecs/task1/" + id);
    host = {{"CgroupParent", "../../outside"}};
    EXPECT_EQ(made().at("linux").at("cgroupsPath"), "/outside/" + id) << "never above the hierarchy";
    SpecInputs from = inputs();
    from.systemd_cgroup = true;
    EXPECT_THAT(refusal(from), HasSubstr("xxx.slice"));
    host = {{"CgroupParent", "ecstasks-t.slice"}};
    EXPECT_EQ(made(from).at("linux").at("cgroupsPath"), "ecstasks-t.slice:ecs:" + id);
    host = Json::object();
    EXPECT_EQ(made(from).at("linux").at("cgroupsPath"), "system.slice:ecs:" + id);
}

TEST_F(SpecTest, SecurityOptionsSayWhatHoldsBack) {
    host = Json::parse(R"({"SecurityOpt":["no-new-privileges","label=disable","seccomp=unconfined","apparmor=mine"]})");
    SpecInputs from = inputs();
    from.apparmor = true;
    Json spec = made(from);
    EXPECT_EQ(spec.at("process").at("noNewPrivileges"), true);
    EXPECT_EQ(spec.at("process").at("apparmorProfile"), "mine");
    EXPECT_FALSE(spec.at("linux").contains("seccomp"));
    host = Json::parse(R"({"SecurityOpt":["no-new-privileges:false","seccomp={\"defaultAction\":\"SCMP_ACT_LOG\"}"]})");
    spec = made(from);
    EXPECT_EQ(spec.at("process").at("noNewPrivileges"), false);
    EXPECT_EQ(spec.at("process").at("apparmorProfile"), "docker-default");
    EXPECT_EQ(spec.at("linux").at("seccomp").at("defaultAction"), "SCMP_ACT_LOG");
    host = Json::parse(R"({"SecurityOpt":["tomoyo=on"]})");
    EXPECT_EQ(refusal(), "invalid --security-opt 2: \"tomoyo=on\"");
    host = Json::parse(R"({"SecurityOpt":["strict"]})");
    EXPECT_EQ(refusal(), "invalid --security-opt 1: \"strict\"");
}

TEST_F(SpecTest, APrivilegedContainerIsHeldBackByNothing) {
    host = Json::parse(R"({"Privileged":true,"ReadonlyRootfs":true})");
    SpecInputs from = inputs();
    from.apparmor = true;
    const Json spec = made(from);
    EXPECT_FALSE(spec.at("linux").contains("seccomp"));
    EXPECT_FALSE(spec.at("linux").contains("maskedPaths"));
    EXPECT_FALSE(spec.at("linux").contains("readonlyPaths"));
    EXPECT_THAT(options(spec, "/sys"), Not(Contains("ro")));
    EXPECT_THAT(options(spec, "/sys/fs/cgroup"), Not(Contains("ro")));
    EXPECT_EQ(spec.at("process").at("apparmorProfile"), "unconfined");
    EXPECT_EQ(spec.at("process").at("capabilities").at("effective").size(), 41U);
}

TEST_F(SpecTest, PathsToHideCanBeChosen) {
    host = Json::parse(R"({"MaskedPaths":[],"ReadonlyPaths":["/proc/sys"]})");
    EXPECT_FALSE(made().at("linux").contains("maskedPaths"));
    EXPECT_EQ(made().at("linux").at("readonlyPaths"), Json::array({"/proc/sys"}));
}

TEST_F(SpecTest, WhatATaskWouldNoticeAndCannotHaveIsRefusedByName) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {R"({"DeviceRequests":[{"Driver":"nvidia","Count":-1}]})", "HostConfig.DeviceRequests"},
        {R"({"StorageOpt":{"size":"10G"}})", "HostConfig.StorageOpt"},
        {R"({"UsernsMode":"private"})", "HostConfig.UsernsMode"},
        {R"({"Isolation":"hyperv"})", "Invalid isolation: \"hyperv\""},
        {R"({"RestartPolicy":{"Name":"always"}})", "HostConfig.RestartPolicy"},
        {R"({"AutoRemove":true})", "HostConfig.AutoRemove"},
        {R"({"IpcMode":"mine"})", "Invalid IPC mode: mine"},
        {R"({"PidMode":"mine"})", "invalid PID mode: mine"},
        {R"({"UTSMode":"mine"})", "invalid UTS mode: mine"},
        {R"({"CgroupnsMode":"mine"})", "invalid cgroup namespace mode: mine"},
        {R"({"OomScoreAdj":1001})", "range for oom score adj"},
    };
    for (const auto& [document, text] : cases) {
        host = Json::parse(document);
        EXPECT_THAT(refusal(), HasSubstr(text)) << document;
    }
    host = Json::parse(R"({"RestartPolicy":{"Name":"no"},"UsernsMode":"host","Isolation":"default"})");
    EXPECT_TRUE(runtime_spec(inputs()));
    config = {{"Hostname", "web"}};
    host = {{"UTSMode", "host"}};
    EXPECT_EQ(refusal(), "conflicting options: hostname and the UTS mode");
    host = {{"NetworkMode", "container:pause"}};
    EXPECT_EQ(refusal(), "conflicting options: hostname and the network mode");
    host = Json::object();
    config = {{"WorkingDir", "app"}};
    EXPECT_THAT(refusal(), HasSubstr("the working directory 'app' is invalid"));
}

TEST_F(SpecTest, AnExecIsTheContainersProcessWithAnotherCommand) {
    config = Json::parse(R"({"Env":["A=1"],"Tty":true})");
    const Json spec = made();
    const Json process = Json::parse(with_command(exec_template(dump_json(spec)), {"true", "-x"}));
    Json expected = spec.at("process");
    expected["args"] = Json::array({"true", "-x"});
    expected["terminal"] = false;
    EXPECT_EQ(process, expected);
    EXPECT_EQ(exec_template("no document"), "{}");
    EXPECT_EQ(Json::parse(with_command("", {"a"})), Json::parse(R"({"args":["a"]})"));
}

TEST_F(SpecTest, AnnotationsAreHandedOn) {
    host = Json::parse(R"({"Annotations":{"run.oci.keep_original_groups":"1"}})");
    EXPECT_EQ(made().at("annotations").at("run.oci.keep_original_groups"), "1");
}

/// Every object in `from` that Docker gave back for a container.
void collect_inspects(const Json& from, std::vector<const Json*>& found) {
    if (from.is_object() && from.contains("HostConfig") && from.contains("Config")) found.push_back(&from);
    if (!from.is_structured()) return;
    for (const Json& inner : from) collect_inspects(inner, found);
}

TEST_F(SpecTest, TakesEveryDocumentThatDockerHasRunForATask) {
    std::size_t seen = 0;
    for (const char* trace : {"g_ports", "i_metadata", "o_volumes", "s_inspect"}) {
        const auto text = read_file(std::string(NODEAGENT_TEST_DATA) + "/traces/" + trace + "/docker_inspect.json");
        ASSERT_TRUE(text) << trace;
        const Json recorded = Json::parse(*text);
        std::vector<const Json*> inspects;
        collect_inspects(recorded, inspects);
        for (const Json* one : inspects) {
            config = one->at("Config");
            host = one->at("HostConfig");
            SpecInputs from = inputs();
            from.init_program = "/usr/bin/tini-static";
            const auto spec = runtime_spec(from);
            EXPECT_TRUE(spec) << trace << ": " << spec.error().what << host;
            ++seen;
        }
    }
    EXPECT_GT(seen, 10U);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
