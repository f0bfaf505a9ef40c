// The same documents once to a Docker daemon and once, as our OCI document, to runc: a process inside must find the
// same place. Needs root. NODEAGENT_TEST_DOCKER names the daemon.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/base/files.hpp"
#include "runtime/containerd/mounts.hpp"
#include "runtime/containerd/oci/cgroup_support.hpp"
#include "runtime/containerd/oci/rootfs.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/integration/runc_parity/report.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using parity::Sections;

struct Case {
    const char* name;
    const char* config;
    const char* host_config;
    friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

/// Text of a file, "" without one.
std::string text_in(const std::string& path) {
    auto text = read_file(path);
    return text ? *std::move(text) : std::string();
}

/// What runc can give on here: this process's own bounding set.
std::uint64_t capabilities_here() {
    const std::string status = text_in("/proc/self/status");
    const std::size_t at = status.find("CapBnd:");
    return at == std::string::npos ? ~std::uint64_t{0} : std::stoull(status.substr(at + 7), nullptr, 16);
}

/// Runs the documents of a case in both ways.
class TwoWays {
  public:
    static void begin() { world_ = new docker::DockerWorld(); }
    static void end() {
        for (const auto& hierarchy : std::filesystem::directory_iterator("/sys/fs/cgroup")) {
            ::rmdir((hierarchy.path() / (world_->prefix() + "parity")).c_str());
        }
        delete world_;
        world_ = nullptr;
    }

    TwoWays() {
        for (const char* folder : {"/docker", "/ours", "/root/bin", "/root/etc", "/bundle", "/source"}) {
            std::filesystem::create_directories(folder_ + folder);
        }
        std::ofstream(folder_ + "/source/file") << "content\n";
        ::chmod((folder_ + "").c_str(), 0755);
        for (const char* folder : {"/docker", "/ours", "/source"}) ::chmod((folder_ + folder).c_str(), 0777);
    }

    /// The documents with what both ways need; `out` is where the report comes.
    Json config_for(const Case& given) const {
        Json config = Json::parse(given.config);
        config["Image"] = world_->image();
        const Json host = Json::parse(given.host_config);
        if (host.value("UTSMode", "") != "host") config["Hostname"] = "parity";
        config["Cmd"] = Json::array({"sh", "-c", parity::kScript});
        return config;
    }
    Json host_config_for(const Case& given, const std::string& out) const {
        std::string text = given.host_config;
        for (std::size_t at; (at = text.find("SOURCE")) != std::string::npos;) text.replace(at, 6, folder_ + "/source");
        Json host = Json::parse(text);
        host["Binds"].push_back(out + ":/report");
        host["CgroupParent"] = "/" + world_->prefix() + "parity";
        if (!host.contains("NetworkMode")) host["NetworkMode"] = "none";
        return host;
    }

    std::string by_docker(const Case& given) {
        const std::string name = world_->prefix() + given.name;
        Json body = config_for(given);
        body["HostConfig"] = host_config_for(given, folder_ + "/docker");
        const auto created = world_->call("POST", "/containers/create?name=" + name, dump_json(body));
        if (created.status != 201) throw std::runtime_error("docker create: " + created.body);
        const std::string id = Json::parse(created.body).at("Id");
        const auto started = world_->call("POST", "/containers/" + id + "/start");
        const auto waited = world_->call("POST", "/containers/" + id + "/wait");
        const auto logs = world_->call("GET", "/containers/" + id + "/logs?stdout=1&stderr=1");
        world_->call("DELETE", "/containers/" + id + "?force=1&v=1");
        if (started.status != 204) throw std::runtime_error("docker start: " + started.body);
        return report_of(folder_ + "/docker", id, waited.body + logs.body);
    }

