#include "runtime/containerd/oci/spec.hpp"

#include <string_view>
#include <utility>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/capabilities.hpp"
#include "runtime/containerd/oci/command.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/file_systems.hpp"
#include "runtime/containerd/oci/kernel_settings.hpp"
#include "runtime/containerd/oci/resources.hpp"
#include "runtime/containerd/oci/seccomp.hpp"
#include "runtime/containerd/oci/security_options.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

Error not_supported(const std::string& field, const std::string& why) {
    return malformed("HostConfig." + field + ": " + why);
}

/// Settings that a task would notice and that we cannot give it.
Result<void> check_supported(const Json& host) {
    if (const auto requests = objects_of(host, "DeviceRequests"); !requests.empty()) {
        return not_supported("DeviceRequests", "could not select a device driver for " +
                                                   in_quotes(text_of(*requests.front(), "Driver")) +
                                                   ": containerd has none; use Runtime or Devices");
    }
    if (const Json* storage = member_of(host, "StorageOpt"); storage != nullptr && !storage->empty()) {
        return not_supported("StorageOpt", "is not supported with containerd's snapshotters");
    }
    if (const std::string mode = text_of(host, "UsernsMode"); !mode.empty() && mode != "host") {
        return not_supported("UsernsMode", "invalid user namespace mode: " + mode);
    }
    if (const std::string isolation = text_of(host, "Isolation");
        !isolation.empty() && !equals_ignoring_case(isolation, "default")) {
        return malformed("Invalid isolation: " + in_quotes(isolation) + " - linux only supports 'default'");
    }
    if (flag_of(host, "AutoRemove")) {
        return not_supported("AutoRemove", "is not supported: the agent removes containers");
    }
    if (const Json* policy = member_of(host, "RestartPolicy"); policy != nullptr) {
        const std::string name = text_of(*policy, "Name");
        if (!name.empty() && name != "no") {
            return not_supported("RestartPolicy", "is not supported: the agent restarts containers");
        }
    }
    return {};
}

Result<void> check_modes(const Json& config, const Json& host) {
    const std::string ipc = text_of(host, "IpcMode");
    const bool ipc_known = ipc.empty() || ipc == "none" || ipc == "private" || ipc == "shareable" || ipc == "host" ||
                           ipc.starts_with("container:");
    if (!ipc_known) return malformed("Invalid IPC mode: " + ipc);
    const std::string pid = text_of(host, "PidMode");
    if (!pid.empty() && pid != "host" && !pid.starts_with("container:")) return malformed("invalid PID mode: " + pid);
    const std::string uts = text_of(host, "UTSMode");
    if (!uts.empty() && uts != "host") return malformed("invalid UTS mode: " + uts);
    const bool named = !text_of(config, "Hostname").empty();
    if (named && uts == "host") return malformed("conflicting options: hostname and the UTS mode");
    if (named && text_of(host, "NetworkMode").starts_with("container:")) {
        return malformed("conflicting options: hostname and the network mode");
    }
    const std::string cgroup = text_of(host, "CgroupnsMode");
    if (!cgroup.empty() && cgroup != "host" && cgroup != "private") {
        return malformed("invalid cgroup namespace mode: " + cgroup);
    }
    return {};
}

Json namespace_json(const char* type, const std::string& path) {
    Json out{{"type", type}};
    if (!path.empty()) out["path"] = path;
    return out;
}

Json namespaces(const SpecInputs& inputs) {
    const Json& host = inputs.host_config;
    Json out = Json::array({namespace_json("mount", {})});
    if (!inputs.netns_path.empty()) out.push_back(namespace_json("network", inputs.netns_path));
    if (text_of(host, "UTSMode") != "host") out.push_back(namespace_json("uts", {}));
    if (inputs.pid_namespace != "host") out.push_back(namespace_json("pid", inputs.pid_namespace));
    if (inputs.ipc_namespace != "host") out.push_back(namespace_json("ipc", inputs.ipc_namespace));
    std::string cgroup = text_of(host, "CgroupnsMode");
    if (cgroup.empty()) cgroup = inputs.cgroup_v2 ? "private" : "host";
    if (cgroup == "private") out.push_back(namespace_json("cgroup", {}));
    return out;
}

