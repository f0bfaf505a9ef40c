#include "agent/telemetry/scrape_targets.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::telemetry {

namespace {

constexpr std::string_view kScrape = "prometheus.io/scrape";
constexpr std::string_view kPort = "prometheus.io/port";
constexpr std::string_view kPath = "prometheus.io/path";

std::string_view label_of(const model::ContainerView& container, std::string_view name) {
    const auto found = container.labels.find(std::string(name));
    return found == container.labels.end() ? std::string_view{} : trimmed(found->second);
}

bool any_address(std::string_view ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; }

bool ipv6(std::string_view host) { return host.find(':') != std::string_view::npos; }

bool loopback(std::string_view host) {
    return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

std::string with_port(std::string_view host, std::int64_t port) {
    const bool bare = ipv6(host) && !host.starts_with('[');
    return (bare ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
}

using PublishedPorts = std::map<std::int64_t, std::string>;  ///< container port -> "host:port"

PublishedPorts published_ports(const model::TaskView& task, const model::ContainerView& container,
                               std::string_view address) {
    PublishedPorts found;
    if (task.network_mode == "host") {  // the runtime publishes nothing: the container's ports are the machine's
        for (const model::PortMapping& port : container.payload_ports) {
            if (port.container_port > 0 && port.protocol.value_or("tcp") == "tcp")
                found.emplace(port.container_port, with_port(address, port.container_port));
        }
        return found;
    }
    for (const model::PortBinding& port : container.ports) {
        // told to another machine, it would lead that one to itself
        const bool unreachable = loopback(port.bind_ip) && !loopback(address);
        if (port.protocol != "tcp" || unreachable) continue;
        std::string target =
            with_port(any_address(port.bind_ip) ? address : std::string_view(port.bind_ip), port.host_port);
        // IPv4 and IPv6 may have been given ports of their own
        const bool same_family = ipv6(port.bind_ip) == ipv6(address);
        if (same_family) {
            found.insert_or_assign(port.container_port, std::move(target));
        } else {
            found.try_emplace(port.container_port, std::move(target));
        }
    }
    return found;
}

OrderedJson labels_of_target(const model::TaskView& task, const model::ContainerView& container,
                             std::int64_t container_port, std::string_view cluster) {
    OrderedJson labels;
    labels["__meta_ecs_cluster"] = cluster;
    labels["__meta_ecs_task_family"] = task.family;
    labels["__meta_ecs_task_revision"] = task.version;
    labels["__meta_ecs_task_id"] = task.arn.substr(task.arn.rfind('/') + 1);
    labels["__meta_ecs_task_arn"] = task.arn;
    labels["__meta_ecs_service"] = task.service_name;
    labels["__meta_ecs_container"] = container.name;
    labels["__meta_ecs_container_id"] = container.docker_id;
    labels["__meta_ecs_container_port"] = std::to_string(container_port);
    if (const std::string_view path = label_of(container, kPath); !path.empty())
        labels["__metrics_path__"] = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
    return labels;
}

}  // namespace

std::string scrape_targets(const model::Snapshot& snapshot, std::string_view address, std::string_view cluster) {
    OrderedJson document = OrderedJson::array();
    for (const auto& [arn, task] : snapshot.tasks) {
        for (const model::ContainerView& container : task->containers) {
            const bool runs = container.known == model::ContainerStatus::Running ||
                              container.known == model::ContainerStatus::ResourcesProvisioned;
            if (!runs || !equals_ignoring_case(label_of(container, kScrape), "true")) continue;
            const std::string_view wanted = label_of(container, kPort);
            for (const auto& [port, target] : published_ports(*task, container, address)) {
                if (!wanted.empty() && wanted != std::to_string(port)) continue;
                OrderedJson one;
                one["targets"] = OrderedJson::array({target});
                one["labels"] = labels_of_target(*task, container, port, cluster);
                document.push_back(std::move(one));
            }
        }
    }
    return dump_json(document);
}

std::optional<std::string> host_part(std::string_view host_header) {
    std::string_view host = host_header;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        boost::system::error_code failure;
        (void)boost::asio::ip::make_address_v6(std::string(host.substr(1, end - 1)), failure);
        if (failure) return std::nullopt;
        return std::string(host.substr(0, end + 1));
    }
    host = host.substr(0, host.find(':'));
    const bool plausible = std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_';
    });
    if (host.empty() || !plausible) return std::nullopt;
    return std::string(host);
}

}  // namespace nodeagent::telemetry
