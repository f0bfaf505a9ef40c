#include "agent/client_options.hpp"

#include <unistd.h>

#include <filesystem>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/credentials/instance_facts.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/net/aws_endpoint.hpp"
#include "agent/net/curl_trust.hpp"
#include "cgroups/hierarchy.hpp"
#include "runtime/containerd/apparmor.hpp"
#include "runtime/containerd/host_facts.hpp"

namespace nodeagent {

std::function<std::optional<std::string>(const char*)> lookup_in(const config::Environment& environment) {
    return [&environment](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
}

net::CurlOptions curl_options(const config::Environment& environment, bool insecure, const std::string& docker_host) {
    net::CurlOptions options;
    options.ca_file = config::value_of(environment, "AWS_CA_BUNDLE");
    if (options.ca_file.empty()) options.ca_file = config::value_of(environment, "SSL_CERT_FILE");
    options.ca_dir = config::value_of(environment, "SSL_CERT_DIR");
    options.insecure = insecure;
    options.proxy = net::proxy_from_environment(lookup_in(environment), docker_host);
    return options;
}

runtime::docker::Options docker_options(const config::Environment& environment, const config::Config& config) {
    runtime::docker::Options options;
    options.host = config.docker_host;
    options.cert_path = config::value_of(environment, "DOCKER_CERT_PATH");
    options.tls_verify = !config::value_of(environment, "DOCKER_TLS_VERIFY").empty();
    options.tls = options.tls_verify || !options.cert_path.empty();
    return options;
}

/// A program that comes with the agent: beside it, or in ../libexec/ecs-node-agent; "" when it is not installed.
std::string helper_program(const std::string& name) {
    const std::filesystem::path folder = std::filesystem::path(engine::own_program()).parent_path();
    for (const auto& place : {folder / name, folder.parent_path() / "libexec" / "ecs-node-agent" / name}) {
        if (::access(place.c_str(), X_OK) == 0) return place.string();
    }
    return {};
}

std::string socket_path(std::string address) {
    if (const auto scheme = address.find("://"); scheme != std::string::npos) address.erase(0, scheme + 3);
    return address;
}

namespace {

runtime::containerd::LogRoute log_route(net::EndpointOptions services, const net::ProxySettings& settings,
                                        const std::string& region, const std::string& endpoint) {
    services.explicit_url = endpoint;
    runtime::containerd::LogRoute route{.endpoint = net::resolve_endpoint("logs", region, services), .proxy = {}};
    auto proxy = net::proxy_url_for(settings, route.endpoint);
    if (proxy) {
        route.proxy = *std::move(proxy);
    } else {
        log::warn("logs are sent to CloudWatch without a proxy", {{"cause", proxy.error().what}});
    }
    return route;
}

}  // namespace

std::string containerd_data_folder(const config::Config& config) {
    return config.data_dir + (config.data_dir.ends_with('/') ? "" : "/") + "containerd";
}

std::string containerd_run_folder(const config::Config& config) {
    return "/run/ecs-node-agent/" + config.containerd_namespace;
}

Result<runtime::containerd::Options> containerd_options(const config::Environment& environment,
                                                        const config::Config& config) {
    const auto hierarchy = cgroups::detect_hierarchy(config.cgroup_path);
    if (!hierarchy) return hierarchy.error();
    runtime::containerd::Options options;
    options.socket = socket_path(config.containerd_address);
    options.data_dir = containerd_data_folder(config);
    options.run_dir = containerd_run_folder(config);
    options.cgroup_root = config.cgroup_path;
    options.cgroup_v2 = hierarchy->version == cgroups::Version::V2;
    options.systemd_cgroup = hierarchy->driver == cgroups::Driver::Systemd;
    const auto apparmor = runtime::containerd::ensure_container_profile();
    if (!apparmor) log::warn("containers run without AppArmor", {{"reason", apparmor.error().what}});
    options.apparmor = apparmor && *apparmor;
    options.init_program = runtime::containerd::container_init_program();
    for (const auto& limit : config.default_ulimits) {
        options.default_ulimits.push_back({.name = limit.name, .soft = limit.soft, .hard = limit.hard});
    }
    options.images.snapshotter = config.containerd_snapshotter;
    options.images.layers_parallel = static_cast<std::size_t>(config.image_layers_parallel);
    options.images.registry.mirrors = config.registry_mirrors;
    options.images.registry.insecure = config.insecure_registries;
    const net::CurlOptions curl = curl_options(environment, false, config.docker_host);
    options.images.registry.ca_file = curl.ca_file;
    options.images.registry.ca_dir = curl.ca_dir;
    options.images.registry.proxy = curl.proxy;
    options.network.folder = options.data_dir + "/network";
    options.network.bridge = config.containerd_bridge;
    options.network.subnet = config.containerd_subnet;
    options.network.plugin_folders.clear();
    for (const std::string_view folder : split(config.containerd_cni_plugin_path, ':')) {
        if (!folder.empty()) options.network.plugin_folders.emplace_back(folder);
    }
    options.network.dynamic_first = config.dynamic_port_first;
    options.network.dynamic_last = config.dynamic_port_last;
    options.logs.program = helper_program("ecs-awslogs");
    options.logs.region = config.region;
    options.logs.agent_socket = config.control_socket;
    options.logs.user_agent = "ecs-node-agent/" NODEAGENT_VERSION;
    options.logs.spool_bytes = static_cast<std::uint64_t>(config.log_spool_mb) << 20U;
    net::CurlTrust trust = net::curl_trust(curl.ca_file, curl.ca_dir);
    options.logs.ca_file = std::move(trust.file);
    options.logs.ca_directory = std::move(trust.directory);
    net::EndpointOptions services = net::endpoint_options_from(environment, "cloudwatch_logs");
    services.dualstack = services.dualstack || config.ipv6_only;
    options.logs.route = [services = std::move(services), proxy = curl.proxy](const std::string& region,
                                                                              const std::string& endpoint) {
        return log_route(services, proxy, region, endpoint);
    };
    return options;
}

config::Examination examine_configuration(const config::CommandLine& flags, const config::Environment& environment) {
    SystemClock clock;
    BlockingPool pool(1);
    const config::Config defaults;
    net::CurlHttpClient http(pool, curl_options(environment, flags.insecure_tls, defaults.docker_host));
    credentials::InstanceFacts instance(http, clock, credentials::imds_options(environment, flags.blackhole_imds));
    config::Surroundings surroundings;
    surroundings.instance = &instance;
    surroundings.blackhole_imds = flags.blackhole_imds;
    config::Examination examination = config::examine(environment, surroundings);
    config::apply(flags, examination.loaded);
    return examination;
}

}  // namespace nodeagent
