#include <algorithm>
#include <set>

#include "agent/base/strings.hpp"
#include "agent/local/api.hpp"
#include "agent/local/payload_builder.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/scheduler.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

constexpr std::int64_t kMaxCount = 10;

/// RunTask and StartTask; each reads its own members of it.
struct LaunchRequest {
    std::string cluster;
    std::string task_definition;
    std::optional<std::int64_t> count;
    Strings container_instances;
    std::string group;
    std::string launch_type;
    std::string started_by;
    std::string client_token;
    std::string propagate_tags;
    TaskOverride overrides;
    std::vector<PlacementConstraint> constraints;
    std::vector<PlacementStrategy> strategies;
    std::vector<Tag> tags;
    bool enable_execute_command = false;
    static constexpr auto json_fields() {
        using T = LaunchRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          required_field("taskDefinition", &T::task_definition),
                          optional_field("count", &T::count),
                          optional_field("containerInstances", &T::container_instances),
                          optional_field("group", &T::group),
                          optional_field("launchType", &T::launch_type),
                          optional_field("startedBy", &T::started_by),
                          optional_field("clientToken", &T::client_token),
                          optional_field("propagateTags", &T::propagate_tags),
                          optional_field("overrides", &T::overrides),
                          optional_field("placementConstraints", &T::constraints),
                          optional_field("placementStrategy", &T::strategies),
                          optional_field("tags", &T::tags),
                          optional_field("enableExecuteCommand", &T::enable_execute_command)};
    }
};

/// A request whose cluster and definition exist and whose demand is known.
struct Launch {
    LaunchRequest request;
    const Cluster* cluster = nullptr;
    const StoredTaskDefinition* stored = nullptr;
    Demand demand;
    std::string group;
};

ApiOutcome<Launch> prepare(Api& api, const Json& document) {
    auto request = parse_request<LaunchRequest>(document);
    if (!request) return std::move(request).error();
    Launch launch;
    launch.request = std::move(*request);
    const LaunchRequest& asked = launch.request;
    launch.cluster = api.state.active_cluster(asked.cluster);
    if (launch.cluster == nullptr) return cluster_not_found();
    launch.stored = api.state.task_definition(asked.task_definition);
    if (launch.stored == nullptr) return client_error("TaskDefinition not found.");
    const TaskDefinition& definition = launch.stored->definition;
    if (definition.status != "ACTIVE") return client_error("TaskDefinition is inactive");
    if (asked.launch_type == "FARGATE")
        return unsupported("ecs-local runs tasks on registered container instances only.");
    if (definition.network_mode == "awsvpc") {
        return unsupported(
            "Network mode awsvpc needs elastic network interfaces, which ecs-local cannot give; use bridge, host or "
            "none.");
    }
    if (auto bad = check_tags(asked.tags)) return std::move(*bad);
    if (asked.started_by.size() > 128) return invalid_parameter("startedBy has at most 128 characters.");
    auto demand = demand_of(definition, asked.overrides);
    if (!demand) return std::move(demand).error();
    launch.demand = std::move(*demand);
    launch.group = asked.group.empty() ? "family:" + definition.family : asked.group;
    return launch;
}

bool is_external(const ContainerInstance& instance) {
    return std::any_of(instance.attributes.begin(), instance.attributes.end(),
                       [](const Attribute& attribute) { return attribute.name == "ecs.capability.external"; });
}

Task& create_task(Api& api, const Launch& launch, const Placed& placed) {
    const TaskDefinition& definition = launch.stored->definition;
    const std::string id = new_resource_id();
    Task task;
    task.arn = make_arn(api.state.identity(), "task/" + launch.cluster->name + "/" + id);
    task.cluster = launch.cluster->name;
    task.cluster_arn = launch.cluster->arn;
    task.instance_arn = placed.instance_arn;
    task.definition_arn = definition.arn;
    task.overrides = launch.request.overrides;
    // the service lists every container among the overrides, also those without
    for (const ContainerDefinition& container : definition.containers) {
        const auto same = [&](const ContainerOverride& change) { return change.name == container.name; };
        auto& changes = task.overrides.containers;
        if (std::any_of(changes.begin(), changes.end(), same)) continue;
        ContainerOverride unchanged;
        unchanged.name = container.name;
        changes.push_back(std::move(unchanged));
    }
    task.demand = launch.demand;
    task.cpu = std::to_string(launch.demand.cpu);
    task.memory = std::to_string(launch.demand.memory);
    task.last_status = "PENDING";
    task.desired_status = "RUNNING";
    task.started_by = launch.request.started_by;
    task.group = launch.group;
    const ContainerInstance* instance = api.state.instance(placed.instance_arn);
    task.launch_type = instance != nullptr && is_external(*instance) ? "EXTERNAL" : "EC2";
    const TaskOverride& overrides = launch.request.overrides;
    task.task_role_arn = overrides.task_role_arn.empty() ? definition.task_role_arn : overrides.task_role_arn;
    task.execution_role_arn =
        overrides.execution_role_arn.empty() ? definition.execution_role_arn : overrides.execution_role_arn;
    if (!task.task_role_arn.empty()) task.role_credentials_id = uuid4();
    if (!task.execution_role_arn.empty()) task.execution_credentials_id = uuid4();
    task.client_token = launch.request.client_token;
    task.tags = launch.request.tags;
    if (launch.request.propagate_tags == "TASK_DEFINITION") {
        for (const Tag& tag : launch.stored->tags) {
            const auto same = [&](const Tag& other) { return other.key == tag.key; };
            if (std::none_of(task.tags.begin(), task.tags.end(), same)) task.tags.push_back(tag);
        }
    }
    task.enable_execute_command = launch.request.enable_execute_command;
    task.created_at = api.now;
    std::size_t next_gpu = 0;
    // the overrides were checked in prepare()
    const auto containers = effective_containers(definition, launch.request.overrides);
    if (containers) {
        for (const EffectiveContainer& effective : *containers) {
            const ContainerDefinition& wanted = effective.definition;
            TaskContainer container;
            container.arn =
                make_arn(api.state.identity(), "container/" + launch.cluster->name + "/" + id + "/" + uuid4());
            container.name = wanted.name;
            container.image = wanted.image;
            container.last_status = "PENDING";
            container.cpu = std::to_string(wanted.cpu);
            if (wanted.memory) container.memory = std::to_string(*wanted.memory);
            if (wanted.memory_reservation) container.memory_reservation = std::to_string(*wanted.memory_reservation);
            container.essential = wanted.is_essential();
            container.has_health_check = wanted.health_check.has_value();
            for (const ResourceRequirement& requirement : wanted.resource_requirements) {
                if (requirement.type != "GPU") continue;
                for (std::int64_t n = parse_integer(requirement.value).value_or(0);
                     n > 0 && next_gpu < placed.gpus.size(); --n) {
                    container.gpu_ids.push_back(placed.gpus[next_gpu++]);
                }
            }
            task.containers.push_back(std::move(container));
        }
    }
    return api.state.save(std::move(task));
}

