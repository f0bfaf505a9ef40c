// The OCI document that dockerd hands to its runtime, and ours for the same Docker documents: member for member.
// NODEAGENT_TEST_DOCKER names the daemon; it must run in the mount and process namespaces of the test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "agent/base/files.hpp"
#include "runtime/containerd/mounts.hpp"
#include "runtime/containerd/oci/capabilities.hpp"
#include "runtime/containerd/oci/cgroup_support.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/integration/docker_document/comparable.hpp"

namespace nodeagent::runtime::containerd {
namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nother:x:1001:2000::/:/bin/sh\n";
constexpr const char* kGroup = "root:x:0:\naudio:x:29:app\napp:x:1000:\nextra:x:2000:app\n";

struct Case {
    const char* name;
    const char* config;
    const char* host_config;
};
std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }

std::string text_in(const std::string& path) {
    auto text = read_file(path);
    if (!text) throw std::runtime_error(text.error().what);
    return *std::move(text);
}

/// An image with every default an image can have.
class Documents : public testing::TestWithParam<Case> {
  protected:
    static void SetUpTestSuite() {
        world_ = new docker::DockerWorld();
        docker::Tar tar;
        tar.file("bin/busybox", text_in("/bin/busybox"));
        tar.link("bin/sleep", "busybox");
        tar.file("etc/passwd", kPasswd);
        tar.file("etc/group", kGroup);
        std::string target = "/images/create?fromSrc=-&tag=1&repo=" + image_name();
        for (const char* change : {"ENV%20COLOR=blue", "ENV%20PATH=/bin", "WORKDIR%20/srv/app", "USER%20app",
                                   "VOLUME%20/data", "CMD%20[%22sleep%22,%22600%22]"}) {
            target += std::string("&changes=") + change;
        }
        const auto made = world_->call("POST", target, tar.finish(), "application/x-tar");
        if (made.status != 200 || made.body.find("error") != std::string::npos) throw std::runtime_error(made.body);
    }
    static void TearDownTestSuite() {
        world_->call("DELETE", "/images/" + image_name() + ":1?force=1");
        // the parent of the containers' cgroups is nobody's to remove but ours
        for (const auto& hierarchy : std::filesystem::directory_iterator("/sys/fs/cgroup")) {
            ::rmdir((hierarchy.path().string() + "/" + world_->prefix() + "documents").c_str());
        }
        delete world_;
        world_ = nullptr;
    }
    static std::string image_name() { return world_->prefix() + "document"; }

    Documents() {
        std::filesystem::create_directories(folder_ + "/source/inner");
        config_ = parsed(GetParam().config);
        host_ = parsed(GetParam().host_config);
        config_["Image"] = image_name() + ":1";
        host_["CgroupParent"] = "/" + world_->prefix() + "documents";
        if (!host_.contains("NetworkMode")) host_["NetworkMode"] = "none";
        image_.env = {"COLOR=blue", "PATH=/bin"};
        image_.working_dir = "/srv/app";
        image_.user = "app";
        image_.volumes = {"/data"};
        image_.cmd = {"sleep", "600"};
    }
    [[nodiscard]] Json parsed(const char* text) const {
        return Json::parse(document_parity::replaced(text, "SOURCE", folder_ + "/source"));
    }

    /// dockerd's document, or its refusal as a text. `id_` becomes the container's.
    Json by_docker() {
        Json body = config_;
        body["HostConfig"] = host_;
        const auto created = world_->call("POST", "/containers/create", dump_json(body));
        if (created.status != 201) return message_of(created.body);
        id_ = Json::parse(created.body).at("Id");
        const auto started = world_->call("POST", "/containers/" + id_ + "/start");
        Json out = started.status == 204 ? Json() : Json(message_of(started.body));
        if (out.is_null()) {
            const Json state = Json::parse(world_->call("GET", "/containers/" + id_ + "/json").body).at("State");
            out = Json::parse(text_in(bundle_of(state.at("Pid")) + "/config.json"));
        }
        world_->call("DELETE", "/containers/" + id_ + "?force=1&v=1");
        return out;
    }