    std::string by_ours(const Case& given, const std::string& runtime) {
        const std::string id = uuid_digits() + uuid_digits();
        const Json config = config_for(given);
        const Json host = host_config_for(given, folder_ + "/ours");
        ImageConfig image;
        make_root();
        auto planned = plan_mounts(config, host, image, volumes_,
                                   [](const std::string&) { return Result<std::vector<Mount>>(std::vector<Mount>()); });
        if (!planned) throw std::runtime_error(planned.error().what);
        oci::SpecInputs inputs{.config = config, .host_config = host, .image = image};
        inputs.container_id = id;
        inputs.hostname = config.value("Hostname", id.substr(0, 12));
        inputs.domainname = config.value("Domainname", "");
        inputs.mounts = planned->mounts;
        for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
            std::ofstream(folder_ + "/bundle/" + name) << "";
            inputs.mounts.push_back({"bind",
                                     folder_ + "/bundle/" + name,
                                     std::string("/etc/") + name,
                                     {"rbind", host.value("ReadonlyRootfs", false) ? "ro" : "rw", "rprivate"}});
        }
        if (host.at("NetworkMode") != "host") inputs.netns_path = "/new";  // runc makes it, see below
        if (host.value("PidMode", "") == "host") inputs.pid_namespace = "host";
        if (host.value("IpcMode", "") == "host") inputs.ipc_namespace = "host";
        inputs.init_program = "/usr/bin/tini-static";
        inputs.last_capability = 37;  // Docker 20.10 knows no later ones
        inputs.available_capabilities = capabilities_here();
        inputs.cgroups = oci::cgroup_support("/sys/fs/cgroup", false);
        struct utsname kernel {};
        ::uname(&kernel);
        std::sscanf(kernel.release, "%d.%d", &inputs.kernel_major, &inputs.kernel_minor);
        prepare(config, host, image, *planned, inputs.user);

        auto spec = oci::runtime_spec(inputs);
        if (!spec) throw std::runtime_error(spec.error().what);
        for (Json& one : spec->at("linux").at("namespaces")) {
            if (one.value("path", "") == "/new") one.erase("path");
        }
        std::ofstream(folder_ + "/bundle/config.json") << dump_json(*spec);
        const std::string command = runtime + " --root " + folder_.path() + "/state run --bundle " + folder_.path() +
                                    "/bundle " + id + " </dev/null >" + folder_.path() + "/said 2>&1";
        std::filesystem::remove(folder_ + "/ours/done");
        (void)std::system(command.c_str());
        return report_of(folder_ + "/ours", id, text_in(folder_ + "/said"));
    }

    static std::string report_of(const std::string& folder, const std::string& id, const std::string& said) {
        auto report = read_file(folder + "/done");
        if (!report) {
            throw std::runtime_error("no report: " + said + text_in(folder + "/out"));
        }
        for (const std::string& one : {id, id.substr(0, 12)}) {
            for (std::size_t at; (at = report->find(one)) != std::string::npos;)
                report->replace(at, one.size(), "<id>");
        }
        return *report;
    }

    static docker::DockerWorld* world_;
    fakes::TempDirectory folder_;
    Volumes volumes_{folder_ + "/data"};

  private:
    static std::string uuid_digits() {
        std::string digits = uuid4();
        std::erase(digits, '-');
        return digits;
    }

    /// The files of the image of DockerWorld.
    void make_root() {
        std::filesystem::remove_all(folder_ + "/bundle/rootfs");
        std::filesystem::create_directories(folder_ + "/bundle/rootfs/bin");
        std::filesystem::copy_file("/bin/busybox", folder_ + "/bundle/rootfs/bin/busybox");
        std::filesystem::create_symlink("busybox", folder_ + "/bundle/rootfs/bin/sh");
    }

