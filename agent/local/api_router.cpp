#include "agent/local/api_router.hpp"

#include <exception>
#include <map>

#include "agent/base/log.hpp"

namespace nodeagent::local {
namespace {

using Operation = ApiResult (*)(Api&, const Json&);

const std::map<std::string_view, Operation>& operations() {
    static const std::map<std::string_view, Operation> table{
        {"CreateCluster", create_cluster},
        {"DescribeClusters", describe_clusters},
        {"ListClusters", list_clusters},
        {"DeleteCluster", delete_cluster},
        {"RegisterTaskDefinition", register_task_definition},
        {"DescribeTaskDefinition", describe_task_definition},
        {"ListTaskDefinitions", list_task_definitions},
        {"ListTaskDefinitionFamilies", list_task_definition_families},
        {"DeregisterTaskDefinition", deregister_task_definition},
        {"RunTask", run_task},
        {"StartTask", start_task},
        {"StopTask", stop_task},
        {"DescribeTasks", describe_tasks},
        {"ListTasks", list_tasks},
        {"GetTaskProtection", get_task_protection},
        {"UpdateTaskProtection", update_task_protection},
        {"DescribeContainerInstances", describe_container_instances},
        {"ListContainerInstances", list_container_instances},
        {"DeregisterContainerInstance", deregister_container_instance},
        {"UpdateContainerInstancesState", update_container_instances_state},
        {"DiscoverPollEndpoint", discover_poll_endpoint},
        {"RegisterContainerInstance", register_container_instance},
        {"SubmitTaskStateChange", submit_task_state_change},
        {"SubmitContainerStateChange", submit_container_state_change},
        {"SubmitAttachmentStateChanges", submit_attachment_state_changes},
        {"TagResource", tag_resource},
        {"UntagResource", untag_resource},
        {"ListTagsForResource", list_tags_for_resource},
        {"PutAttributes", put_attributes},
        {"DeleteAttributes", delete_attributes},
        {"ListAttributes", list_attributes},
    };
    return table;
}

}  // namespace

ApiResult route(Api& api, std::string_view target, std::string_view body) {
    constexpr std::string_view kService = "AmazonEC2ContainerServiceV20141113.";
    const std::string_view name = target.starts_with(kService) ? target.substr(kService.size()) : std::string_view{};
    const auto operation = operations().find(name);
    if (operation == operations().end()) {
        return ApiError{.code = "UnknownOperationException",
                        .message = name.empty() ? "X-Amz-Target must be " + std::string(kService) + "<Operation>."
                                                : "ecs-local does not serve " + std::string(name) + "."};
    }
    auto request = parse_json(body.empty() ? "{}" : body);
    if (!request) return serialization_error(request.error().what);
    if (!request->is_object()) return serialization_error("the request must be a JSON object");
    try {
        ApiResult result = operation->second(api, *request);
        if (result) {
            log::debug("API call", {{"operation", name}});
        } else {
            log::info("API call refused",
                      {{"operation", name}, {"code", result.error().code}, {"message", result.error().message}});
        }
        return result;
    } catch (const std::exception& e) {
        // the JSON library throws on a shape nobody expected; one request must not end the control plane
        log::error("an API call failed unexpectedly", {{"operation", name}, {"error", e.what()}});
        return server_error();
    }
}

}  // namespace nodeagent::local
