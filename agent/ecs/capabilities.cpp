#include "agent/ecs/capabilities.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nodeagent::ecs {

namespace {

// The two families, under the letters of the protocol page.
constexpr std::string_view kE = "ecs.capability.";
constexpr std::string_view kP = "com.amazonaws.ecs.capability.";

bool has_api(const CapabilityInputs& in, std::string_view version) {
    return std::find(in.api_versions.begin(), in.api_versions.end(), version) != in.api_versions.end();
}

using Attributes = std::vector<model::Attribute>;
void add(Attributes& out, std::string_view family, std::string_view name) {
    out.push_back({.name = std::string(family).append(name), .value = std::nullopt});
}

// ---- rows that are a list
// ----------------------------------------------------------------------------------------------

void remote_apis(const CapabilityInputs& in, Attributes& out) {
    constexpr std::array<std::string_view, 13> kAdvertised{"1.17", "1.18", "1.19", "1.20", "1.21", "1.22", "1.23",
                                                           "1.24", "1.25", "1.28", "1.29", "1.30", "1.32"};
    for (const std::string_view version : kAdvertised) {
        if (has_api(in, version)) add(out, kP, "docker-remote-api." + std::string(version));
    }
}

void logging_drivers(const CapabilityInputs& in, Attributes& out) {
    struct Driver {
        std::string_view name;
        std::string_view api;
    };
    constexpr std::array<Driver, 10> kDrivers{{{"json-file", "1.18"},
                                               {"syslog", "1.18"},
                                               {"journald", "1.19"},
                                               {"gelf", "1.20"},
                                               {"fluentd", "1.20"},
                                               {"awslogs", "1.21"},
                                               {"splunk", "1.22"},
                                               {"logentries", "1.25"},
                                               {"sumologic", "1.29"},
                                               {"none", "1.19"}}};
    const auto& there = in.log_drivers;
    for (const std::string& wanted : in.config.available_logging_drivers) {
        if (!there.empty() && std::find(there.begin(), there.end(), wanted) == there.end()) continue;
        const auto* driver =
            std::find_if(kDrivers.begin(), kDrivers.end(), [&](const Driver& d) { return d.name == wanted; });
        if (driver != kDrivers.end() && has_api(in, driver->api)) add(out, kP, "logging-driver." + wanted);
    }
}

void volume_plugins(const CapabilityInputs& in, Attributes& out) {
    add(out, kE, "docker-plugin.local");
    for (std::string plugin : in.volume_plugins) {
        std::replace(plugin.begin(), plugin.end(), ':', '.');
        add(out, kE, "docker-plugin." + plugin);
    }
}

void gpu_driver(const CapabilityInputs& in, Attributes& out) {
    if (!in.config.gpu_support || in.gpu_driver_version.empty()) return;
    add(out, kE, "nvidia-driver-version." + in.gpu_driver_version);
    add(out, kE, "gpu-driver-version");
    out.back().value = in.gpu_driver_version;
}

void volume_plugin_settings(const CapabilityInputs& in, Attributes& out) {
    for (const std::string& name : in.config.volume_plugin_capabilities) add(out, kE, name);
}

// ---- conditions
// --------------------------------------------------------------------------------------------------------

bool always(const CapabilityInputs&) { return true; }
bool not_external(const CapabilityInputs& in) { return !in.config.external.enabled(); }
bool task_eni(const CapabilityInputs& in) { return not_external(in) && in.config.task_eni.enabled(); }
template <char Digit1, char Digit2>
bool api(const CapabilityInputs& in) {
    constexpr std::array<char, 4> kVersion{'1', '.', Digit1, Digit2};
    return has_api(in, {kVersion.data(), kVersion.size()});
}

/// One capability, or several when `list` makes them. `supported`: this build can do it.
struct Row {
    bool supported;
    std::string_view family;
    std::string_view name;
    bool (*when)(const CapabilityInputs&);
    void (*list)(const CapabilityInputs&, Attributes&) = nullptr;
};

// clang-format off
constexpr std::array kRows{
    Row{true,  kE, "private-registry-authentication.secretsmanager", always},
    Row{true,  kE, "secrets.ssm.environment-variables", always},
    Row{true,  kE, "secrets.ssm.bootstrap.log-driver", always},
    Row{true,  kE, "ecr-endpoint", always},
    Row{true,  kE, "secrets.asm.environment-variables", always},
    Row{true,  kE, "secrets.asm.bootstrap.log-driver", always},
    Row{true,  kE, "container-ordering", always},
    Row{true,  kE, "full-sync", always},
    Row{true,  kE, "env-files.s3", always},
    Row{true,  kE, "network.container-port-range", always},
    Row{true,  kE, "container-restart-policy", always},
    Row{true,  kP, "privileged-container", [](const CapabilityInputs& in) { return !in.config.privileged_disabled.enabled(); }},
    Row{true,  kE, "", always, remote_apis},
    Row{true,  kE, "", always, logging_drivers},
    Row{true,  kP, "selinux", [](const CapabilityInputs& in) { return in.config.selinux_capable.enabled(); }},
    Row{true,  kP, "apparmor", [](const CapabilityInputs& in) { return in.config.apparmor_capable.enabled(); }},
    Row{true,  kP, "task-iam-role", [](const CapabilityInputs& in) { return in.config.task_iam_role.enabled() && api<'1', '9'>(in); }},
    Row{true,  kP, "task-iam-role-network-host", [](const CapabilityInputs& in) { return in.config.task_iam_role_network_host && api<'1', '9'>(in); }},
    Row{true,  kE, "task-cpu-mem-limit", [](const CapabilityInputs& in) { return in.task_limits && api<'2', '2'>(in); }},
    Row{true,  kE, "increased-task-cpu-limit", [](const CapabilityInputs& in) { return in.task_limits; }},
    Row{false, kE, "task-eni", task_eni},
    Row{false, kE, "task-eni.ipv6", task_eni},
    Row{false, kE, "task-eni-block-instance-metadata", [](const CapabilityInputs& in) { return task_eni(in) && in.config.awsvpc_block_imds.enabled(); }},
    Row{false, kE, "task-eni-trunking", [](const CapabilityInputs& in) { return task_eni(in) && in.config.eni_trunking.enabled(); }},
    Row{true,  kP, "ecr-auth", api<'1', '9'>},
    Row{true,  kE, "execution-role-ecr-pull", api<'1', '9'>},
    Row{true,  kE, "container-health-check", [](const CapabilityInputs& in) { return api<'2', '4'>(in) && !in.config.disable_docker_health_check.enabled(); }},
    Row{true,  kE, "execution-role-awslogs", [](const CapabilityInputs& in) { return in.config.awslogs_executionrole_override.enabled(); }},
    Row{true,  kE, "", always, volume_plugins},
    Row{true,  kE, "", always, gpu_driver},
    Row{true,  kE, "pid-ipc-namespace-sharing", [](const CapabilityInputs& in) { return in.pause_image; }},
    Row{false, kE, "aws-appmesh", not_external},
    Row{true,  kE, "task-eia", not_external},
    Row{true,  kE, "task-eia.optimized-cpu", [](const CapabilityInputs& in) { return not_external(in) && in.optimized_cpu; }},
    Row{false, kE, "firelens.fluentd", always},
    Row{false, kE, "firelens.fluentbit", always},
    Row{false, kP, "logging-driver.awsfirelens", always},
    Row{false, kE, "logging-driver.awsfirelens.log-driver-buffer-limit", always},
    Row{false, kE, "firelens.non-root-user", always},
    Row{false, kE, "efs", always},
    Row{false, kE, "storage.s3-files", always},
    Row{false, kE, "firelens.options.config.file", always},
    Row{false, kE, "firelens.options.config.s3", always},
    Row{false, kE, "gmsa", [](const CapabilityInputs& in) { return in.config.gmsa_capable; }},
    Row{false, kE, "gmsa-domainless", [](const CapabilityInputs& in) { return in.config.gmsa_domainless_capable; }},
    Row{false, kE, "", always, volume_plugin_settings},
    Row{false, kE, "execute-command", always},
    Row{false, kE, "service-connect-v1", not_external},
    Row{false, kE, "storage.ebs-task-volume-attach", [](const CapabilityInputs& in) { return not_external(in) && in.config.ebs_task_attach; }},
    Row{false, kE, "storage.ebsta-non-root-user", [](const CapabilityInputs& in) { return not_external(in) && in.config.ebs_task_attach; }},
    Row{true,  kE, "external", [](const CapabilityInputs& in) { return in.config.external.enabled(); }},
    Row{false, kE, "fault-injection", not_external},
    Row{true,  kE, "ipv6-only", always},
};
// clang-format on

}  // namespace

std::vector<model::Attribute> capabilities(const CapabilityInputs& inputs) {
    Attributes out;
    for (const Row& row : kRows) {
        if (!row.supported || !row.when(inputs)) continue;
        if (row.list != nullptr) {
            row.list(inputs, out);
        } else {
            add(out, row.family, row.name);
        }
    }
    return out;
}

}  // namespace nodeagent::ecs
