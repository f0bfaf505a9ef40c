#include "runtime/containerd/oci/devices.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

struct Numbers {
    std::int64_t major, minor;
};
/// zero, null, urandom, random, tty, console. The runtime adds its own: full, ptmx, the terminals, mknod of any.
constexpr std::array<Numbers, 6> kAllowedDevices{{{1, 5}, {1, 3}, {1, 9}, {1, 8}, {5, 0}, {5, 1}}};

Json device_json(const Device& device) {
    return {{"path", device.path},     {"type", std::string(1, device.type)},
            {"major", device.major},   {"minor", device.minor},
            {"fileMode", device.mode}, {"uid", device.uid},
            {"gid", device.gid}};
}

Json rule_json(const Device& device, const std::string& access) {
    return {{"allow", true},
            {"type", std::string(1, device.type)},
            {"major", device.major},
            {"minor", device.minor},
            {"access", access}};
}

bool is_access(std::string_view text) {
    return !text.empty() && text.size() <= 3 && text.find_first_not_of("rwm") == std::string_view::npos;
}

/// "*" is every number: -1 in OCI.
std::optional<std::int64_t> device_number(std::string_view text) {
    if (text == "*") return -1;
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return parse_integer(text);
}

/// "c 10:229 rwm"
Result<Json> cgroup_rule(const std::string& text) {
    const Error wrong = malformed("invalid device cgroup rule format: '" + text + "'");
    const auto words = split(text, ' ');
    if (words.size() != 3 || words[0].size() != 1 || std::string_view("acb").find(words[0][0]) == std::string::npos ||
        !is_access(words[2])) {
        return wrong;
    }
    const auto numbers = split(words[1], ':');
    if (numbers.size() != 2) return wrong;
    const auto major = device_number(numbers[0]);
    const auto minor = device_number(numbers[1]);
    if (!major || !minor) return wrong;
    return json_result({{"allow", true},
                        {"type", std::string(words[0])},
                        {"major", *major},
                        {"minor", *minor},
                        {"access", std::string(words[2])}});
}

struct Mapping {
    std::string host, inside, access;
};

Result<Mapping> mapping_of(const Json& entry) {
    Mapping mapping{text_of(entry, "PathOnHost"), text_of(entry, "PathInContainer"),
                    text_of(entry, "CgroupPermissions")};
    if (mapping.inside.empty()) mapping.inside = mapping.host;
    if (mapping.access.empty()) mapping.access = "rwm";
    if (!is_access(mapping.access)) return malformed("invalid device mode: " + mapping.access);
    if (!mapping.inside.starts_with('/')) {
        return malformed("HostConfig.Devices: " + in_quotes(mapping.inside) + " is not an absolute path");
    }
    return mapping;
}

/// The mapping's devices, where the container sees them.
Result<std::vector<Device>> mapped_devices(const Mapping& mapping, const DeviceSource& source) {
    auto found = source.at(mapping.host);
    if (!found || found->empty()) {
        return malformed("error gathering device information while adding custom device " + in_quotes(mapping.host) +
                         ": " + (found ? "not a device node" : found.error().what));
    }
    for (Device& device : *found) {
        const std::string below = device.path.substr(std::min(mapping.host.size(), device.path.size()));
        device.path = clean_path(mapping.inside + below);
    }
    return found;
}

}  // namespace

Result<DevicePlan> plan_devices(const Json& host_config, const DeviceSource& source) {
    const bool privileged = flag_of(host_config, "Privileged");
    DevicePlan plan;
    if (privileged) {
        for (const Device& device : source.all()) plan.devices.push_back(device_json(device));
        plan.rules.push_back({{"allow", true}, {"access", "rwm"}});
    } else {
        plan.rules.push_back({{"allow", false}, {"access", "rwm"}});
        for (const Numbers& one : kAllowedDevices) {
            plan.rules.push_back(
                {{"allow", true}, {"type", "c"}, {"major", one.major}, {"minor", one.minor}, {"access", "rwm"}});
        }
    }
    for (const Json* entry : objects_of(host_config, "Devices")) {
        const auto mapping = mapping_of(*entry);
        if (!mapping) return mapping.error();
        if (privileged && mapping->host == mapping->inside) continue;  // there already
        const auto devices = mapped_devices(*mapping, source);
        if (!devices) return devices.error();
        for (const Device& device : *devices) {
            plan.devices.push_back(device_json(device));
            if (!privileged) plan.rules.push_back(rule_json(device, mapping->access));
        }
    }
    if (privileged) return plan;
    for (const std::string& text : texts_of(host_config, "DeviceCgroupRules")) {
        auto rule = cgroup_rule(text);
        if (!rule) return rule.error();
        plan.rules.push_back(*std::move(rule));
    }
    return plan;
}

}  // namespace nodeagent::runtime::containerd::oci
