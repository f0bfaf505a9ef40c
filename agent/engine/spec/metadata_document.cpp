#include "agent/engine/spec/metadata_document.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "agent/base/json.hpp"

namespace nodeagent::engine {

namespace {

void add(OrderedJson& document, const char* name, const std::string& value) {
    if (!value.empty()) document[name] = value;
}

void add_task(OrderedJson& document, const core::TaskState& task, const MachineIdentity& machine) {
    add(document, "Cluster", machine.cluster);
    add(document, "ContainerInstanceARN", machine.container_instance_arn);
    add(document, "TaskARN", task.arn);
    add(document, "TaskDefinitionFamily", task.definition->family);
    add(document, "TaskDefinitionRevision", task.definition->version);
}

void add_machine(OrderedJson& document, const MachineIdentity& machine) {
    add(document, "AvailabilityZone", machine.availability_zone);
    add(document, "HostPrivateIPv4Address", machine.private_ipv4);
    add(document, "HostPublicIPv4Address", machine.public_ipv4);
    add(document, "HostIPv6Address", machine.ipv6);
}

void add_ports(OrderedJson& document, const core::ContainerState& container) {
    if (container.port_bindings.empty()) return;
    OrderedJson& ports = document["PortMappings"];
    for (const model::PortBinding& bound : container.port_bindings) {
        OrderedJson port;
        port["ContainerPort"] = bound.container_port;
        port["ContainerPortRange"] = "";
        port["HostPort"] = bound.host_port;
        port["BindIp"] = bound.bind_ip;
        port["Protocol"] = bound.protocol;
        ports.push_back(std::move(port));
    }
}

OrderedJson network(const std::string& mode, const model::NetworkView& addresses) {
    OrderedJson made;
    add(made, "NetworkMode", mode);
    made["IPv4Addresses"] = {addresses.ipv4_address};
    if (!addresses.ipv6_address.empty()) made["IPv6Addresses"] = {addresses.ipv6_address};
    return made;
}

void add_networks(OrderedJson& document, const core::TaskState& task, const core::ContainerState& container) {
    OrderedJson& networks = document["Networks"] = OrderedJson::array();
    for (const model::NetworkView& one : container.networks) networks.push_back(network(one.mode, one));
    if (networks.empty()) networks.push_back(network(task.definition->network_mode, {}));
}

/// The reference's encoder escapes these too; in JSON they can only stand within strings.
std::string html_safe(std::string_view json) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEscapes{
        {{"<", "\\u003c"},
         {">", "\\u003e"},
         {"&", "\\u0026"},
         {"\xE2\x80\xA8", "\\u2028"},
         {"\xE2\x80\xA9", "\\u2029"}}};
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        std::string_view from = json.substr(0, 1), to = from;
        for (const auto& [raw, escaped] : kEscapes) {
            if (json.starts_with(raw)) from = raw, to = escaped;
        }
        out.append(to);
        json.remove_prefix(from.size());
    }
    return out;
}

std::string text_of(const OrderedJson& document) {
    return html_safe(document.dump(1, '\t', false, OrderedJson::error_handler_t::replace));
}

}  // namespace

std::string initial_metadata_document(const core::TaskState& task, const core::ContainerState& container,
                                      const MachineIdentity& machine) {
    OrderedJson document = OrderedJson::object();
    add_task(document, task, machine);
    add(document, "ContainerName", container.name);
    add_machine(document, machine);
    return text_of(document);
}

std::string metadata_document(const core::TaskState& task, const core::ContainerState& container,
                              const MachineIdentity& machine) {
    OrderedJson document = OrderedJson::object();
    add_task(document, task, machine);
    add(document, "ContainerID", container.runtime_id);
    add(document, "ContainerName", container.name);
    add(document, "DockerContainerName", "/" + container.docker_name);
    add(document, "ImageID", container.image_id);
    add(document, "ImageName", container.definition->image);
    add_ports(document, container);
    add_networks(document, task, container);
    document["MetadataFileStatus"] = "READY";
    add_machine(document, machine);
    return text_of(document);
}

}  // namespace nodeagent::engine
