#include "runtime/containerd/oci/kernel_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr std::array<std::string_view, 8> kIpcSysctls{"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                                      "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                                      "kernel.shmmni", "kernel.shm_rmid_forced"};

constexpr std::array<std::string_view, 15> kUlimitNames{"core",    "cpu",      "data",   "fsize",      "locks",
                                                        "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                                        "rss",     "rtprio",   "rttime", "sigpending", "stack"};

Result<void> check_sysctl(const std::string& name, const SpecInputs& inputs) {
    std::string dotted = name;
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    if (dotted.starts_with("net.")) {
        if (!inputs.netns_path.empty()) return {};
        return malformed("HostConfig.Sysctls: sysctl " + in_quotes(name) + " not allowed in host network namespace");
    }
    const bool is_ipc = dotted.starts_with("fs.mqueue.") ||
                        std::find(kIpcSysctls.begin(), kIpcSysctls.end(), dotted) != kIpcSysctls.end();
    if (is_ipc) {
        if (inputs.ipc_namespace != "host") return {};
        return malformed("HostConfig.Sysctls: sysctl " + in_quotes(name) +
                         " is not allowed in the hosts ipc namespace");
    }
    if (dotted == "kernel.domainname" && text_of(inputs.host_config, "UTSMode") != "host") return {};
    return malformed("HostConfig.Sysctls: sysctl " + in_quotes(name) + " is not in a separate kernel namespace");
}

/// Also "container:x": a namespace that is there already keeps its settings.
bool has_network_of_its_own(const SpecInputs& inputs) {
    return !inputs.netns_path.empty() && !text_of(inputs.host_config, "NetworkMode").starts_with("container:");
}

/// -1 is no limit.
std::uint64_t rlimit_value(std::int64_t value) {
    return value < 0 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(value);
}

Result<Json> rlimit_json(const Ulimit& ulimit) {
    if (std::find(kUlimitNames.begin(), kUlimitNames.end(), ulimit.name) == kUlimitNames.end()) {
        return malformed("HostConfig.Ulimits: invalid ulimit type: " + ulimit.name);
    }
    if (rlimit_value(ulimit.soft) > rlimit_value(ulimit.hard)) {
        return malformed("HostConfig.Ulimits: " + ulimit.name +
                         ": ulimit soft limit must be less than or equal to "
                         "hard limit: " +
                         std::to_string(ulimit.soft) + " > " + std::to_string(ulimit.hard));
    }
    std::string type = "RLIMIT_" + ulimit.name;
    for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return json_result({{"type", type}, {"soft", rlimit_value(ulimit.soft)}, {"hard", rlimit_value(ulimit.hard)}});
}

}  // namespace

Result<Json> container_sysctls(const SpecInputs& inputs) {
    Json out = Json::object();
    if (!inputs.domainname.empty() && text_of(inputs.host_config, "UTSMode") != "host") {
        out["kernel.domainname"] = inputs.domainname;  // OCI 1.0 has no member for it
    }
    if (has_network_of_its_own(inputs)) {
        out["net.ipv4.ping_group_range"] = "0 2147483647";
        constexpr std::pair<int, int> kSince{4, 11};
        if (std::pair(inputs.kernel_major, inputs.kernel_minor) >= kSince) {
            out["net.ipv4.ip_unprivileged_port_start"] = "0";
        }
    }
    for (const auto& [name, value] : text_map_of(inputs.host_config, "Sysctls")) {
        if (auto fine = check_sysctl(name, inputs); !fine) return fine.error();
        out[name] = value;
    }
    return json_result(std::move(out));
}

Result<Json> container_rlimits(const Json& host_config, const std::vector<Ulimit>& defaults) {
    std::vector<Ulimit> ulimits;
    const auto named = [&ulimits](const std::string& name) {
        return std::find_if(ulimits.begin(), ulimits.end(), [&name](const Ulimit& one) { return one.name == name; });
    };
    for (const Json* entry : objects_of(host_config, "Ulimits")) {
        Ulimit one{text_of(*entry, "Name"), integer_or_zero(*entry, "Soft"), integer_or_zero(*entry, "Hard")};
        for (char& c : one.name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (const auto same = named(one.name); same != ulimits.end())
            *same = std::move(one);
        else
            ulimits.push_back(std::move(one));
    }
    for (const Ulimit& one : defaults) {
        if (named(one.name) == ulimits.end()) ulimits.push_back(one);
    }
    Json out = Json::array();
    for (const Ulimit& one : ulimits) {
        auto rlimit = rlimit_json(one);
        if (!rlimit) return rlimit;
        out.push_back(*std::move(rlimit));
    }
    return json_result(std::move(out));
}

}  // namespace nodeagent::runtime::containerd::oci
