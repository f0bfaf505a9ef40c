#include <algorithm>

#include "agent/local/api.hpp"
#include "agent/local/pagination.hpp"
#include "agent/local/task_lifecycle.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct StopTaskRequest {
    std::string cluster;
    std::string task;
    std::string reason;
    static constexpr auto json_fields() {
        using T = StopTaskRequest;
        return std::tuple{optional_field("cluster", &T::cluster), required_field("task", &T::task),
                          optional_field("reason", &T::reason)};
    }
};

struct DescribeTasksRequest {
    std::string cluster;
    Strings tasks;
    Strings include;
    static constexpr auto json_fields() {
        using T = DescribeTasksRequest;
        return std::tuple{optional_field("cluster", &T::cluster), required_field("tasks", &T::tasks),
                          optional_field("include", &T::include)};
    }
};

struct ListTasksRequest {
    std::string cluster;
    std::string container_instance;
    std::string family;
    std::string started_by;
    std::string service_name;
    std::string desired_status;
    std::string launch_type;
    std::string next_token;
    std::optional<std::int64_t> max_results;
    static constexpr auto json_fields() {
        using T = ListTasksRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("containerInstance", &T::container_instance),
                          optional_field("family", &T::family),
                          optional_field("startedBy", &T::started_by),
                          optional_field("serviceName", &T::service_name),
                          optional_field("desiredStatus", &T::desired_status),
                          optional_field("launchType", &T::launch_type),
                          optional_field("nextToken", &T::next_token),
                          optional_field("maxResults", &T::max_results)};
    }
};

struct ProtectionRequest {
    std::string cluster;
    Strings tasks;
    bool enabled = false;
    std::optional<std::int64_t> minutes;
    static constexpr auto json_fields() {
        using T = ProtectionRequest;
        return std::tuple{required_field("cluster", &T::cluster), optional_field("tasks", &T::tasks),
                          optional_field("protectionEnabled", &T::enabled),
                          optional_field("expiresInMinutes", &T::minutes)};
    }
};

OrderedJson view(Api& api, const Task& task, bool with_tags) {
    return task_view(task, api.state.instance(task.instance_arn), api.channels.connected(task.instance_arn), with_tags);
}

OrderedJson protection_view(Api& api, const Task& task) {
    OrderedJson out;
    out["taskArn"] = task.arn;
    const bool protected_now = task.protected_until > api.now;
    out["protectionEnabled"] = protected_now;
    if (protected_now) out["expirationDate"] = task.protected_until;
    return out;
}

/// "family" or "family:revision" of a task definition ARN.
std::string family_of(const Task& task) {
    const std::string_view name = last_segment(task.definition_arn);
    return std::string(name.substr(0, name.find(':')));
}

}  // namespace

ApiResult stop_task(Api& api, const Json& document) {
    auto request = parse_request<StopTaskRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    Task* task = api.state.task(cluster->name, request->task);
    if (task == nullptr) return invalid_parameter("The referenced task was not found.");
    if (request->reason.size() > 1024) return invalid_parameter("reason has at most 1024 characters.");
    request_stop(*task, "UserInitiated", request->reason.empty() ? "Task stopped by user" : request->reason, api.now);
    api.state.save(task);
    Reply reply;
    reply.body["task"] = view(api, *task, true);
    api.channels.wake(task->instance_arn);
    return reply;
}

ApiResult describe_tasks(Api& api, const Json& document) {
    auto request = parse_request<DescribeTasksRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (request->tasks.empty()) return invalid_parameter("Tasks cannot be empty.");
    if (request->tasks.size() > 100) return invalid_parameter("Tasks can have at most 100 entries.");
    const bool with_tags =
        std::find(request->include.begin(), request->include.end(), "TAGS") != request->include.end();
    Reply reply;
    reply.body["tasks"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& reference : request->tasks) {
        if (const Task* task = api.state.task(cluster->name, reference)) {
            reply.body["tasks"].push_back(view(api, *task, with_tags));
            continue;
        }
        const std::string resource = "task/" + cluster->name + "/" + std::string(last_segment(reference));
        reply.body["failures"].push_back(failure_view(make_arn(api.state.identity(), resource), "MISSING"));
    }
    return reply;
}

ApiResult list_tasks(Api& api, const Json& document) {
    auto request = parse_request<ListTasksRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    const std::string desired = request->desired_status.empty() ? "RUNNING" : request->desired_status;
    if (desired != "RUNNING" && desired != "PENDING" && desired != "STOPPED") {
        return invalid_parameter("desiredStatus must be RUNNING, PENDING or STOPPED, not '" + desired + "'.");
    }
    std::string instance_arn;
    if (!request->container_instance.empty()) {
        const ContainerInstance* instance = api.state.instance(cluster->name, request->container_instance);
        if (instance == nullptr) return invalid_parameter("The referenced container instance was not found.");
        instance_arn = instance->arn;
    }
    if (!request->service_name.empty()) {
        return ApiError{.code = "ServiceNotFoundException", .message = "Service not found."};
    }
    Strings arns;
    for (const auto& [arn, task] : api.state.tasks()) {
        const bool wanted = task.cluster == cluster->name && task.desired_status == desired &&
                            (instance_arn.empty() || task.instance_arn == instance_arn) &&
                            (request->family.empty() || family_of(task) == request->family) &&
                            (request->started_by.empty() || task.started_by == request->started_by) &&
                            (request->launch_type.empty() || task.launch_type == request->launch_type);
        if (wanted) arns.push_back(arn);
    }
    auto page = paginate(std::move(arns), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    Reply reply;
    reply.body["taskArns"] = page->items;
    if (!page->next_token.empty()) reply.body["nextToken"] = page->next_token;
    return reply;
}

ApiResult get_task_protection(Api& api, const Json& document) {
    auto request = parse_request<ProtectionRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    Reply reply;
    reply.body["protectedTasks"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& reference : request->tasks) {
        if (const Task* task = api.state.task(cluster->name, reference)) {
            reply.body["protectedTasks"].push_back(protection_view(api, *task));
        } else {
            reply.body["failures"].push_back(failure_view(reference, "MISSING"));
        }
    }
    return reply;
}

ApiResult update_task_protection(Api& api, const Json& document) {
    auto request = parse_request<ProtectionRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    constexpr std::int64_t kTwoHours = 120;
    const std::int64_t minutes = request->minutes.value_or(kTwoHours);
    if (minutes < 1 || minutes > 2880) return invalid_parameter("expiresInMinutes must be between 1 and 2880.");
    if (request->tasks.empty()) return invalid_parameter("Tasks cannot be empty.");
    Reply reply;
    reply.body["protectedTasks"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& reference : request->tasks) {
        Task* task = api.state.task(cluster->name, reference);
        if (task == nullptr || task->stopped()) {
            reply.body["failures"].push_back(failure_view(reference, task == nullptr ? "MISSING" : "TASK_NOT_VALID"));
            continue;
        }
        // protection is for tasks of services elsewhere; here every task may try it
        task->protected_until = request->enabled ? api.now + static_cast<double>(minutes) * 60 : 0;
        api.state.save(task);
        reply.body["protectedTasks"].push_back(protection_view(api, *task));
    }
    return reply;
}

}  // namespace nodeagent::local
