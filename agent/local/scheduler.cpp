#include "agent/local/scheduler.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

const Resource* resource(const ContainerInstance& instance, std::string_view name) {
    for (const Resource& r : instance.resources) {
        if (r.name == name) return &r;
    }
    return nullptr;
}

std::set<std::int64_t> reserved_ports(const ContainerInstance& instance, std::string_view name) {
    std::set<std::int64_t> ports;
    if (const Resource* r = resource(instance, name)) {
        for (const std::string& text : r->string_set_value) {
            if (const auto port = parse_integer(text)) ports.insert(*port);
        }
    }
    return ports;
}

bool overlaps(const std::set<std::int64_t>& used, const std::vector<std::int64_t>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(), [&](std::int64_t port) { return used.contains(port); });
}

/// Why the candidate cannot take one such task; an empty reason when it can.
ApiOutcome<PlacementFailure> refusal(const Candidate& candidate, const PlacementRequest& request) {
    const auto because = [&](std::string reason, std::string detail = {}) {
        return PlacementFailure{.arn = candidate.arn, .reason = std::move(reason), .detail = std::move(detail)};
    };
    if (!candidate.connected) return because("AGENT", "the container agent is not connected");
    for (const RequiredAttribute& wanted : request.attributes) {
        const auto [first, last] = candidate.facts.equal_range("attribute:" + wanted.name);
        const bool held =
            std::any_of(first, last, [&](const auto& f) { return !wanted.value || f.second == *wanted.value; });
        if (!held) return because("ATTRIBUTE", "the instance lacks " + wanted.name);
    }
    const Demand& demand = request.demand;
    if (demand.cpu > candidate.cpu) return because("RESOURCE:CPU");
    if (demand.memory > candidate.memory) return because("RESOURCE:MEMORY");
    if (overlaps(candidate.used_tcp_ports, demand.tcp_ports) || overlaps(candidate.used_udp_ports, demand.udp_ports)) {
        return because("RESOURCE:PORTS");
    }
    if (demand.gpus > static_cast<std::int64_t>(candidate.free_gpus.size())) return because("RESOURCE:GPU");
    for (const PlacementConstraint& constraint : request.constraints) {
        if (constraint.type == "distinctInstance") {
            if (candidate.groups.contains(request.group))
                return because("DistinctInstance placement constraint unsatisfied.");
            continue;
        }
        if (constraint.type != "memberOf") {
            return invalid_parameter("Placement constraint type must be distinctInstance or memberOf, not '" +
                                     constraint.type + "'.");
        }
        const auto member = matches_expression(constraint.expression, candidate.facts);
        if (!member) return invalid_parameter("Invalid expression: " + member.error().what);
        if (!*member) return because("MemberOf placement constraint unsatisfied.");
    }
    return PlacementFailure{};
}

void take(Candidate& candidate, const PlacementRequest& request, Placed& placed) {
    const Demand& demand = request.demand;
    candidate.cpu -= demand.cpu;
    candidate.memory -= demand.memory;
    candidate.used_tcp_ports.insert(demand.tcp_ports.begin(), demand.tcp_ports.end());
    candidate.used_udp_ports.insert(demand.udp_ports.begin(), demand.udp_ports.end());
    const auto gpus = candidate.free_gpus.begin() + demand.gpus;
    placed.gpus.assign(candidate.free_gpus.begin(), gpus);
    candidate.free_gpus.erase(candidate.free_gpus.begin(), gpus);
    ++candidate.tasks;
    candidate.groups.insert(request.group);
}

/// Lower is better. Spreading counts the group's tasks over the field's values; packing wants the least left.
std::int64_t score(const Candidate& candidate, const PlacementStrategy& strategy, const std::string& group,
                   const std::vector<Candidate>& all) {
    if (strategy.type == "binpack") return strategy.field == "cpu" ? candidate.cpu : candidate.memory;
    if (!strategy.field.starts_with("attribute:")) return candidate.tasks;
    const auto value_of = [&](const Candidate& c) {
        const auto found = c.facts.find(strategy.field);
        return found == c.facts.end() ? std::string() : found->second;
    };
    std::int64_t tasks = 0;
    for (const Candidate& other : all) {
        if (value_of(other) == value_of(candidate)) tasks += static_cast<std::int64_t>(other.groups.count(group));
    }
    return tasks;
}

