#include "agent/local/views.hpp"

#include <algorithm>

#include "agent/local/task_lifecycle.hpp"

namespace nodeagent::local {
namespace {

bool wants(const Strings& include, std::string_view word) {
    return std::find(include.begin(), include.end(), word) != include.end();
}

void put_time(OrderedJson& out, const char* name, double when) {
    if (when > 0) out[name] = when;
}
void put_text(OrderedJson& out, const char* name, const std::string& text) {
    if (!text.empty()) out[name] = text;
}

OrderedJson container_view(const TaskContainer& container, const std::string& task_arn) {
    OrderedJson out;
    out["containerArn"] = container.arn;
    out["taskArn"] = task_arn;
    out["name"] = container.name;
    out["image"] = container.image;
    put_text(out, "imageDigest", container.image_digest);
    put_text(out, "runtimeId", container.runtime_id);
    out["lastStatus"] = container.last_status;
    if (container.exit_code) out["exitCode"] = *container.exit_code;
    put_text(out, "reason", container.reason);
    out["networkBindings"] = list_view(container.network_bindings);
    out["networkInterfaces"] = OrderedJson::array();
    out["healthStatus"] = container.health_status.empty() ? "UNKNOWN" : container.health_status;
    if (!container.managed_agents.empty()) out["managedAgents"] = list_view(container.managed_agents);
    put_text(out, "cpu", container.cpu);
    put_text(out, "memory", container.memory);
    put_text(out, "memoryReservation", container.memory_reservation);
    if (!container.gpu_ids.empty()) out["gpuIds"] = container.gpu_ids;
    return out;
}

std::string zone_of(const ContainerInstance& instance) {
    for (const Attribute& attribute : instance.attributes) {
        if (attribute.name == "ecs.availability-zone") return attribute.value.value_or("");
    }
    return {};
}

Resource remaining(Resource resource, const Candidate& left) {
    const auto as_text = [](const std::set<std::int64_t>& ports) {
        Strings texts;
        for (const std::int64_t port : ports) texts.push_back(std::to_string(port));
        return texts;
    };
    if (resource.name == "CPU") resource.integer_value = left.cpu;
    if (resource.name == "MEMORY") resource.integer_value = left.memory;
    // these list what is taken, not what is free
    if (resource.name == "PORTS") resource.string_set_value = as_text(left.used_tcp_ports);
    if (resource.name == "PORTS_UDP") resource.string_set_value = as_text(left.used_udp_ports);
    return resource;
}

OrderedJson resource_view(const Resource& resource) {
    OrderedJson out = to_json_document(resource);
    if (resource.type == "STRINGSET") out["stringSetValue"] = resource.string_set_value;
    return out;
}

}  // namespace

OrderedJson cluster_view(const Cluster& cluster, const ClusterCounts& counts, const Strings& include) {
    OrderedJson out;
    out["clusterArn"] = cluster.arn;
    out["clusterName"] = cluster.name;
    if (wants(include, "CONFIGURATIONS") && !cluster.configuration.is_null()) {
        out["configuration"] = OrderedJson(cluster.configuration);
    }
    out["status"] = cluster.status;
    out["registeredContainerInstancesCount"] = counts.instances;
    out["runningTasksCount"] = counts.running;
    out["pendingTasksCount"] = counts.pending;
    out["activeServicesCount"] = 0;
    out["statistics"] = OrderedJson::array();
    if (wants(include, "STATISTICS")) {
        out["statistics"] =
            OrderedJson::array({{{"name", "runningEC2TasksCount"}, {"value", std::to_string(counts.running)}},
                                {{"name", "pendingEC2TasksCount"}, {"value", std::to_string(counts.pending)}}});
    }
    out["tags"] = wants(include, "TAGS") ? list_view(cluster.tags) : OrderedJson::array();
    const bool settings = wants(include, "SETTINGS") && !cluster.settings.is_null();
    out["settings"] = settings ? OrderedJson(cluster.settings) : OrderedJson::array();
    out["capacityProviders"] = OrderedJson::array();
    out["defaultCapacityProviderStrategy"] = OrderedJson::array();
    return out;
}

OrderedJson task_view(const Task& task, const ContainerInstance* instance, bool connected, bool with_tags) {
    OrderedJson out;
    out["attachments"] = OrderedJson::array();
    out["attributes"] = OrderedJson::array();
    if (instance != nullptr) put_text(out, "availabilityZone", zone_of(*instance));
    out["clusterArn"] = task.cluster_arn;
    out["connectivity"] = connected ? "CONNECTED" : "DISCONNECTED";
    if (instance != nullptr) put_time(out, "connectivityAt", std::max(task.created_at, instance->connected_since));
    out["containerInstanceArn"] = task.instance_arn;
    out["containers"] = OrderedJson::array();
    for (const TaskContainer& container : task.containers)
        out["containers"].push_back(container_view(container, task.arn));
    out["cpu"] = task.cpu;
    put_time(out, "createdAt", task.created_at);
    out["desiredStatus"] = task.desired_status;
    out["enableExecuteCommand"] = task.enable_execute_command;
    put_time(out, "executionStoppedAt", task.execution_stopped_at);
    out["group"] = task.group;
    out["healthStatus"] = task_health(task);
    out["lastStatus"] = task.last_status;
    out["launchType"] = task.launch_type;
    out["memory"] = task.memory;
    out["overrides"] = to_json_document(task.overrides);
    out["overrides"]["inferenceAcceleratorOverrides"] = OrderedJson::array();
    put_time(out, "pullStartedAt", task.pull_started_at);
    put_time(out, "pullStoppedAt", task.pull_stopped_at);
    put_time(out, "startedAt", task.started_at);
    put_text(out, "startedBy", task.started_by);
    put_text(out, "stopCode", task.stop_code);
    put_time(out, "stoppedAt", task.stopped_at);
    put_text(out, "stoppedReason", task.stopped_reason);
    put_time(out, "stoppingAt", task.stopping_at);
    out["tags"] = with_tags ? list_view(task.tags) : OrderedJson::array();
    out["taskArn"] = task.arn;
    out["taskDefinitionArn"] = task.definition_arn;
    out["version"] = task.version;
    return out;
}

OrderedJson instance_view(const ContainerInstance& instance, bool connected, const std::vector<Task*>& tasks,
                          const Strings& include) {
    const Candidate left = make_candidate(instance, connected, tasks);
    OrderedJson out;
    out["containerInstanceArn"] = instance.arn;
    put_text(out, "ec2InstanceId", instance.ec2_instance_id);
    out["version"] = instance.version;
    out["versionInfo"] = to_json_document(instance.version_info);
    out["remainingResources"] = OrderedJson::array();
    out["registeredResources"] = OrderedJson::array();
    for (const Resource& resource : instance.resources) {
        out["remainingResources"].push_back(resource_view(remaining(resource, left)));
        out["registeredResources"].push_back(resource_view(resource));
    }
    out["status"] = instance.status;
    out["agentConnected"] = connected;
    const auto running =
        std::count_if(tasks.begin(), tasks.end(), [](const Task* t) { return t->last_status == "RUNNING"; });
    const auto pending =
        std::count_if(tasks.begin(), tasks.end(), [](const Task* t) { return t->last_status == "PENDING"; });
    out["runningTasksCount"] = running;
    out["pendingTasksCount"] = pending;
    out["attributes"] = list_view(instance.attributes);
    put_time(out, "registeredAt", instance.registered_at);
    out["attachments"] = OrderedJson::array();
    out["tags"] = wants(include, "TAGS") ? list_view(instance.tags) : OrderedJson::array();
    if (wants(include, "CONTAINER_INSTANCE_HEALTH") && instance.health.is_array()) {
        bool impaired = false;
        for (const auto& check : instance.health)
            impaired = impaired || check.value("status", std::string()) == "IMPAIRED";
        out["healthStatus"] = {{"overallStatus", impaired ? "IMPAIRED" : "OK"},
                               {"details", OrderedJson(instance.health)}};
    }
    return out;
}

OrderedJson failure_view(const std::string& arn, const std::string& reason) {
    OrderedJson out;
    out["arn"] = arn;
    out["reason"] = reason;
    return out;
}

}  // namespace nodeagent::local
