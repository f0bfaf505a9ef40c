#include "metadata/document_parts.hpp"

#include <algorithm>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace nodeagent::metadata {

namespace {

namespace ip = boost::asio::ip;

// "10.0.1.1/20" -> "10.0.0.0/20"; "" when it is no CIDR.
std::string network_of_ipv4(const std::string& cidr) {
    boost::system::error_code failure;
    const ip::network_v4 network = ip::make_network_v4(cidr, failure);
    return failure ? std::string() : network.canonical().to_string();
}

std::string network_of_ipv6(const std::string& address, unsigned short prefix) {
    boost::system::error_code failure;
    const ip::address_v6 parsed = ip::make_address_v6(address, failure);
    return failure ? std::string() : ip::network_v6(parsed, prefix).canonical().to_string();
}

unsigned short prefix_of(const std::string& ipv6_cidr) {
    boost::system::error_code failure;
    const ip::network_v6 network = ip::make_network_v6(ipv6_cidr, failure);
    return failure ? 64 : network.prefix_length();
}

template <class Addresses, class Address>
std::vector<std::string> texts_of(const Addresses& addresses, Address member) {
    std::vector<std::string> texts;
    for (const auto& address : addresses) texts.push_back(address.*member);
    return texts;
}

}  // namespace

void write_container_identity(JsonWriter& out, const model::ContainerView& container) {
    out.member("DockerId", container.docker_id);
    out.member("Name", container.name);
    out.member("DockerName", container.docker_name);
    out.member("Image", container.image);
    out.member("ImageID", container.image_id);
}

void write_ports(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container, bool host_ip) {
    if (container.ports.empty()) return;
    out.key("Ports");
    out.begin_array();
    for (const model::PortBinding& port : container.ports) {
        out.begin_object();
        out.member_unless_empty("ContainerPort", port.container_port);
        out.member_unless_empty("Protocol", port.protocol);
        // the container of a task with its own interface is reached at its own port
        out.member_unless_empty("HostPort", task.network_interface ? port.container_port : port.host_port);
        if (host_ip) out.member_unless_empty("HostIp", port.bind_ip);
        out.end_object();
    }
    out.end_array();
}

void write_container_state(JsonWriter& out, const model::ContainerView& container) {
    out.member("DesiredStatus", model::to_string(container.desired));
    out.member("KnownStatus", model::to_string(container.known));
    out.member_unless_empty("ExitCode", container.exit_code);
    out.key("Limits");
    out.begin_object();
    out.member("CPU", std::max<std::int64_t>(container.cpu, 2));
    out.member("Memory", container.memory);
    out.end_object();
    out.member_unless_empty("CreatedAt", container.created_at);
    out.member_unless_empty("StartedAt", container.started_at);
    out.member_unless_empty("FinishedAt", container.finished_at);
    out.member("Type", container.type);
}

void write_health(JsonWriter& out, const model::ContainerView& container) {
    if (!container.health_checked) return;
    const model::HealthView& health = container.health;
    out.key("Health");
    out.begin_object();
    if (health.status != model::HealthStatus::Unknown) out.member("status", model::to_string(health.status));
    if (health.since) out.member("statusSince", rfc3339_nanos_local(*health.since));
    if (health.exit_code) out.member_unless_empty("exitCode", *health.exit_code);
    out.member_unless_empty("output", health.output);
    out.end_object();
}

void write_volumes(JsonWriter& out, const model::ContainerView& container) {
    if (container.volumes.empty()) return;
    out.key("Volumes");
    out.begin_array();
    for (const model::VolumeView& volume : container.volumes) {
        out.begin_object();
        out.member_unless_empty("DockerName", volume.docker_name);
        out.member_unless_empty("Source", volume.source);
        out.member_unless_empty("Destination", volume.destination);
        out.end_object();
    }
    out.end_array();
}

void write_interface_network(JsonWriter& out, const model::ElasticNetworkInterface& interface, bool properties) {
    const bool ipv6_only = interface.ipv4_addresses.empty();
    out.key("Networks");
    out.begin_array();
    out.begin_object();
    out.member("NetworkMode", "awsvpc");
    out.member_unless_empty("IPv4Addresses", texts_of(interface.ipv4_addresses, &model::Ipv4Address::private_address));
    out.member_unless_empty("IPv6Addresses", texts_of(interface.ipv6_addresses, &model::Ipv6Address::address));
    if (properties) {
        out.member("AttachmentIndex", 0);
        out.member_unless_empty("MACAddress", interface.mac_address);
        out.member_unless_empty("IPv4SubnetCIDRBlock", network_of_ipv4(interface.subnet_gateway_ipv4_address));
        if (!interface.ipv6_addresses.empty()) {
            const unsigned short prefix = ipv6_only ? prefix_of(interface.subnet_gateway_ipv6_address) : 64;
            out.member_unless_empty("IPv6SubnetCIDRBlock",
                                    network_of_ipv6(interface.ipv6_addresses.front().address, prefix));
        }
        out.member_unless_empty("DomainNameServers", interface.domain_name_servers);
        out.member_unless_empty("DomainNameSearchList", interface.domain_name);
        out.member_unless_empty("PrivateDNSName", interface.private_dns_name);
        out.member_unless_empty("SubnetGatewayIpv4Address", interface.subnet_gateway_ipv4_address);
        if (ipv6_only) out.member_unless_empty("SubnetGatewayIpv6Address", interface.subnet_gateway_ipv6_address);
    }
    out.end_object();
    out.end_array();
}

void write_runtime_networks(JsonWriter& out, const model::TaskView& task, const model::ContainerView& container,
                            bool ipv6) {
    out.key("Networks");
    out.begin_array();
    const auto one = [&](const std::string& mode, const model::NetworkView& network) {
        out.begin_object();
        out.member_unless_empty("NetworkMode", mode);
        out.member("IPv4Addresses", std::vector<std::string>{network.ipv4_address});
        if (ipv6 && !network.ipv6_address.empty()) {
            out.member("IPv6Addresses", std::vector<std::string>{network.ipv6_address});
        }
        out.end_object();
    };
    for (const model::NetworkView& network : container.networks) one(network.mode, network);
    if (container.networks.empty()) one(task.network_mode, model::NetworkView{});
    out.end_array();
}

void write_task_identity(JsonWriter& out, const model::TaskView& task, std::string_view cluster) {
    out.member("Cluster", cluster);
    out.member("TaskARN", task.arn);
    out.member("Family", task.family);
    out.member("Revision", task.version);
    out.member_unless_empty("DesiredStatus", model::to_string(task.desired));
    out.member("KnownStatus", model::to_string(task.known));
}

void write_task_state(JsonWriter& out, const model::TaskView& task, std::string_view availability_zone) {
    if (task.cpu != 0 || task.memory != 0) {
        out.key("Limits");
        out.begin_object();
        out.member_unless_empty("CPU", task.cpu);
        out.member_unless_empty("Memory", task.memory);
        out.end_object();
    }
    out.member_unless_empty("PullStartedAt", task.pull_started_at);
    out.member_unless_empty("PullStoppedAt", task.pull_stopped_at);
    out.member_unless_empty("ExecutionStoppedAt", task.execution_stopped_at);
    out.member_unless_empty("AvailabilityZone", availability_zone);
}

void write_tags(JsonWriter& out, const Tags& tags) {
    out.member_unless_empty("TaskTags", tags.task);
    out.member_unless_empty("ContainerInstanceTags", tags.container_instance);
}

bool has_networks(const model::TaskView& task, const model::ContainerView& container) {
    return task.network_interface.has_value() || container.network_known;
}

}  // namespace nodeagent::metadata
