#include "agent/engine/observation.hpp"

#include <utility>

#include "agent/base/strings.hpp"
#include "agent/engine/resources/vault.hpp"

namespace nodeagent::engine {

namespace {
core::Observation::Phase phase_of(runtime::ContainerPhase phase) {
    switch (phase) {
        case runtime::ContainerPhase::Created: return core::Observation::Phase::Created;
        case runtime::ContainerPhase::Running: return core::Observation::Phase::Running;
        case runtime::ContainerPhase::Stopped: break;
    }
    return core::Observation::Phase::Stopped;
}

/// Last path component of the URI that the variable holds.
std::string id_in_uri(const std::vector<std::string>& env, std::string_view variable) {
    for (const std::string& entry : env) {
        if (entry.starts_with(variable)) return entry.substr(entry.rfind('/') + 1);
    }
    return {};
}
/// Those the container was given one by one; images that want every GPU there may be say "all".
std::vector<std::string> gpus_in(const std::vector<std::string>& env) {
    constexpr std::string_view kVariable = "NVIDIA_VISIBLE_DEVICES=";
    std::vector<std::string> gpus;
    for (const std::string& entry : env) {
        if (!entry.starts_with(kVariable)) continue;
        for (const std::string_view id : split(std::string_view(entry).substr(kVariable.size()), ',')) {
            if (!id.empty() && id != "all" && id != "none" && id != "void") gpus.emplace_back(id);
        }
    }
    return gpus;
}

core::Observation seen_in(runtime::ContainerView view) {
    core::Observation seen;
    seen.phase = phase_of(view.phase);
    seen.runtime_id = std::move(view.id);
    seen.image_id = std::move(view.image_id);
    seen.exit_code = view.exit_code;
    seen.oom_killed = view.oom_killed;
    seen.runtime_error = std::move(view.error);
    seen.created_at = view.created_at;
    seen.started_at = view.started_at;
    seen.finished_at = view.finished_at;
    seen.labels = std::move(view.labels);
    seen.pid = view.pid;
    for (runtime::PortBinding& port : view.ports) {
        seen.ports.push_back({.container_port = port.container_port,
                              .host_port = port.host_port,
                              .bind_ip = std::move(port.host_ip),
                              .protocol = std::move(port.protocol)});
    }
    for (runtime::Network& network : view.networks) {
        seen.networks.push_back({.mode = std::move(network.name),
                                 .ipv4_address = std::move(network.ipv4_address),
                                 .ipv6_address = std::move(network.ipv6_address)});
    }
    for (runtime::Mount& mount : view.mounts) {
        seen.volumes.push_back({.docker_name = std::move(mount.name),
                                .source = std::move(mount.source),
                                .destination = std::move(mount.destination)});
    }
    // no verdict before the first probe is through: the record of an earlier one stays
    if (view.health.status == runtime::Health::Status::Healthy) seen.health = core::HealthStatus::Healthy;
    if (view.health.status == runtime::Health::Status::Unhealthy) seen.health = core::HealthStatus::Unhealthy;
    seen.health_output = std::move(view.health.output);
    seen.health_exit_code = view.health.exit_code;
    return seen;
}
}  // namespace

std::string label(const runtime::ContainerView& view, std::string_view key) {
    const auto found = view.labels.find(std::string(key));
    return found == view.labels.end() ? std::string() : found->second;
}

core::Observation observation(runtime::ContainerView view, const Vault& vault, const std::string& task_arn) {
    core::Observation seen = seen_in(std::move(view));
    seen.runtime_error = vault.redacted(task_arn, std::move(seen.runtime_error));
    return seen;
}

core::FoundContainer found_container(runtime::ContainerView view) {
    core::FoundContainer found;
    found.docker_name = view.name;
    found.image = view.image;
    found.network_mode = view.network_mode;
    found.cpu_shares = view.cpu_shares;
    found.memory_mib = view.memory_bytes >> 20U;
    found.endpoint_id = id_in_uri(view.env, "ECS_CONTAINER_METADATA_URI_V4=");
    found.credentials_id = id_in_uri(view.env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=");
    found.gpus = gpus_in(view.env);
    found.health_checked = view.health.status != runtime::Health::Status::None;
    found.seen = seen_in(std::move(view));
    return found;
}

core::Listed listed(const runtime::ContainerView& view) {
    return {.runtime_id = view.id,
            .name = view.name,
            .phase = phase_of(view.phase),
            .task_arn = label(view, core::kTaskArnLabel),
            .container_name = label(view, core::kContainerNameLabel),
            .cluster = label(view, core::kClusterLabel)};
}

}  // namespace nodeagent::engine