    Json by_us() {
        const auto user = oci::resolve_user(oci::user_word(config_, image_), groups(), kPasswd, kGroup);
        if (!user) return user.error().what;
        auto planned = plan_mounts(config_, host_, image_, volumes_,
                                   [](const std::string&) { return Result<std::vector<Mount>>(std::vector<Mount>()); });
        if (!planned) return planned.error().what;
        oci::SpecInputs inputs{.config = config_, .host_config = host_, .image = image_};
        inputs.container_id = id_;
        inputs.hostname = config_.value("Hostname", id_.substr(0, 12));
        inputs.domainname = config_.value("Domainname", "");
        inputs.user = *user;
        inputs.mounts = planned->mounts;
        const char* access = host_.value("ReadonlyRootfs", false) ? "ro" : "rw";
        for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
            inputs.mounts.push_back({"bind",
                                     std::string("/containers/") + name,
                                     std::string("/etc/") + name,
                                     {"rbind", access, "rprivate"}});
        }
        if (host_.at("NetworkMode") != "host") inputs.netns_path = "/run/netns/ecs-" + id_;
        if (host_.value("PidMode", "") == "host") inputs.pid_namespace = "host";
        const std::string ipc = host_.value("IpcMode", "");
        if (ipc == "host") inputs.ipc_namespace = "host";
        if (ipc == "shareable") inputs.shm_source = "/containers/shm";
        inputs.init_program = "/usr/bin/tini-static";
        inputs.last_capability = 37;  // Docker 20.10 of Debian knows no later ones
        inputs.available_capabilities = bounding_set();
        inputs.cgroups = oci::cgroup_support("/sys/fs/cgroup", false);
        struct utsname kernel {};
        ::uname(&kernel);
        std::sscanf(kernel.release, "%d.%d", &inputs.kernel_major, &inputs.kernel_minor);
        const auto spec = oci::runtime_spec(inputs);
        return spec ? *spec : Json(spec.error().what);
    }

    std::string id_ = std::string(64, 'f');

  private:
    static std::string message_of(const std::string& body) { return Json::parse(body).value("message", body); }
    static std::uint64_t bounding_set() {
        const std::string status = text_in("/proc/self/status");
        for (const std::string_view line : split(status, '\n')) {
            if (line.starts_with("CapBnd:")) return std::stoull(std::string(line.substr(7)), nullptr, 16);
        }
        return 0;
    }
    /// The shim, its parent, works in the bundle.
    static std::string bundle_of(int pid) {
        const std::string stat = text_in("/proc/" + std::to_string(pid) + "/stat");
        const auto words = split(std::string_view(stat).substr(stat.rfind(')') + 2), ' ');
        return std::filesystem::read_symlink("/proc/" + std::string(words.at(1)) + "/cwd").string();
    }
    [[nodiscard]] std::vector<std::string> groups() const {
        return host_.value("GroupAdd", Json::array()).get<std::vector<std::string>>();
    }

    static docker::DockerWorld* world_;
    fakes::TempDirectory folder_;
    Volumes volumes_{folder_.path()};
    Json config_, host_;
    ImageConfig image_;
};
docker::DockerWorld* Documents::world_ = nullptr;

TEST_P(Documents, AreTheSameAsThoseOfDocker) {
    const Json theirs = by_docker(), ours = by_us();
    ASSERT_TRUE(theirs.is_object()) << theirs;
    ASSERT_TRUE(ours.is_object()) << ours;
    const Json wanted = document_parity::comparable(theirs, id_), found = document_parity::comparable(ours, id_);
    const Json changes = Json::diff(wanted, found);
    std::string text;
    for (const Json& change : changes) {
        const Json::json_pointer place(change.at("path").get<std::string>());
        text += "\n  " + dump_json(change);
        if (wanted.contains(place)) text += " Docker: " + dump_json(wanted.at(place));
    }
    if (!text.empty()) ADD_FAILURE() << text;
}

class RefusedDocuments : public Documents {};

TEST_P(RefusedDocuments, AreRefusedInTheWordsOfDocker) {
    const Json theirs = by_docker(), ours = by_us();
    ASSERT_TRUE(theirs.is_string()) << theirs;
    EXPECT_EQ(ours, theirs);
}