    /// As the backend does it before a container's record is made.
    void prepare(const Json& config, const Json& host, const ImageConfig& image, const PlannedMounts& planned,
                 oci::User& user) {
        std::vector<std::string> groups;
        for (const Json& group : host.value("GroupAdd", Json::array())) groups.push_back(group);
        const std::vector<SnapshotMount> mounts{{"bind", folder_ + "/bundle/rootfs", {"rbind", "rw"}}};
        const auto prepared = oci::with_root(mounts, [&](int root) -> Result<void> {
            auto resolved = oci::resolve_user(oci::user_word(config, image), groups,
                                              oci::read_in_root(root, "/etc/passwd", 1U << 20U),
                                              oci::read_in_root(root, "/etc/group", 1U << 20U));
            if (!resolved) return resolved.error();
            user = *std::move(resolved);
            for (const auto& copy : planned.copies) {
                if (auto done = oci::copy_from_root(root, copy.path, volumes_.mount_point(copy.volume).value());
                    !done) {
                    return done;
                }
            }
            return oci::make_directory_in_root(root, oci::working_directory(config, image));
        });
        if (!prepared) throw std::runtime_error(prepared.error().what);
    }
};

docker::DockerWorld* TwoWays::world_ = nullptr;

class RuncParity : public TwoWays, public testing::TestWithParam<Case> {
  public:
    static void SetUpTestSuite() { begin(); }
    static void TearDownTestSuite() { end(); }
};
class CrunParity : public TwoWays, public testing::Test {
  public:
    static void SetUpTestSuite() { begin(); }
    static void TearDownTestSuite() { end(); }
};
class RuncAlone : public CrunParity {};

std::vector<std::string> sorted(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    return lines;
}

/// Lines that say the same; mounts without the place of their files, namespaces as "own" and "the host's".
void make_comparable(Sections& sections) {
    for (std::string& line : sections["mounts"]) line = parity::comparable_mount(line);
    sections["mounts"] = sorted(sections["mounts"]);
    for (std::string& line : sections["namespaces"]) {
        const std::string kind = line.substr(0, line.find(' '));
        std::error_code failed;
        const std::string hosts = std::filesystem::read_symlink("/proc/self/ns/" + kind, failed).string();
        line = kind + (line == kind + " " + hosts ? " the host's" : " own");
    }
}

TEST_P(RuncParity, AProcessFindsWhatDockerShowsIt) {
    Sections docker = parity::sections_of(by_docker(GetParam()));
    Sections ours = parity::sections_of(by_ours(GetParam(), "runc"));
    ASSERT_GE(docker.size(), 12U);
    make_comparable(docker);
    make_comparable(ours);
    for (const auto& [section, lines] : docker) {
        if (ours[section] == lines) continue;
        std::vector<std::string> missing, extra;
        const auto with = sorted(lines), without = sorted(ours[section]);
        std::set_difference(with.begin(), with.end(), without.begin(), without.end(), std::back_inserter(missing));
        std::set_difference(without.begin(), without.end(), with.begin(), with.end(), std::back_inserter(extra));
        ADD_FAILURE() << section << "\nonly with Docker: " << testing::PrintToString(missing)
                      << "\nonly with runc: " << testing::PrintToString(extra)
                      << "\n(nothing: the same lines in another order)";
    }
}

