#pragma once
// Config and HostConfig with any of Docker's members, of the right shape or not, in range or not: what a property test
// needs. The same seed makes the same documents.

#include <random>
#include <string>
#include <vector>

#include "agent/base/json.hpp"

namespace nodeagent::fakes {

class RandomDocuments {
  public:
    explicit RandomDocuments(unsigned seed) : random_(seed) {}

    Json config() {
        return some_of({{"Hostname", 't'},
                        {"Domainname", 't'},
                        {"User", 't'},
                        {"Tty", 'b'},
                        {"Env", 'l'},
                        {"Cmd", 'l'},
                        {"Entrypoint", 'l'},
                        {"Volumes", 'm'},
                        {"WorkingDir", 't'},
                        {"NetworkDisabled", 'b'}});
    }
    Json host_config() {
        return some_of({{"Binds", 'l'},
                        {"NetworkMode", 't'},
                        {"VolumeDriver", 't'},
                        {"VolumesFrom", 'l'},
                        {"CapAdd", 'l'},
                        {"CapDrop", 'l'},
                        {"CgroupnsMode", 't'},
                        {"GroupAdd", 'l'},
                        {"IpcMode", 't'},
                        {"OomScoreAdj", 'i'},
                        {"PidMode", 't'},
                        {"Privileged", 'b'},
                        {"ReadonlyRootfs", 'b'},
                        {"SecurityOpt", 'l'},
                        {"StorageOpt", 'm'},
                        {"Tmpfs", 'm'},
                        {"UTSMode", 't'},
                        {"UsernsMode", 't'},
                        {"ShmSize", 'i'},
                        {"Sysctls", 'm'},
                        {"Annotations", 'm'},
                        {"CpuShares", 'i'},
                        {"Memory", 'i'},
                        {"NanoCpus", 'i'},
                        {"CgroupParent", 't'},
                        {"BlkioWeight", 'i'},
                        {"BlkioWeightDevice", 'o'},
                        {"BlkioDeviceReadBps", 'o'},
                        {"CpuPeriod", 'i'},
                        {"CpuQuota", 'i'},
                        {"CpuRealtimePeriod", 'i'},
                        {"CpusetCpus", 't'},
                        {"Devices", 'o'},
                        {"DeviceCgroupRules", 'l'},
                        {"KernelMemory", 'i'},
                        {"MemoryReservation", 'i'},
                        {"MemorySwap", 'i'},
                        {"MemorySwappiness", 'i'},
                        {"OomKillDisable", 'b'},
                        {"PidsLimit", 'i'},
                        {"Ulimits", 'o'},
                        {"Mounts", 'o'},
                        {"MaskedPaths", 'l'},
                        {"ReadonlyPaths", 'l'},
                        {"Init", 'b'}});
    }
    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  private:
    struct Member {
        const char* name;
        char shape;
    };
    Json some_of(const std::vector<Member>& members) {
        Json out = Json::object();
        for (std::size_t i = below(6); i > 0; --i) {
            const Member& member = members[below(members.size())];
            out[member.name] = below(12) == 0 ? value("tbilmo"[below(6)]) : value(member.shape);
        }
        return out;
    }
    Json value(char shape) {
        switch (shape) {
            case 't': return text();
            case 'b': return below(2) == 0;
            case 'i': return number();
            case 'l': return list([this] { return Json(text()); });
            case 'm': {
                Json out = Json::object();
                for (std::size_t i = below(3); i > 0; --i) out[text()] = text();
                return out;
            }
            default:
                return list([this] {
                    return some_of({{"Name", 't'},
                                    {"Soft", 'i'},
                                    {"Hard", 'i'},
                                    {"Path", 't'},
                                    {"Rate", 'i'},
                                    {"Weight", 'i'},
                                    {"PathOnHost", 't'},
                                    {"PathInContainer", 't'},
                                    {"CgroupPermissions", 't'},
                                    {"Type", 't'},
                                    {"Source", 't'},
                                    {"Target", 't'},
                                    {"ReadOnly", 'b'},
                                    {"TmpfsOptions", 'm'},
                                    {"BindOptions", 'm'}});
                });
        }
    }
    template <class Make>
    Json list(Make make) {
        Json out = Json::array();
        for (std::size_t i = below(4); i > 0; --i) out.push_back(below(20) == 0 ? Json(nullptr) : Json(make()));
        return out;
    }
    Json number() {
        static const std::vector<Json> kNumbers{0,
                                                -1,
                                                1,
                                                2,
                                                10,
                                                100,
                                                512,
                                                1000,
                                                100000,
                                                4194304,
                                                6291456,
                                                67108864,
                                                1500000000,
                                                -2147483648LL,
                                                9223372036854775807LL,
                                                (-9223372036854775807LL - 1),
                                                18446744073709551615ULL};
        return kNumbers[below(kNumbers.size())];
    }
    std::string text() {
        static const std::vector<std::string> kTexts{"",
                                                     "host",
                                                     "private",
                                                     "none",
                                                     "ALL",
                                                     "NET_ADMIN",
                                                     "cap_chown",
                                                     "/",
                                                     "/a",
                                                     "/a/../b",
                                                     "a",
                                                     "../..",
                                                     "=",
                                                     "A=1",
                                                     "A=",
                                                     "/x:/y:ro",
                                                     "v1:/y",
                                                     "/x",
                                                     "c 1:* rwm",
                                                     "nofile",
                                                     "core",
                                                     "/dev/null",
                                                     "rwm",
                                                     "seccomp={}",
                                                     "seccomp=unconfined",
                                                     "no-new-privileges",
                                                     "label=disable",
                                                     "net.core.somaxconn",
                                                     "kernel.shmmax",
                                                     "0-1",
                                                     "1024",
                                                     "size=1m",
                                                     "bind",
                                                     "volume",
                                                     "tmpfs",
                                                     "container:x",
                                                     "ecs.slice",
                                                     "\xff\xfe",
                                                     "\xc3\xa4",
                                                     "a\nb",
                                                     std::string(1, '\0'),
                                                     "web:ro",
                                                     "1000:1000",
                                                     std::string(3000, 'x')};
        return kTexts[below(kTexts.size())];
    }
    std::mt19937 random_;
};

}  // namespace nodeagent::fakes