constexpr Case kCases[] = {
    {"NothingGiven", "{}", "{}"},
    {"User", R"({"User":"other","WorkingDir":"/tmp/x","Hostname":"here","Domainname":"example.org"})", "{}"},
    {"UserByNumber", R"({"User":"1000:29"})", R"({"GroupAdd":["extra","4000"]})"},
    {"UserUnknownByNumber", R"({"User":"7:8"})", "{}"},
    {"RootWithGroups", R"({"User":"0"})", R"({"GroupAdd":["audio"]})"},
    {"Environment", R"({"Env":["COLOR=red","B=","C=x=y","PATH=/x:/bin","HOSTNAME=mine","B=2"],"Tty":true})", "{}"},
    {"Entrypoint", R"({"Entrypoint":["/bin/busybox","sleep"],"Cmd":["600"]})", "{}"},
    {"CapabilitiesAdded", R"({"User":"0"})", R"({"CapAdd":["sys_ptrace","CAP_NET_ADMIN"],"CapDrop":["MKNOD"]})"},
    {"CapabilitiesAllDropped", R"({"User":"0"})", R"({"CapDrop":["ALL"],"CapAdd":["CHOWN","SYS_NICE"]})"},
    {"CapabilitySysAdmin", R"({"User":"0"})",
     R"({"CapAdd":["SYS_ADMIN","SYSLOG","SYS_TIME","DAC_READ_SEARCH","SYS_MODULE","SYS_BOOT","SYS_PACCT","SYS_RAWIO","SYS_TTY_CONFIG"]})"},
    {"Unconfined", "{}", R"({"SecurityOpt":["seccomp=unconfined","no-new-privileges"]})"},
    {"SeccompProfile", "{}",
     R"({"SecurityOpt":["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":[{\"names\":[\"chmod\",\"kcmp\"],\"action\":\"SCMP_ACT_ERRNO\"},{\"names\":[\"acct\"],\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"caps\":[\"CAP_SYS_PACCT\"]}}]}","no-new-privileges:true","label=disable"]})"},
    {"Memory", "{}", R"({"Memory":67108864,"MemoryReservation":33554432})"},
    {"MemoryAndSwap", "{}", R"({"Memory":67108864,"MemorySwap":134217728,"MemorySwappiness":10})"},
    {"MemoryWithoutSwapLimit", "{}", R"({"Memory":67108864,"MemorySwap":-1,"OomKillDisable":true})"},
    {"ReservationOnly", "{}", R"({"MemoryReservation":33554432,"OomScoreAdj":200})"},
    {"CpuShares", "{}", R"({"CpuShares":512,"CpusetCpus":"0","CpusetMems":"0"})"},
    {"NanoCpus", "{}", R"({"NanoCpus":1500000000})"},
    {"CpuQuota", "{}", R"({"CpuPeriod":50000,"CpuQuota":25000})"},
    {"Pids", "{}", R"({"PidsLimit":100})"},
    {"PidsUnlimited", "{}", R"({"PidsLimit":-1})"},
    {"BlockIo", "{}", R"({"BlkioWeight":300})"},
    {"Ulimits", "{}", R"({"Ulimits":[{"Name":"nofile","Soft":1024,"Hard":2048},{"Name":"core","Soft":0,"Hard":0}]})"},
    {"Sysctls", "{}", R"({"Sysctls":{"net.core.somaxconn":"512","kernel.shmmax":"1000000"}})"},
    {"Binds", "{}",
     R"({"Binds":["SOURCE:/a","SOURCE/inner:/b:ro","SOURCE:/e:rprivate,ro","SOURCE:/f:z","named:/g:nocopy"]})"},
    {"Mounts", "{}",
     R"({"Mounts":[{"Type":"bind","Source":"SOURCE","Target":"/m","ReadOnly":true},{"Type":"bind","Source":"SOURCE","Target":"/n","BindOptions":{"Propagation":"private","NonRecursive":true}},{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576,"Mode":488}},{"Type":"volume","Target":"/v"}]})"},
    {"ImageVolumeTaken", "{}", R"({"Binds":["SOURCE:/data:ro"]})"},
    {"Tmpfs", "{}", R"({"Tmpfs":{"/run":"","/scratch":"rw,exec,size=1m,mode=1700"},"ShmSize":33554432})"},
    {"TmpfsOverShm", "{}", R"({"Tmpfs":{"/dev/shm":"size=2m"}})"},
    {"ReadOnlyRoot", "{}", R"({"ReadonlyRootfs":true})"},
    {"ReadOnlyRootWithTmpfs", "{}", R"({"ReadonlyRootfs":true,"Tmpfs":{"/run":""},"Binds":["SOURCE:/w"]})"},
    {"Devices", "{}",
     R"({"Devices":[{"PathOnHost":"/dev/zero","PathInContainer":"/dev/xzero","CgroupPermissions":"r"},{"PathOnHost":"/dev/full","PathInContainer":"/dev/full","CgroupPermissions":"rwm"}],"DeviceCgroupRules":["c 42:* rmw","b 7:1 r"]})"},
    {"HostNetwork", R"({"Hostname":"x"})", R"({"NetworkMode":"host"})"},
    {"HostPid", "{}", R"({"PidMode":"host"})"},
    {"HostIpc", "{}", R"({"IpcMode":"host"})"},
    {"NoIpc", "{}", R"({"IpcMode":"none"})"},
    {"PrivateIpc", "{}", R"({"IpcMode":"private","ShmSize":1048576})"},
    {"ShareableIpc", "{}", R"({"IpcMode":"shareable"})"},
    {"HostUts", "{}", R"({"UTSMode":"host"})"},
    {"PrivateCgroupNamespace", "{}", R"({"CgroupnsMode":"private"})"},
    {"PathsOfItsOwn", "{}", R"({"MaskedPaths":["/proc/keys"],"ReadonlyPaths":[]})"},
    {"HostUserNamespace", "{}", R"({"UsernsMode":"host"})"},
};

