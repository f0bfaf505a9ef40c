#include <algorithm>

#include "agent/local/api.hpp"
#include "agent/local/pagination.hpp"
#include "agent/local/placement_expression.hpp"
#include "agent/local/task_lifecycle.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct InstancesRequest {
    std::string cluster;
    Strings container_instances;
    Strings include;
    std::string status;
    static constexpr auto json_fields() {
        using T = InstancesRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          required_field("containerInstances", &T::container_instances),
                          optional_field("include", &T::include), optional_field("status", &T::status)};
    }
};

struct ListRequest {
    std::string cluster;
    std::string filter;
    std::string status;
    std::string next_token;
    std::optional<std::int64_t> max_results;
    static constexpr auto json_fields() {
        using T = ListRequest;
        return std::tuple{optional_field("cluster", &T::cluster), optional_field("filter", &T::filter),
                          optional_field("status", &T::status), optional_field("nextToken", &T::next_token),
                          optional_field("maxResults", &T::max_results)};
    }
};

struct DeregisterRequest {
    std::string cluster;
    std::string container_instance;
    bool force = false;
    static constexpr auto json_fields() {
        using T = DeregisterRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          required_field("containerInstance", &T::container_instance),
                          optional_field("force", &T::force)};
    }
};

OrderedJson view(Api& api, const ContainerInstance& instance, const Strings& include) {
    return instance_view(instance, api.channels.connected(instance.arn), api.state.live_tasks(instance.arn), include);
}

std::string arn_in(Api& api, const Cluster& cluster, const std::string& reference) {
    return make_arn(api.state.identity(),
                    "container-instance/" + cluster.name + "/" + std::string(last_segment(reference)));
}

}  // namespace

ApiResult describe_container_instances(Api& api, const Json& document) {
    auto request = parse_request<InstancesRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (request->container_instances.empty()) return invalid_parameter("Container instance cannot be empty.");
    if (request->container_instances.size() > 100)
        return invalid_parameter("Container instances can have at most 100 entries.");
    Reply reply;
    reply.body["containerInstances"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& reference : request->container_instances) {
        if (const ContainerInstance* instance = api.state.instance(cluster->name, reference)) {
            reply.body["containerInstances"].push_back(view(api, *instance, request->include));
        } else {
            reply.body["failures"].push_back(failure_view(arn_in(api, *cluster, reference), "MISSING"));
        }
    }
    return reply;
}

ApiResult list_container_instances(Api& api, const Json& document) {
    auto request = parse_request<ListRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    Strings arns;
    for (const auto& [arn, instance] : api.state.instances()) {
        if (instance.cluster != cluster->name || instance.status == "INACTIVE") continue;
        if (!request->status.empty() && instance.status != request->status) continue;
        if (!request->filter.empty()) {
            const Candidate candidate =
                make_candidate(instance, api.channels.connected(arn), api.state.live_tasks(arn));
            const auto match = matches_expression(request->filter, candidate.facts);
            if (!match) return invalid_parameter("Invalid filter: " + match.error().what);
            if (!*match) continue;
        }
        arns.push_back(arn);
    }
    auto page = paginate(std::move(arns), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    Reply reply;
    reply.body["containerInstanceArns"] = page->items;
    if (!page->next_token.empty()) reply.body["nextToken"] = page->next_token;
    return reply;
}

ApiResult deregister_container_instance(Api& api, const Json& document) {
    auto request = parse_request<DeregisterRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    ContainerInstance* instance = api.state.instance(cluster->name, request->container_instance);
    if (instance == nullptr || instance->status == "INACTIVE") {
        return invalid_parameter("The referenced container instance was not found.");
    }
    const std::vector<Task*> tasks = api.state.live_tasks(instance->arn);
    if (!tasks.empty() && !request->force) return invalid_parameter("Found running tasks on the instance.");
    for (Task* task : tasks) {
        // its containers go on without an owner, as with the service
        orphan(*task, "Host (" + instance->arn + ") deregistered", api.now);
        api.state.save(task);
    }
    instance->status = "INACTIVE";
    instance->deregistered_at = api.now;
    ++instance->version;
    api.state.save(instance);
    Reply reply;
    reply.body["containerInstance"] = view(api, *instance, {"TAGS"});
    api.channels.wake(instance->arn);
    return reply;
}

ApiResult update_container_instances_state(Api& api, const Json& document) {
    auto request = parse_request<InstancesRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (request->status != "ACTIVE" && request->status != "DRAINING") {
        return invalid_parameter("Container instances can be set to ACTIVE or DRAINING, not '" + request->status +
                                 "'.");
    }
    if (request->container_instances.empty()) return invalid_parameter("Container instance cannot be empty.");
    if (request->container_instances.size() > 10)
        return invalid_parameter("Container instances can have at most 10 entries.");
    Reply reply;
    reply.body["containerInstances"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& reference : request->container_instances) {
        ContainerInstance* instance = api.state.instance(cluster->name, reference);
        if (instance == nullptr || instance->status == "INACTIVE") {
            reply.body["failures"].push_back(
                failure_view(arn_in(api, *cluster, reference), instance == nullptr ? "MISSING" : "INACTIVE"));
            continue;
        }
        instance->status = request->status;
        ++instance->version;
        api.state.save(instance);
        reply.body["containerInstances"].push_back(view(api, *instance, {}));
    }
    return reply;
}

}  // namespace nodeagent::local
