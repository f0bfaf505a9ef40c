#include <algorithm>

#include "agent/base/strings.hpp"
#include "agent/local/api.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/task_lifecycle.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct DiscoverRequest {
    std::string cluster;
    std::string container_instance;
    static constexpr auto json_fields() {
        using T = DiscoverRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("containerInstance", &T::container_instance)};
    }
};

struct RegisterRequest {
    std::string cluster;
    std::string identity_document;
    std::vector<Resource> resources;
    VersionInfo version_info;
    std::string arn;
    std::string client_token;
    std::vector<Attribute> attributes;
    std::vector<PlatformDevice> devices;
    std::vector<Tag> tags;
    static constexpr auto json_fields() {
        using T = RegisterRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("instanceIdentityDocument", &T::identity_document),
                          optional_field("totalResources", &T::resources),
                          optional_field("versionInfo", &T::version_info),
                          optional_field("containerInstanceArn", &T::arn),
                          optional_field("clientToken", &T::client_token),
                          optional_field("attributes", &T::attributes),
                          optional_field("platformDevices", &T::devices),
                          optional_field("tags", &T::tags)};
    }
};

/// What the service reads from the EC2 instance identity document.
struct InstanceIdentity {
    std::string instance_id;
    std::string instance_type;
    std::string availability_zone;
    std::string image_id;
    static constexpr auto json_fields() {
        using T = InstanceIdentity;
        return std::tuple{
            optional_field("instanceId", &T::instance_id), optional_field("instanceType", &T::instance_type),
            optional_field("availabilityZone", &T::availability_zone), optional_field("imageId", &T::image_id)};
    }
};

struct SubmitContainerRequest {
    std::string cluster;
    std::string task;
    std::string container_name;
    std::string status;
    std::optional<std::int64_t> exit_code;
    std::string reason;
    std::string runtime_id;
    std::optional<std::vector<NetworkBinding>> network_bindings;
    static constexpr auto json_fields() {
        using T = SubmitContainerRequest;
        return std::tuple{optional_field("cluster", &T::cluster),
                          optional_field("task", &T::task),
                          optional_field("containerName", &T::container_name),
                          optional_field("status", &T::status),
                          optional_field("exitCode", &T::exit_code),
                          optional_field("reason", &T::reason),
                          optional_field("runtimeId", &T::runtime_id),
                          optional_field("networkBindings", &T::network_bindings)};
    }
};

struct SubmitAttachmentsRequest {
    Json attachments;
    static constexpr auto json_fields() {
        return std::tuple{required_field("attachments", &SubmitAttachmentsRequest::attachments)};
    }
};

std::optional<ApiError> check_registration(const RegisterRequest& request) {
    for (const std::string_view name : {"CPU", "MEMORY"}) {
        const auto found = std::find_if(request.resources.begin(), request.resources.end(),
                                        [&](const Resource& resource) { return resource.name == name; });
        if (found == request.resources.end() || found->integer_value <= 0) {
            return invalid_parameter("totalResources must hold a positive " + std::string(name) + ".");
        }
    }
    for (const Attribute& attribute : request.attributes) {
        const bool good = !attribute.name.empty() && attribute.name.size() <= 128 &&
                          std::all_of(attribute.name.begin(), attribute.name.end(), [](char c) {
                              return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                                     std::string_view("-_./\\").find(c) != std::string_view::npos;
                          });
        if (!good) {
            return invalid_parameter("Invalid attribute name '" + attribute.name +
                                     "': up to 128 letters, numbers, hyphens, underscores, slashes and periods.");
        }
        if (attribute.value.value_or("").size() > 128) {
            return invalid_parameter("Invalid value of attribute " + attribute.name + ": at most 128 characters.");
        }
    }
    return check_tags(request.tags);
}

bool is_reported(const std::string& attribute) {
    return attribute.starts_with("ecs.") || attribute.starts_with("com.amazonaws.ecs.");
}

void set_attribute(std::vector<Attribute>& attributes, const std::string& name, std::optional<std::string> value) {
    const auto found =
        std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.name == name; });
    if (found == attributes.end()) {
        attributes.push_back({.name = name, .value = std::move(value), .target_type = {}, .target_id = {}});
    } else {
        found->value = std::move(value);
    }
}

/// What was reported before goes, what people set stays, what is sent wins.
void update_attributes(ContainerInstance& instance, const RegisterRequest& request, const InstanceIdentity& identity,
                       const std::string& region) {
    std::erase_if(instance.attributes, [](const Attribute& attribute) { return is_reported(attribute.name); });
    for (const Attribute& attribute : request.attributes)
        set_attribute(instance.attributes, attribute.name, attribute.value);
    set_attribute(instance.attributes, "ecs.availability-zone",
                  identity.availability_zone.empty() ? region + "a" : identity.availability_zone);
    if (!identity.instance_type.empty())
        set_attribute(instance.attributes, "ecs.instance-type", identity.instance_type);
    if (!identity.image_id.empty()) set_attribute(instance.attributes, "ecs.ami-id", identity.image_id);
}

void record(Api& api, const std::string& task_arn, std::string_view operation, const Json& request) {
    OrderedJson entry;
    entry["receivedAt"] = api.now;
    entry["operation"] = operation;
    for (const auto& [key, value] : request.items()) entry[key] = OrderedJson(value);
    api.state.append_history(task_arn, dump_json(entry));
}

Reply acknowledged() {
    Reply reply;
    reply.body["acknowledgment"] = uuid4();
    return reply;
}