Reply launch_reply(Api& api, const std::vector<Task*>& tasks, const std::vector<PlacementFailure>& failures) {
    Reply reply;
    reply.body["tasks"] = OrderedJson::array();
    for (const Task* task : tasks) {
        reply.body["tasks"].push_back(
            task_view(*task, api.state.instance(task->instance_arn), api.channels.connected(task->instance_arn), true));
    }
    reply.body["failures"] = list_view(failures);
    return reply;
}

Reply launch_on(Api& api, const Launch& launch, const std::vector<Placed>& places,
                const std::vector<PlacementFailure>& failures) {
    std::vector<Task*> tasks;
    for (const Placed& placed : places) tasks.push_back(&create_task(api, launch, placed));
    Reply reply = launch_reply(api, tasks, failures);
    std::set<std::string> touched;
    for (const Placed& placed : places) touched.insert(placed.instance_arn);
    for (const std::string& arn : touched) api.channels.wake(arn);
    return reply;
}

PlacementRequest placement_of(const Launch& launch) {
    PlacementRequest placement;
    placement.demand = launch.demand;
    placement.group = launch.group;
    placement.attributes = launch.stored->definition.requires_attributes;
    placement.constraints = launch.stored->definition.placement_constraints;
    return placement;
}

}  // namespace

ApiResult run_task(Api& api, const Json& document) {
    auto launch = prepare(api, document);
    if (!launch) return std::move(launch).error();
    const LaunchRequest& request = launch->request;
    const std::int64_t count = request.count.value_or(1);
    if (count < 1 || count > kMaxCount) return invalid_parameter("count must be between 1 and 10.");
    if (!request.client_token.empty()) {
        // the SDK repeats a request it got no answer to with the same token
        std::vector<Task*> earlier;
        for (auto& [arn, task] : api.state.tasks()) {
            if (task.client_token == request.client_token && task.cluster == launch->cluster->name)
                earlier.push_back(&task);
        }
        if (!earlier.empty()) return launch_reply(api, earlier, {});
    }
    std::vector<Candidate> candidates;
    for (const auto& [arn, instance] : api.state.instances()) {
        if (instance.cluster != launch->cluster->name || instance.status != "ACTIVE") continue;
        if (!request.launch_type.empty() && (request.launch_type == "EXTERNAL") != is_external(instance)) continue;
        candidates.push_back(make_candidate(instance, api.channels.connected(arn), api.state.live_tasks(arn)));
    }
    if (candidates.empty()) return invalid_parameter("No Container Instances were found in your cluster.");
    PlacementRequest placement = placement_of(*launch);
    placement.count = count;
    placement.constraints.insert(placement.constraints.end(), request.constraints.begin(), request.constraints.end());
    placement.strategies = request.strategies;
    auto outcome = place(std::move(candidates), placement);
    if (!outcome) return std::move(outcome).error();
    return launch_on(api, *launch, outcome->placed, outcome->failures);
}

ApiResult start_task(Api& api, const Json& document) {
    auto launch = prepare(api, document);
    if (!launch) return std::move(launch).error();
    const Strings& wanted = launch->request.container_instances;
    if (wanted.empty()) return invalid_parameter("Container instances cannot be empty.");
    if (wanted.size() > static_cast<std::size_t>(kMaxCount))
        return invalid_parameter("Container instances can have at most 10 entries.");
    std::vector<Placed> places;
    std::vector<PlacementFailure> failures;
    for (const std::string& reference : wanted) {
        const ContainerInstance* instance = api.state.instance(launch->cluster->name, reference);
        if (instance == nullptr || instance->status == "INACTIVE") {
            failures.push_back(
                {.arn = reference, .reason = instance == nullptr ? "MISSING" : "INACTIVE", .detail = {}});
            continue;
        }
        auto tried = place(
            {make_candidate(*instance, api.channels.connected(instance->arn), api.state.live_tasks(instance->arn))},
            placement_of(*launch));
        if (!tried) return std::move(tried).error();
        places.insert(places.end(), tried->placed.begin(), tried->placed.end());
        failures.insert(failures.end(), tried->failures.begin(), tried->failures.end());
    }
    return launch_on(api, *launch, places, failures);
}

}  // namespace nodeagent::local