Result<std::string> cgroups_path(const SpecInputs& inputs) {
    std::string parent = text_of(inputs.host_config, "CgroupParent");
    if (!inputs.systemd_cgroup) {
        if (parent.empty()) parent = "ecs-containerd";
        return clean_path("/" + parent + "/" + inputs.container_id);
    }
    if (parent.empty()) parent = "system.slice";
    constexpr std::string_view kSlice = ".slice";
    if (parent.size() <= kSlice.size() || !parent.ends_with(kSlice) || parent.find_first_of(":/") != parent.npos) {
        return malformed("cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"");
    }
    return parent + ":ecs:" + inputs.container_id;
}

Json capabilities_json(const std::vector<std::string>& names, const User& user) {
    // others than root lose what is effective and permitted at execve anyway
    if (user.uid != 0) return {{"bounding", names}};
    return {{"bounding", names}, {"effective", names}, {"permitted", names}};
}

Result<Json> process_of(const SpecInputs& inputs, const std::vector<std::string>& capabilities,
                        const SecurityOptions& security) {
    const Json& host = inputs.host_config;
    auto arguments = container_arguments(inputs.config, inputs.image);
    if (!arguments) return arguments.error();
    if (wants_init(inputs)) arguments->insert(arguments->begin(), {kInitInside, "--"});
    auto environment = container_environment(inputs.config, inputs.image, {inputs.hostname, inputs.link_environment});
    if (!environment) return environment.error();
    auto rlimits = container_rlimits(host, inputs.default_ulimits);
    if (!rlimits) return rlimits.error();
    std::string directory = text_of(inputs.config, "WorkingDir");
    if (directory.empty()) directory = inputs.image.working_dir;
    if (!directory.empty() && !directory.starts_with('/')) {
        return malformed("the working directory '" + directory + "' is invalid, it needs to be an absolute path");
    }
    const std::int64_t score = integer_or_zero(host, "OomScoreAdj");
    if (score < -1000 || score > 1000) {
        return malformed("Invalid value " + std::to_string(score) + ", range for oom score adj is [-1000, 1000]");
    }

    Json process{{"terminal", flag_of(inputs.config, "Tty")},
                 {"args", *std::move(arguments)},
                 {"env", *std::move(environment)},
                 {"cwd", working_directory(inputs.config, inputs.image)},
                 {"noNewPrivileges", security.no_new_privileges},
                 {"oomScoreAdj", score}};
    process["user"] = {{"uid", inputs.user.uid}, {"gid", inputs.user.gid}};
    if (!inputs.user.groups.empty()) process["user"]["additionalGids"] = inputs.user.groups;
    process["capabilities"] = capabilities_json(capabilities, inputs.user);
    if (!rlimits->empty()) process["rlimits"] = *std::move(rlimits);
    if (inputs.apparmor) {
        const char* usual = flag_of(host, "Privileged") ? "unconfined" : "docker-default";
        process["apparmorProfile"] = security.apparmor.empty() ? std::string(usual) : security.apparmor;
    }
    return json_result(std::move(process));
}

/// linux.seccomp, or null.
Result<Json> seccomp_of(const SpecInputs& inputs, const std::vector<std::string>& capabilities,
                        const std::string& profile) {
    if (profile == "unconfined" || flag_of(inputs.host_config, "Privileged")) return json_result(nullptr);
    SeccompInputs given{
        .capabilities = capabilities, .kernel_major = inputs.kernel_major, .kernel_minor = inputs.kernel_minor};
    if (profile.empty()) return json_result(default_seccomp(given));
    return custom_seccomp(profile, given);
}

Result<Json> linux_of(const SpecInputs& inputs, const std::vector<std::string>& capabilities,
                      const SecurityOptions& security, std::vector<std::string>& warnings) {
    const Json& host = inputs.host_config;
    auto cgroup = cgroups_path(inputs);
    if (!cgroup) return cgroup.error();
    auto devices = plan_devices(host, inputs.devices);
    if (!devices) return devices.error();
    auto resources = container_resources(
        host, {.support = inputs.cgroups, .devices = inputs.devices, .cgroup_v2 = inputs.cgroup_v2}, warnings);
    if (!resources) return resources.error();
    auto sysctls = container_sysctls(inputs);
    if (!sysctls) return sysctls.error();
    auto seccomp = seccomp_of(inputs, capabilities, security.seccomp);
    if (!seccomp) return seccomp.error();

    Json linux_part{{"cgroupsPath", *std::move(cgroup)}, {"namespaces", namespaces(inputs)}};
    (*resources)["devices"] = std::move(devices->rules);
    linux_part["resources"] = *std::move(resources);
    if (!devices->devices.empty()) linux_part["devices"] = std::move(devices->devices);
    if (!sysctls->empty()) linux_part["sysctl"] = *std::move(sysctls);
    if (!seccomp->is_null()) linux_part["seccomp"] = *std::move(seccomp);
    if (Json paths = masked_paths(host); !paths.empty()) linux_part["maskedPaths"] = std::move(paths);
    if (Json paths = read_only_paths(host); !paths.empty()) linux_part["readonlyPaths"] = std::move(paths);
    return json_result(std::move(linux_part));
}

}  // namespace

std::string working_directory(const Json& config, const ImageConfig& image) {
    std::string directory = text_of(config, "WorkingDir");
    if (directory.empty()) directory = image.working_dir;
    return clean_path("/" + directory);
}

Result<Json> runtime_spec(const SpecInputs& inputs, std::vector<std::string>* warnings) {
    std::vector<std::string> unheard;
    const Json& host = inputs.host_config;
    if (auto fine = check_supported(host); !fine) return fine.error();
    if (auto fine = check_modes(inputs.config, host); !fine) return fine.error();
    const auto security = security_options(host);
    if (!security) return security.error();
    const auto capabilities =
        container_capabilities(host, {.last = inputs.last_capability, .available = inputs.available_capabilities});
    if (!capabilities) return capabilities.error();
    auto process = process_of(inputs, *capabilities, *security);
    if (!process) return process.error();
    auto mounted = file_systems(inputs);
    if (!mounted) return mounted.error();
    auto platform = linux_of(inputs, *capabilities, *security, warnings != nullptr ? *warnings : unheard);
    if (!platform) return platform.error();
    if (!mounted->root_propagation.empty()) (*platform)["rootfsPropagation"] = mounted->root_propagation;

    Json spec{{"ociVersion", "1.0.2"}, {"process", *std::move(process)}, {"mounts", std::move(mounted->mounts)}};
    spec["root"] = {{"path", "rootfs"}, {"readonly", flag_of(host, "ReadonlyRootfs")}};
    if (text_of(host, "UTSMode") != "host" && !inputs.hostname.empty()) spec["hostname"] = inputs.hostname;
    for (auto& [name, value] : text_map_of(host, "Annotations")) spec["annotations"][name] = value;
    spec["linux"] = *std::move(platform);
    return json_result(std::move(spec));
}

}  // namespace nodeagent::runtime::containerd::oci
