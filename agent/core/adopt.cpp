#include "agent/core/adopt.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "agent/core/host_resources.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/reconcile.hpp"

namespace nodeagent::core {

namespace {

using Phase = Observation::Phase;

constexpr std::size_t kSuffixDigits = 20;  // of docker names, task-engine.md 3.3

std::string label(const FoundContainer& found, std::string_view key) {
    const auto value = found.seen.labels.find(std::string(key));
    return value == found.seen.labels.end() ? std::string() : value->second;
}

/// One container of each name, in the order in which they were created.
std::vector<FoundContainer> one_of_each_name(std::vector<FoundContainer> found) {
    const auto rank = [](const FoundContainer& c) {
        return std::tuple(c.seen.phase == Phase::Running, c.seen.created_at.value_or(WallTime{}), c.seen.runtime_id);
    };
    std::map<std::string, FoundContainer> best;
    for (FoundContainer& container : found) {
        const auto [place, fresh] = best.try_emplace(label(container, kContainerNameLabel), container);
        if (!fresh && rank(place->second) < rank(container)) place->second = std::move(container);
    }
    std::vector<FoundContainer> chosen;
    for (auto& [name, container] : best) chosen.push_back(std::move(container));
    std::stable_sort(chosen.begin(), chosen.end(), [](const FoundContainer& a, const FoundContainer& b) {
        return a.seen.created_at.value_or(WallTime{}) < b.seen.created_at.value_or(WallTime{});
    });
    return chosen;
}

std::vector<model::PortMapping> mappings_of(const FoundContainer& found) {
    std::vector<model::PortMapping> mappings;
    for (const model::PortBinding& binding : found.seen.ports) {
        model::PortMapping mapping;
        mapping.container_port = binding.container_port;
        mapping.host_port = binding.host_port;
        mapping.protocol = binding.protocol;
        // one mapping is bound on several addresses
        if (std::find(mappings.begin(), mappings.end(), mapping) == mappings.end()) mappings.push_back(mapping);
    }
    return mappings;
}

std::string network_mode_of(const FoundContainer& found) {
    if (found.network_mode == "default") return "bridge";
    const bool plain = found.network_mode == "bridge" || found.network_mode == "host" || found.network_mode == "none";
    return plain ? found.network_mode : std::string();
}

ContainerKind kind_of(const FoundContainer& found) { return kind_named(label(found, kContainerNameLabel)); }
bool internal(const FoundContainer& found) { return kind_of(found) != ContainerKind::Normal; }

/// Only containers of the payload: those the agent added have a definition of their own.
std::shared_ptr<const model::Task> definition_of(const std::string& task_arn, const std::vector<FoundContainer>& found,
                                                 bool runs) {
    auto task = std::make_shared<model::Task>();
    task->arn = task_arn;
    task->family = label(found.front(), kFamilyLabel);
    task->version = label(found.front(), kVersionLabel);
    task->desired_status = runs ? "RUNNING" : "STOPPED";
    for (const FoundContainer& one : found) {
        if (internal(one)) continue;
        if (task->containers.empty()) task->network_mode = network_mode_of(one);
        model::Container container;
        container.name = label(one, kContainerNameLabel);
        container.image = one.image.empty() ? one.seen.image_id : one.image;
        container.essential = !runs || one.seen.phase != Phase::Stopped || one.seen.exit_code != 0;
        container.cpu = one.cpu_shares;
        container.memory = one.memory_mib;
        container.port_mappings = mappings_of(one);
        if (one.health_checked) container.health_check_type = "docker";
        for (const std::string& gpu : one.gpus) {
            model::Association association;
            association.containers = {container.name};
            association.name = gpu;
            association.type = "gpu";
            task->associations.push_back(std::move(association));
        }
        task->containers.push_back(std::move(container));
    }
    return task;
}

std::vector<ResourceState> resources_of(const model::Task& task, const std::vector<FoundContainer>& found,
                                        bool task_limits) {
    std::vector<ResourceState> resources;
    const auto add = [&](ResourceState::Kind kind, std::string name, std::string docker_name) {
        ResourceState resource;
        resource.kind = kind;
        resource.name = std::move(name);
        resource.docker_name = std::move(docker_name);
        resource.desired = resource.known = ResourceStatus::Created;
        resources.push_back(std::move(resource));
    };
    if (task_limits) add(ResourceState::Kind::Cgroup, std::string(kCgroupResource), {});
    std::set<std::string> seen;
    for (const FoundContainer& container : found) {
        for (const model::VolumeView& volume : container.seen.volumes) {
            std::string name = task_volume_name(volume.docker_name, task.family, task.version);
            if (name.empty() || !seen.insert(volume.docker_name).second) continue;
            add(ResourceState::Kind::DockerVolume, std::move(name), volume.docker_name);
        }
    }
    return resources;
}

}  // namespace

std::string task_volume_name(std::string_view docker_name, std::string_view family, std::string_view version) {
    const std::string prefix = "ecs-" + std::string(family) + "-" + std::string(version) + "-";
    if (!docker_name.starts_with(prefix)) return {};
    const std::string_view rest = docker_name.substr(prefix.size());
    if (rest.size() < kSuffixDigits + 2 || rest[rest.size() - kSuffixDigits - 1] != '-') return {};
    const std::string_view suffix = rest.substr(rest.size() - kSuffixDigits);
    const bool hexadecimal = suffix.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return hexadecimal ? std::string(rest.substr(0, rest.size() - kSuffixDigits - 1)) : std::string();
}

TaskState adopted_task(const std::string& task_arn, std::vector<FoundContainer> found, const Identity& identity,
                       const AcceptanceRules& rules, const Instant& now, const Settings& settings) {
    found = one_of_each_name(std::move(found));
    // a pause container keeps nobody's task alive
    const bool runs = std::any_of(found.begin(), found.end(), [](const FoundContainer& c) {
        return c.seen.phase == Phase::Running && !internal(c);
    });
    TaskState task;
    task.arn = task_arn;
    task.definition = definition_of(task_arn, found, runs);
    task.desired = runs ? TaskStatus::Running : TaskStatus::Stopped;
    task.resources = resources_of(*task.definition, found, rules.task_limits);
    task.task_limits = rules.task_limits;
    task.arrival = rules.arrival;
    task.resources_consumed = runs && counts_on_host(*task.definition);
    std::size_t of_payload = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        ContainerState container;
        container.docker_name = found[i].docker_name;
        if (internal(found[i])) {
            container.kind = kind_of(found[i]);
            container.definition = internal_definition(container.kind);
            container.name = label(found[i], kContainerNameLabel);
        } else {
            container.definition = {task.definition, &task.definition->containers[of_payload++]};
            container.endpoint_id = found[i].endpoint_id.empty() ? identity.uuid() : found[i].endpoint_id;
        }
        if (container.name.empty()) container.name = container.definition->name;
        container.essential = container.definition->essential;
        task.containers.push_back(std::move(container));
        if (task.credentials_id.empty()) task.credentials_id = found[i].credentials_id;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        ContainerObserved fact{
            .container = task.containers[i].name, .seen = std::move(found[i].seen), .at_restore = true};
        task = step(std::move(task), fact, now, settings).state;
    }
    if (task.known == TaskStatus::Stopped) {  // it ended when its last container did, not when that was noticed
        std::optional<WallTime> last;
        for (const ContainerState& container : task.containers) {
            last = std::max(last, container.finished_at);
        }
        if (last && *last < now.wall) task.known_at = last;
    }
    return task;
}

}  // namespace nodeagent::core
