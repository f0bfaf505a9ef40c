#include "metadata/task_metadata_v2.hpp"

namespace nodeagent::metadata {

namespace {

void write_container(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container,
                     RuntimeNetworks networks) {
    out.begin_object();
    write_container_identity(out, container);
    write_ports(out, task, container, false);
    out.member_unless_empty("Labels", container.labels);
    write_container_state(out, container);
    if (task.network_interface) {
        write_interface_network(out, *task.network_interface, false);
    } else if (networks == RuntimeNetworks::Shown) {
        write_runtime_networks(out, task, container, false);
    }
    write_health(out, container);
    write_volumes(out, container);
    out.end_object();
}

}  // namespace

std::string v2_container_document(const model::TaskView& task, const model::ContainerView& container,
                                  RuntimeNetworks networks) {
    JsonWriter out;
    write_container(out, task, container, networks);
    return std::move(out).text();
}

std::string v2_task_document(const model::TaskView& task, const InstanceIdentity& identity, const Tags* tags,
                             RuntimeNetworks networks) {
    JsonWriter out;
    out.begin_object();
    write_task_identity(out, task, identity.cluster);
    bool any = false;
    for (const model::ContainerView& container : task.containers) {
        if (!created(container)) continue;
        if (!any) {
            out.key("Containers");
            out.begin_array();
        }
        any = true;
        write_container(out, task, container, networks);
    }
    if (any) out.end_array();
    write_task_state(out, task, identity.availability_zone);
    if (tags != nullptr) write_tags(out, *tags);
    out.end_object();
    return std::move(out).text();
}

std::shared_ptr<const model::TaskView> task_at(const model::Snapshot& snapshot, std::string_view ip) {
    if (ip.empty()) return nullptr;
    for (const auto& [arn, task] : snapshot.tasks) {
        if (task->local_ipv4_address == ip) return task;
    }
    return nullptr;
}

Response v2_unknown_caller(std::string_view ip) {
    return json_text(400,
                     "Unable to get task arn from request: unable to associate '" + std::string(ip) + "' with task");
}

Response v2_container(const model::Snapshot& snapshot, std::string_view ip, const std::string& docker_id) {
    if (task_at(snapshot, ip) == nullptr) return v2_unknown_caller(ip);
    // any container of the instance, not only one of the caller's task
    const auto found = snapshot.by_docker_id.find(docker_id);
    if (found == snapshot.by_docker_id.end()) {
        return json_text(400, "Unable to generate metadata for container '" + docker_id + "'");
    }
    const model::Snapshot::ContainerKey& key = found->second;
    return json_response(v2_container_document(*key.task, key.container(), RuntimeNetworks::Hidden));
}

Response v2_task(const model::Snapshot& snapshot, std::string_view ip, const InstanceIdentity& identity,
                 const Tags* tags) {
    const auto task = task_at(snapshot, ip);
    if (task == nullptr) return v2_unknown_caller(ip);
    return json_response(v2_task_document(*task, identity, tags, RuntimeNetworks::Hidden));
}

}  // namespace nodeagent::metadata
