#include "metadata/task_metadata_v4.hpp"

#include <algorithm>
#include <vector>

#include "metadata/task_metadata_v3.hpp"

namespace nodeagent::metadata {

namespace {

void write_container(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container) {
    const bool exists = created(container);
    out.begin_object();
    write_container_identity(out, container);
    write_ports(out, task, container, true);
    out.member_unless_empty("Labels", container.labels);
    write_container_state(out, container);
    write_health(out, container);
    write_volumes(out, container);
    out.member_unless_empty("LogDriver", container.log_driver);
    out.member_unless_empty("LogOptions", container.log_options);
    out.member_unless_empty("ContainerARN", container.container_arn);
    if (exists && task.network_interface) {
        write_interface_network(out, *task.network_interface, true);
    } else if (exists && container.network_known) {
        write_runtime_networks(out, task, container, true);
    }
    if (exists) out.member_unless_empty("RestartCount", container.restart_count);
    out.end_object();
}

// What the runtime has, then what is only pulled. Pause containers first in bridge tasks: only those of Service Connect
// have one there, and its older agents read the network of the first container.
std::vector<const model::ContainerView*> shown_containers(const model::TaskView& task) {
    std::vector<const model::ContainerView*> shown;
    for (const model::ContainerView& container : task.containers) {
        if (created(container)) shown.push_back(&container);
    }
    if (task.network_mode == "bridge") {
        std::stable_partition(shown.begin(), shown.end(),
                              [](const model::ContainerView* container) { return container->type == "CNI_PAUSE"; });
    }
    for (const model::ContainerView& container : task.containers) {
        if (!created(container) && container.pulled_only) shown.push_back(&container);
    }
    return shown;
}

void write_failures(JsonWriter& out, const std::vector<Tags::Failure>& failures) {
    if (failures.empty()) return;
    out.key("Errors");
    out.begin_array();
    for (const Tags::Failure& failure : failures) {
        out.begin_object();
        out.member_unless_empty("ErrorField", failure.field);
        out.member_unless_empty("ErrorMessage", failure.message);
        out.member_unless_empty("ResourceARN", failure.resource_arn);
        out.end_object();
    }
    out.end_array();
}

}  // namespace

std::string v4_container_document(const model::TaskView& task, const model::ContainerView& container) {
    JsonWriter out;
    write_container(out, task, container);
    return std::move(out).text();
}

std::string v4_task_document(const model::TaskView& task, const InstanceIdentity& identity, const Tags* tags) {
    JsonWriter out;
    out.begin_object();
    write_task_identity(out, task, identity.cluster);
    write_task_state(out, task, identity.availability_zone);
    if (tags != nullptr) write_tags(out, *tags);
    out.member_unless_empty("LaunchType", task.launch_type);
    if (tags != nullptr) write_failures(out, tags->failures);
    if (const auto shown = shown_containers(task); !shown.empty()) {
        out.key("Containers");
        out.begin_array();
        for (const model::ContainerView* container : shown) write_container(out, task, *container);
        out.end_array();
    }
    out.member_unless_empty("VPCID", identity.vpc_id);
    out.member_unless_empty("ServiceName", task.service_name);
    out.member("FaultInjectionEnabled", task.fault_injection_enabled);
    out.member_unless_empty("AvailabilityZoneID", identity.availability_zone_id);
    out.end_object();
    return std::move(out).text();
}

Response v4_container(const model::Snapshot& snapshot, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(
            404, "V4 container metadata handler: unable to get container ID from request: " + no_container_behind(id));
    }
    const model::ContainerView& container = key->container();
    if (!has_networks(*key->task, container)) {
        return json_text(500, "unable to generate network response for container '" + container.docker_id + "'");
    }
    return json_response(v4_container_document(*key->task, container));
}

Response v4_unknown_task(std::string_view id) {
    return json_text(404, "V4 task metadata handler: unable to get task arn from request: " + no_task_behind(id));
}

Response v4_task(const model::Snapshot& snapshot, std::string_view id, const InstanceIdentity& identity,
                 const Tags* tags) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) return v4_unknown_task(id);
    return json_response(v4_task_document(*key->task, identity, tags));
}

}  // namespace nodeagent::metadata