/// Unknown tasks are an InvalidParameterException: the one answer after which an agent stops repeating a report.
ApiOutcome<Task*> reported_task(Api& api, const std::string& arn) {
    if (arn.empty()) return invalid_parameter("Task cannot be empty.");
    Task* task = api.state.task(arn);
    if (task == nullptr) return invalid_parameter("The referenced task was not found.");
    return task;
}

}  // namespace

ApiResult discover_poll_endpoint(Api& api, const Json& document) {
    auto request = parse_request<DiscoverRequest>(document);
    if (!request) return std::move(request).error();
    Reply reply;
    reply.body["endpoint"] = api.base + "/acs/";
    reply.body["telemetryEndpoint"] = api.base + "/tcs/";
    reply.body["serviceConnectEndpoint"] = api.base + "/sc/";
    return reply;
}

ApiResult register_container_instance(Api& api, const Json& document) {
    auto parsed = parse_request<RegisterRequest>(document);
    if (!parsed) return std::move(parsed).error();
    const RegisterRequest& request = *parsed;
    const Cluster* cluster = api.state.active_cluster(request.cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (auto bad = check_registration(request)) return std::move(*bad);
    InstanceIdentity identity;
    if (!request.identity_document.empty()) {
        auto decoded = decode<InstanceIdentity>(request.identity_document);
        if (!decoded) return invalid_parameter("instanceIdentityDocument: " + decoded.error().what);
        identity = std::move(*decoded);
    }
    ContainerInstance instance;
    if (!request.arn.empty()) {
        const ContainerInstance* known = api.state.instance(request.arn);
        if (known == nullptr || known->cluster != cluster->name || known->status == "INACTIVE") {
            return client_error("The container instance " + request.arn + " is not registered with cluster " +
                                cluster->name + ". Remove the agent's data directory to register it as a new one.");
        }
        if (!known->instance_type.empty() && !identity.instance_type.empty() &&
            known->instance_type != identity.instance_type) {
            return client_error("Container instance type changes are not supported.");
        }
        instance = *known;
        ++instance.version;
    } else {
        for (const auto& [arn, other] : api.state.instances()) {
            // the agent repeats a registration it got no answer to with the same token
            const bool same = !request.client_token.empty() && other.client_token == request.client_token &&
                              other.cluster == cluster->name && other.status != "INACTIVE";
            if (same) instance = other;
        }
        if (instance.arn.empty()) {
            instance.arn =
                make_arn(api.state.identity(), "container-instance/" + cluster->name + "/" + new_resource_id());
            instance.status = "ACTIVE";
            instance.registered_at = api.now;
        }
        instance.cluster = cluster->name;
        instance.client_token = request.client_token;
    }
    instance.ec2_instance_id = identity.instance_id;
    if (!identity.instance_type.empty()) instance.instance_type = identity.instance_type;
    instance.resources = request.resources;
    instance.devices = request.devices;
    for (const Tag& tag : request.tags) {
        std::erase_if(instance.tags, [&](const Tag& other) { return other.key == tag.key; });
        instance.tags.push_back(tag);
    }
    update_attributes(instance, request, identity, api.state.identity().region);
    const ContainerInstance& kept = api.state.save(std::move(instance));
    Reply reply;
    reply.body["containerInstance"] =
        instance_view(kept, api.channels.connected(kept.arn), api.state.live_tasks(kept.arn), {"TAGS"});
    return reply;
}

ApiResult submit_task_state_change(Api& api, const Json& document) {
    auto request = parse_request<TaskStateChange>(document);
    if (!request) return std::move(request).error();
    auto task = reported_task(api, request->task);
    if (!task) return std::move(task).error();
    record(api, (*task)->arn, "SubmitTaskStateChange", document);
    apply_state_change(**task, *request, api.now);
    api.state.save(*task);
    if ((*task)->stopped()) {
        api.issuer.forget((*task)->role_credentials_id);
        api.issuer.forget((*task)->execution_credentials_id);
        api.channels.wake((*task)->instance_arn);  // it leaves the manifest, its place is free
    }
    return acknowledged();
}

ApiResult submit_container_state_change(Api& api, const Json& document) {
    auto request = parse_request<SubmitContainerRequest>(document);
    if (!request) return std::move(request).error();
    auto task = reported_task(api, request->task);
    if (!task) return std::move(task).error();
    record(api, (*task)->arn, "SubmitContainerStateChange", document);
    TaskStateChange change;
    change.containers.push_back({.container_name = request->container_name,
                                 .status = request->status,
                                 .exit_code = request->exit_code,
                                 .reason = request->reason,
                                 .runtime_id = request->runtime_id,
                                 .image_digest = {},
                                 .network_bindings = request->network_bindings});
    apply_state_change(**task, change, api.now);
    api.state.save(*task);
    return acknowledged();
}

ApiResult submit_attachment_state_changes(Api& api, const Json& document) {
    auto request = parse_request<SubmitAttachmentsRequest>(document);
    if (!request) return std::move(request).error();
    if (!request->attachments.is_array()) return serialization_error("attachments: expected a list");
    // ecs-local attaches nothing itself, so there is no state to change; the report is kept for whoever debugs one
    for (const Json& attachment : request->attachments) {
        const auto arn = attachment.is_object() ? attachment.find("attachmentArn") : attachment.end();
        if (attachment.is_object() && arn != attachment.end() && arn->is_string()) {
            record(api, arn->get<std::string>(), "SubmitAttachmentStateChanges", document);
        }
    }
    return acknowledged();
}

}  // namespace nodeagent::local
