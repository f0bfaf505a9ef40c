#include "agent/core/from_payload.hpp"

#include <algorithm>

#include "agent/base/error.hpp"
#include "agent/base/strings.hpp"
#include "agent/core/dependencies.hpp"
#include "agent/core/feature_gaps.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/payload_rules.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::core {

namespace {

bool has_container(const model::Task& task, std::string_view name) {
    return std::any_of(task.containers.begin(), task.containers.end(), [&](const auto& c) { return c.name == name; });
}

/// What makes a task impossible though it is understood; "" if nothing. In the order in which the reference looks.
std::string initialisation_failure(const model::Task& task, const AcceptanceRules& rules) {
    if (task.containers.empty()) return "the task has no containers";
    if (rules.task_limits && task.memory > 0) {
        for (const model::Container& container : task.containers) {
            if (container.memory <= task.memory) continue;
            return "task memory spec builder: container memory limit(" + std::to_string(container.memory) +
                   ") greater than task memory limit(" + std::to_string(task.memory) + ")";
        }
    }
    for (const model::Container& container : task.containers) {
        for (const model::VolumeFrom& from : container.volumes_from) {
            if (!has_container(task, from.source_container)) {
                return "could not find volume source container with name " + from.source_container;
            }
        }
    }
    for (const model::Container& container : task.containers) {
        for (const std::string& link : container.links) {
            if (std::count(link.begin(), link.end(), ':') > 1) return "invalid link format";
            if (!has_container(task, link.substr(0, link.find(':'))))
                return "could not find container for link " + link;
        }
    }
    for (const model::Volume& volume : task.volumes) {
        if (volume.type == "docker" && volume.docker->scope == "task" && volume.docker->autoprovision) {
            return "volume [" + volume.name + "] : task scoped volume could not be autoprovisioned";
        }
    }
    for (const model::Association& association : task.associations) {
        if (!rules.gpu_support || association.type != "gpu") continue;
        if (association.containers.size() != 1) {
            return "could not associate multiple containers to GPU " + association.name;
        }
        if (!has_container(task, association.containers.front())) {
            return "could not find container with name " + association.containers.front() + " for associating GPU " +
                   association.name;
        }
    }
    const std::string missing = missing_feature(task);
    if (!missing.empty()) {
        return missing + " is not supported by this agent; place the task on an instance that has the attribute for it";
    }
    return {};
}

/// The payload as it is kept: overrides applied, network mode settled, no role credentials.
std::shared_ptr<const model::Task> kept_definition(const model::Task& payload) {
    auto kept = std::make_shared<model::Task>(payload);
    kept->role_credentials.reset();
    kept->execution_role_credentials.reset();
    if (kept->network_mode.empty()) {
        kept->network_mode = "bridge";
    } else if (kept->network_mode != "host" && kept->network_mode != "bridge" && kept->network_mode != "none") {
        kept->network_mode.clear();  // as in the reference; the container's own hostConfig decides anyway
    }
    for (model::Container& container : kept->containers) {
        auto command = overridden_command(container.overrides);
        if (command && *command) container.command = std::move(**command);
    }
    return kept;
}

std::vector<ResourceState> resources_of(const model::Task& task, const Identity& identity,
                                        const AcceptanceRules& rules) {
    std::vector<ResourceState> resources;
    if (rules.task_limits) {
        ResourceState cgroup;
        cgroup.name = kCgroupResource;
        resources.push_back(std::move(cgroup));
    }
    const auto mounted = [&](const std::string& volume) {
        return std::any_of(task.containers.begin(), task.containers.end(), [&](const model::Container& container) {
            return std::any_of(container.mount_points.begin(), container.mount_points.end(),
                               [&](const model::MountPoint& mount) { return mount.source_volume == volume; });
        });
    };
    for (const model::Volume& volume : task.volumes) {
        const bool docker = volume.type == "docker";
        const bool shared = docker && volume.docker->scope != "task";
        if (!docker && (!volume.host->source_path.empty() || !mounted(volume.name))) continue;
        ResourceState resource;
        resource.kind = ResourceState::Kind::DockerVolume;
        resource.name = volume.name;
        resource.docker_name = shared ? volume.name : identity.volume_name(task, volume.name);
        resource.shared = shared;
        resources.push_back(std::move(resource));
    }
    for (ResourceState& resource : fetched_resources(task)) resources.push_back(std::move(resource));
    return resources;
}

ContainerState container_of(const std::shared_ptr<const model::Task>& task, const model::Container& container,
                            const Identity& identity) {
    ContainerState state;
    state.name = container.name;
    state.definition = {task, &container};  // shares the task's life
    state.docker_name = identity.container_name(*task, container.name);
    state.endpoint_id = identity.uuid();
    state.essential = container.essential;
    return state;
}

ContainerState internal_container(ContainerKind kind, const model::Task& task, const Identity& identity) {
    ContainerState state;
    state.kind = kind;
    state.definition = internal_definition(kind);
    state.name = state.definition->name;
    state.docker_name = identity.container_name(task, state.name);
    state.essential = state.definition->essential;
    return state;
}

}  // namespace

std::string unrecognised_task(std::string_view detail) {
    return "UnrecogniedTaskError: Error loading task - " + std::string(detail);
}

std::string resource_not_initialised(std::string_view task_arn, std::string_view detail) {
    return "resource cannot be initialized for task " + std::string(task_arn) + ": " + std::string(detail);
}

boost::system::result<TaskState, Rejection> from_payload(const std::shared_ptr<const model::Task>& payload,
                                                         const Identity& identity, const AcceptanceRules& rules) {
    if (const Result<void> understood = check_payload(*payload); !understood) {
        return Rejection{.reason = unrecognised_task(understood.error().what), .handled = false};
    }
    const std::string failure = initialisation_failure(*payload, rules);
    if (!failure.empty()) return Rejection{.reason = resource_not_initialised(payload->arn, failure), .handled = true};
    if (!orderable(payload->containers))
        return Rejection{.reason = dependencies_unresolvable(payload->arn), .handled = true};

    TaskState task;
    task.arn = payload->arn;
    task.definition = kept_definition(*payload);
    task.desired = *model::parse_task_status(payload->desired_status);
    task.resources = resources_of(*task.definition, identity, rules);
    for (const model::Container& container : task.definition->containers) {
        task.containers.push_back(container_of(task.definition, container, identity));
    }
    for (const ContainerKind kind : needed_internal_containers(*task.definition)) {
        task.containers.push_back(internal_container(kind, *task.definition, identity));
    }
    if (payload->role_credentials) task.credentials_id = payload->role_credentials->credentials_id;
    if (payload->execution_role_credentials) {
        task.execution_credentials_id = payload->execution_role_credentials->credentials_id;
        task.execution_credentials_known = true;
    }
    task.task_limits = rules.task_limits;
    task.arrival = rules.arrival;
    return task;
}

}  // namespace nodeagent::core
