#include "metadata/introspection_documents.hpp"

#include "agent/base/files.hpp"
#include "agent/base/version.hpp"
#include "metadata/document_parts.hpp"
#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

namespace {

constexpr std::size_t kShortIdLength = 12;  // up to here a docker id is a prefix

Response no_task(unsigned status) {
    return json_response(R"({"Arn":"","KnownStatus":"","Family":"","Version":"","Containers":null})", status);
}

void write_port(JsonWriter& out, std::int64_t container_port, std::string_view protocol, std::int64_t host_port) {
    out.begin_object();
    out.member_unless_empty("ContainerPort", container_port);
    out.member_unless_empty("Protocol", protocol);
    out.member_unless_empty("HostPort", host_port);
    out.end_object();
}

// Bindings when there are any, else what the payload asks for.
void write_introspected_ports(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container) {
    if (!container.ports.empty()) {
        write_ports(out, task, container, false);
        return;
    }
    if (container.payload_ports.empty()) return;
    out.key("Ports");
    out.begin_array();
    for (const model::PortMapping& port : container.payload_ports) {
        write_port(out, port.container_port, port.protocol.value_or("tcp"),
                   task.network_interface ? port.container_port : port.host_port);
    }
    out.end_array();
}

void write_container(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container) {
    out.begin_object();
    out.member("DockerId", container.docker_id);
    out.member("DockerName", container.docker_name);
    out.member("Name", container.name);
    out.member("Image", container.image);
    out.member("ImageID", container.image_id);
    out.member_unless_empty("CreatedAt", container.created_at);
    out.member_unless_empty("StartedAt", container.started_at);
    write_introspected_ports(out, task, container);
    if (task.network_interface) write_interface_network(out, *task.network_interface, false);
    write_volumes(out, container);
    out.member_unless_empty("RestartCount", container.restart_count);
    out.end_object();
}

void write_task(JsonWriter& out, const model::TaskView& task) {
    const std::string_view desired = model::to_service_word(task.desired);
    const std::string_view known = model::to_service_word(task.known);
    // a wish that lies behind what is already so is no news
    const bool outdated = (known == "STOPPED" && desired != "STOPPED") || (known == "RUNNING" && desired == "PENDING");
    out.begin_object();
    out.member("Arn", task.arn);
    if (!outdated) out.member("DesiredStatus", desired);
    out.member("KnownStatus", known);
    out.member("Family", task.family);
    out.member("Version", task.version);
    out.key("Containers");
    out.begin_array();
    for (const model::ContainerView& container : task.containers) {
        if (container.type == "NORMAL" && created(container)) write_container(out, task, container);
    }
    out.end_array();
    out.end_object();
}

Response one_task(const model::TaskView& task) {
    JsonWriter out;
    write_task(out, task);
    return json_response(std::move(out).text());
}

Response task_of_container(const model::Snapshot& snapshot, const std::string& id) {
    if (id.size() > kShortIdLength) {
        const auto found = snapshot.by_docker_id.find(id);
        return found == snapshot.by_docker_id.end() ? no_task(404) : one_task(*found->second.task);
    }
    const auto first = snapshot.by_docker_id.lower_bound(id);
    if (first == snapshot.by_docker_id.end() || !first->first.starts_with(id)) return no_task(404);
    const auto second = std::next(first);
    if (second != snapshot.by_docker_id.end() && second->first.starts_with(id)) return no_task(400);
    return one_task(*first->second.task);
}

}  // namespace

Response introspection_metadata(const InstanceIdentity& identity) {
    JsonWriter out;
    out.begin_object();
    out.member("Cluster", identity.cluster);
    out.key("ContainerInstanceArn");
    if (identity.container_instance_arn.empty()) {
        out.null();
    } else {
        out.value(identity.container_instance_arn);
    }
    out.member("Version", agent_version_text());
    out.end_object();
    return json_response(std::move(out).text());
}

Response introspection_tasks(const model::Snapshot& snapshot, const Request& request) {
    const bool by_container = request.has_parameter("dockerid");
    const bool by_arn = request.has_parameter("taskarn");
    if (by_container && by_arn) return no_task(400);
    if (by_container) return task_of_container(snapshot, request.parameter("dockerid"));
    if (by_arn) {
        const auto found = snapshot.tasks.find(request.parameter("taskarn"));
        return found == snapshot.tasks.end() ? no_task(404) : one_task(*found->second);
    }
    JsonWriter out;
    out.begin_object();
    out.key("Tasks");
    out.begin_array();
    for (const auto& [arn, task] : snapshot.tasks) {
        if (!task->internal) write_task(out, *task);
    }
    out.end_array();
    out.end_object();
    return json_response(std::move(out).text());
}

Response introspection_commands() {
    Response response;
    response.body = R"({"AvailableCommands":["/v1/metadata","/v1/tasks","/license"]})";
    return response;
}

Response introspection_license(const std::string& directory) {
    Response response;
    response.content_type = "text/plain";
    const std::string separator = "\n" + std::string(80, '=') + "\n";
    for (const std::string_view name : {"LICENSE", "NOTICE", "THIRD-PARTY"}) {
        Result<std::string> text = read_file(directory + "/" + std::string(name));
        if (!text) {
            response.status = 500;
            response.body.clear();
            return response;
        }
        if (name != "LICENSE") response.body += separator;
        response.body += *text;
    }
    return response;
}

}  // namespace nodeagent::metadata