INSTANTIATE_TEST_SUITE_P(
    Documents, RuncParity,
    testing::Values(
        Case{"plain", "{}", "{}"},
        Case{"environment", R"({"Env":["B=2","A=1","PATH=/x:/bin"],"WorkingDir":"/srv/deep/../app"})", "{}"},
        Case{"user", R"({"User":"1000:1001"})", R"({"GroupAdd":["44","55"]})"},
        Case{"capabilities", "{}", R"({"CapAdd":["NET_ADMIN","cap_sys_time"],"CapDrop":["MKNOD","CHOWN"]})"},
        Case{"none_allowed", "{}", R"({"CapDrop":["ALL"]})"}, Case{"admin", "{}", R"({"CapAdd":["SYS_ADMIN"]})"},
        Case{"no_new_privileges", R"({"User":"7"})", R"({"SecurityOpt":["no-new-privileges"]})"},
        Case{"unconfined", "{}", R"({"SecurityOpt":["seccomp=unconfined"],"MaskedPaths":[],"ReadonlyPaths":[]})"},
        Case{
            "own_seccomp", "{}",
            R"({"SecurityOpt":["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28}]}"]})"},
        Case{"read_only", "{}",
             R"({"ReadonlyRootfs":true,"ShmSize":1048576,"Tmpfs":{"/tmp":"size=2m,mode=1777","/mnt":"exec,rw"}})"},
        Case{"limits", "{}",
             R"({"Memory":67108864,"MemoryReservation":33554432,"MemorySwappiness":30,"CpuShares":300,"CpuPeriod":50000,
                 "CpuQuota":25000,"CpusetCpus":"0","PidsLimit":100,
                 "Ulimits":[{"Name":"nofile","Soft":100,"Hard":200},{"Name":"core","Soft":0,"Hard":0}]})"},
        Case{"swap", "{}", R"({"Memory":67108864,"MemorySwap":67108864,"NanoCpus":1500000000,"OomScoreAdj":200})"},
        Case{"devices", "{}",
             R"({"Devices":[{"PathOnHost":"/dev/zero","PathInContainer":"/dev/xzero","CgroupPermissions":"rw"}],
                 "DeviceCgroupRules":["c 10:* rm"]})"},
        Case{
            "mounts", "{}",
            R"({"Binds":["SOURCE:/data:ro"],"Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576}},
                 {"Type":"bind","Source":"SOURCE","Target":"/again","ReadOnly":true}]})"},
        Case{"volume", R"({"Volumes":{"/data":{}}})", "{}"},
        Case{"host_namespaces", "{}", R"({"PidMode":"host","IpcMode":"host","UTSMode":"host"})"},
        Case{"cgroup_namespace", "{}", R"({"CgroupnsMode":"private"})"},
        Case{"no_shared_memory", "{}", R"({"IpcMode":"none"})"},
        Case{"sysctls", R"({"Domainname":"example.org"})",
             R"({"Sysctls":{"net.core.somaxconn":"512","kernel.msgmax":"10000"}})"},
        Case{"init", "{}", R"({"Init":true})"}),
    [](const testing::TestParamInfo<Case>& of) { return std::string(of.param.name); });

TEST_F(CrunParity, CrunTakesTheSameDocument) {
    const Case plain{"crun", "{}", R"({"Memory":67108864,"CapDrop":["MKNOD"]})"};
    Sections by_runc = parity::sections_of(by_ours(plain, "runc"));
    // crun takes no host with both versions of cgroups mounted; in a mount namespace of its own there is one
    const std::string crun = "unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun \"$@\"' crun";
    Sections by_crun = parity::sections_of(by_ours(plain, crun));
    for (Sections* one : {&by_runc, &by_crun}) {
        make_comparable(*one);
        std::erase_if((*one)["cgroups"], [](const std::string& line) { return line.starts_with("0::"); });
    }
    for (const char* section :
         {"status", "environment", "cgroups", "namespaces", "cgroup values", "process", "sysctls"}) {
        EXPECT_EQ(by_crun[section], by_runc[section]) << section;
    }
}

/// Not beside Docker: Docker 20.10 starts none where the host itself lacks a capability.
TEST_F(RuncAlone, APrivilegedContainerHasTheHostsDevicesAndCapabilities) {
    const Case privileged{"privileged", "{}", R"({"Privileged":true})"};
    Sections seen = parity::sections_of(by_ours(privileged, "runc"));
    EXPECT_THAT(seen["status"], testing::Contains("Seccomp:\t0"));
    std::set<std::string> nodes;
    for (const std::string& line : seen["devices"]) nodes.insert(line.substr(0, line.find(' ')));
    for (const oci::Device& device : oci::host_devices().all()) EXPECT_TRUE(nodes.contains(device.path)) << device.path;
    EXPECT_THAT(seen["device rules"], testing::ElementsAre("a *:* rwm"));
    EXPECT_THAT(seen["attempts"], testing::Contains("/bin/busybox unshare -m /bin/busybox true -> 0 "));
    EXPECT_THAT(seen["mounts"], testing::Not(testing::Contains(testing::HasSubstr(" /sys/firmware "))));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
