#include "runtime/containerd/oci/capabilities.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

/// linux/capability.h, by number.
constexpr std::array<std::string_view, 41> kCapabilityNames{"CAP_CHOWN",
                                                            "CAP_DAC_OVERRIDE",
                                                            "CAP_DAC_READ_SEARCH",
                                                            "CAP_FOWNER",
                                                            "CAP_FSETID",
                                                            "CAP_KILL",
                                                            "CAP_SETGID",
                                                            "CAP_SETUID",
                                                            "CAP_SETPCAP",
                                                            "CAP_LINUX_IMMUTABLE",
                                                            "CAP_NET_BIND_SERVICE",
                                                            "CAP_NET_BROADCAST",
                                                            "CAP_NET_ADMIN",
                                                            "CAP_NET_RAW",
                                                            "CAP_IPC_LOCK",
                                                            "CAP_IPC_OWNER",
                                                            "CAP_SYS_MODULE",
                                                            "CAP_SYS_RAWIO",
                                                            "CAP_SYS_CHROOT",
                                                            "CAP_SYS_PTRACE",
                                                            "CAP_SYS_PACCT",
                                                            "CAP_SYS_ADMIN",
                                                            "CAP_SYS_BOOT",
                                                            "CAP_SYS_NICE",
                                                            "CAP_SYS_RESOURCE",
                                                            "CAP_SYS_TIME",
                                                            "CAP_SYS_TTY_CONFIG",
                                                            "CAP_MKNOD",
                                                            "CAP_LEASE",
                                                            "CAP_AUDIT_WRITE",
                                                            "CAP_AUDIT_CONTROL",
                                                            "CAP_SETFCAP",
                                                            "CAP_MAC_OVERRIDE",
                                                            "CAP_MAC_ADMIN",
                                                            "CAP_SYSLOG",
                                                            "CAP_WAKE_ALARM",
                                                            "CAP_BLOCK_SUSPEND",
                                                            "CAP_AUDIT_READ",
                                                            "CAP_PERFMON",
                                                            "CAP_BPF",
                                                            "CAP_CHECKPOINT_RESTORE"};

constexpr std::array<std::string_view, 14> kDefaultCapabilities{
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE"};

constexpr std::string_view kEveryCapability = "ALL";

bool is_known(std::string_view name) {
    return std::find(kCapabilityNames.begin(), kCapabilityNames.end(), name) != kCapabilityNames.end();
}

/// Upper case, with the prefix; "ALL" stays.
Result<std::vector<std::string>> normalized(const Json& host_config, std::string_view field) {
    std::vector<std::string> names;
    for (std::string name : texts_of(host_config, field)) {
        for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (name != kEveryCapability) {
            if (!name.starts_with("CAP_")) name.insert(0, "CAP_");
            if (!is_known(name))
                return malformed("invalid " + std::string(field) + ": unknown capability: " + in_quotes(name));
        }
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<std::string> every_capability(const CapabilityLimits& limits) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kCapabilityNames.size() && static_cast<int>(i) <= limits.last; ++i) {
        if ((limits.available >> i & 1U) != 0) names.emplace_back(kCapabilityNames[i]);
    }
    return names;
}

}  // namespace

bool has_capability(const std::vector<std::string>& capabilities, std::string_view name) {
    return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
}

Result<std::vector<std::string>> container_capabilities(const Json& host_config, const CapabilityLimits& limits) {
    const auto added = normalized(host_config, "CapAdd");
    if (!added) return added.error();
    const auto dropped = normalized(host_config, "CapDrop");
    if (!dropped) return dropped.error();
    if (flag_of(host_config, "Privileged")) return every_capability(limits);

    std::vector<std::string> names;
    const auto take = [&names, &dropped](std::string_view name, bool unless_dropped) {
        if (unless_dropped && has_capability(*dropped, name)) return;
        if (!has_capability(names, name)) names.emplace_back(name);
    };
    if (has_capability(*added, kEveryCapability)) {
        for (const std::string& name : every_capability(limits)) take(name, true);
        return names;
    }
    if (!has_capability(*dropped, kEveryCapability)) {
        for (const std::string_view name : kDefaultCapabilities) take(name, true);
    }
    for (const std::string& name : *added) take(name, false);
    return names;
}

}  // namespace nodeagent::runtime::containerd::oci