constexpr Case kRefused[] = {
    {"UserUnknown", R"({"User":"nobody-here"})", "{}"},
    {"CapabilityUnknown", "{}", R"({"CapAdd":["FLYING"]})"},
    {"MemoryTooSmall", "{}", R"({"Memory":1024})"},
    {"SwapBelowMemory", "{}", R"({"Memory":67108864,"MemorySwap":33554432})"},
    {"SwapWithoutMemory", "{}", R"({"MemorySwap":33554432})"},
    {"ReservationAboveMemory", "{}", R"({"Memory":67108864,"MemoryReservation":134217728})"},
    {"Swappiness", "{}", R"({"MemorySwappiness":101})"},
    {"NanoCpusBesideQuota", "{}", R"({"NanoCpus":100000000,"CpuQuota":1000})"},
    {"TooManyCpus", "{}", R"({"NanoCpus":900000000000})"},
    {"CpuPeriod", "{}", R"({"CpuPeriod":5})"},
    {"CpuQuota", "{}", R"({"CpuQuota":5})"},
    {"CpusetUnknown", "{}", R"({"CpusetCpus":"4000"})"},
    {"OomScore", "{}", R"({"OomScoreAdj":2000})"},
    {"ShmSize", "{}", R"({"ShmSize":-1})"},
    {"IpcMode", "{}", R"({"IpcMode":"other"})"},
    {"CgroupnsMode", "{}", R"({"CgroupnsMode":"other"})"},
    {"SecurityOption", "{}", R"({"SecurityOpt":["nonsense"]})"},
    {"SecurityOptionUnknown", "{}", R"({"SecurityOpt":["nonsense=1"]})"},
    {"BindOnRoot", "{}", R"({"Binds":["/tmp:/"]})"},
    {"BindMode", "{}", R"({"Binds":["/tmp:/x:wrong"]})"},
    {"BindRelative", "{}", R"({"Binds":["/tmp:x"]})"},
    {"BindTwice", "{}", R"({"Binds":["/tmp:/x","/tmp:/x"]})"},
    {"BindOfNothing", "{}", R"({"Mounts":[{"Type":"bind","Source":"/not/there","Target":"/x"}]})"},
    {"MountUnknown", "{}", R"({"Mounts":[{"Type":"cloud","Target":"/x"}]})"},
    {"MountWithoutTarget", "{}", R"({"Mounts":[{"Type":"tmpfs"}]})"},
    {"DeviceAbsent", "{}",
     R"({"Devices":[{"PathOnHost":"/dev/not-there","PathInContainer":"/dev/x","CgroupPermissions":"r"}]})"},
    {"DeviceRule", "{}", R"({"DeviceCgroupRules":["nonsense"]})"},
    {"WorkingDirectory", R"({"WorkingDir":"relative"})", "{}"},
    {"EnvironmentNameless", R"({"Env":["=x"]})", "{}"},
    {"Isolation", "{}", R"({"Isolation":"hyperv"})"},
};

INSTANTIATE_TEST_SUITE_P(Docker, RefusedDocuments, testing::ValuesIn(kRefused),
                         [](const auto& given) { return std::string(given.param.name); });
INSTANTIATE_TEST_SUITE_P(Docker, Documents, testing::ValuesIn(kCases),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace nodeagent::runtime::containerd