std::size_t choose(std::vector<std::size_t> fitting, const std::vector<Candidate>& all,
                   const PlacementRequest& request) {
    std::vector<PlacementStrategy> strategies = request.strategies;
    // the service's default for standalone tasks is unspecified; the emptiest instance is the least surprising
    if (strategies.empty()) strategies.push_back({.type = "spread", .field = "instanceId"});
    for (const PlacementStrategy& strategy : strategies) {
        if (strategy.type == "random") {
            static thread_local std::minstd_rand random{std::random_device{}()};
            return fitting[random() % fitting.size()];
        }
        std::int64_t best = std::numeric_limits<std::int64_t>::max();
        for (const std::size_t i : fitting) best = std::min(best, score(all[i], strategy, request.group, all));
        std::erase_if(fitting, [&](std::size_t i) { return score(all[i], strategy, request.group, all) != best; });
    }
    return fitting.front();
}

}  // namespace

Candidate make_candidate(const ContainerInstance& instance, bool connected, const std::vector<Task*>& tasks) {
    Candidate candidate;
    candidate.arn = instance.arn;
    candidate.connected = connected;
    if (const Resource* cpu = resource(instance, "CPU")) candidate.cpu = cpu->integer_value;
    if (const Resource* memory = resource(instance, "MEMORY")) candidate.memory = memory->integer_value;
    candidate.used_tcp_ports = reserved_ports(instance, "PORTS");
    candidate.used_udp_ports = reserved_ports(instance, "PORTS_UDP");
    for (const PlatformDevice& device : instance.devices) {
        if (device.type == "GPU") candidate.free_gpus.push_back(device.id);
    }
    std::int64_t running = 0;
    std::int64_t pending = 0;
    for (const Task* task : tasks) {
        candidate.cpu -= task->demand.cpu;
        candidate.memory -= task->demand.memory;
        candidate.used_tcp_ports.insert(task->demand.tcp_ports.begin(), task->demand.tcp_ports.end());
        candidate.used_udp_ports.insert(task->demand.udp_ports.begin(), task->demand.udp_ports.end());
        for (const TaskContainer& container : task->containers) {
            for (const std::string& gpu : container.gpu_ids) std::erase(candidate.free_gpus, gpu);
        }
        ++candidate.tasks;
        candidate.groups.insert(task->group);
        candidate.facts.emplace("task:group", task->group);
        (task->last_status == "RUNNING" ? running : pending) += 1;
    }
    for (const Attribute& attribute : instance.attributes) {
        candidate.facts.emplace("attribute:" + attribute.name, attribute.value.value_or(""));
    }
    candidate.facts.emplace("ec2InstanceId", instance.ec2_instance_id);
    candidate.facts.emplace("status", instance.status);
    candidate.facts.emplace("agentConnected", connected ? "true" : "false");
    candidate.facts.emplace("agentVersion", instance.version_info.agent_version);
    candidate.facts.emplace("dockerVersion", instance.version_info.docker_version);
    candidate.facts.emplace("runningTasksCount", std::to_string(running));
    candidate.facts.emplace("pendingTasksCount", std::to_string(pending));
    return candidate;
}

ApiOutcome<PlacementOutcome> place(std::vector<Candidate> candidates, const PlacementRequest& request) {
    PlacementOutcome outcome;
    for (const PlacementStrategy& strategy : request.strategies) {
        if (strategy.type != "random" && strategy.type != "spread" && strategy.type != "binpack") {
            return invalid_parameter("Placement strategy type must be random, spread or binpack, not '" +
                                     strategy.type + "'.");
        }
    }
    for (std::int64_t n = 0; n < request.count; ++n) {
        std::vector<std::size_t> fitting;
        std::vector<PlacementFailure> failures;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            auto refused = refusal(candidates[i], request);
            if (!refused) return std::move(refused).error();
            if (refused->reason.empty()) {
                fitting.push_back(i);
            } else {
                failures.push_back(std::move(*refused));
            }
        }
        if (fitting.empty()) {
            outcome.failures = std::move(failures);  // the same for every further task of this call
            break;
        }
        Candidate& chosen = candidates[choose(std::move(fitting), candidates, request)];
        Placed placed{.instance_arn = chosen.arn, .gpus = {}};
        take(chosen, request, placed);
        outcome.placed.push_back(std::move(placed));
    }
    return outcome;
}

}  // namespace nodeagent::local
