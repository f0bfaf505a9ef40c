#include "metadata/task_metadata_v3.hpp"

#include "metadata/task_metadata_v2.hpp"

namespace nodeagent::metadata {

namespace {

Response no_network_response(const model::ContainerView& container) {
    return json_text(500, "Unable to generate network response for container '" + container.docker_id + "'");
}

}  // namespace

const model::Snapshot::ContainerKey* find_endpoint(const model::Snapshot& snapshot, std::string_view id) {
    const auto found = snapshot.by_endpoint_id.find(std::string(id));
    return found == snapshot.by_endpoint_id.end() ? nullptr : &found->second;
}

std::string no_task_behind(std::string_view id) {
    return "unable to get task Arn from v3 endpoint ID: " + std::string(id);
}

std::string no_container_behind(std::string_view id) {
    return "unable to get docker ID from v3 endpoint ID: " + std::string(id);
}

Response v3_container(const model::Snapshot& snapshot, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(
            500, "V3 container metadata handler: unable to get container ID from request: " + no_container_behind(id));
    }
    const model::ContainerView& container = key->container();
    if (!has_networks(*key->task, container)) return no_network_response(container);
    return json_response(v2_container_document(*key->task, container, RuntimeNetworks::Shown));
}

Response v3_task(const model::Snapshot& snapshot, std::string_view id, const InstanceIdentity& identity,
                 const Tags* tags) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(500, "V3 task metadata handler: unable to get task arn from request: " + no_task_behind(id));
    }
    for (const model::ContainerView& container : key->task->containers) {
        if (created(container) && !has_networks(*key->task, container)) return no_network_response(container);
    }
    return json_response(v2_task_document(*key->task, identity, tags, RuntimeNetworks::Shown));
}

}  // namespace nodeagent::metadata
