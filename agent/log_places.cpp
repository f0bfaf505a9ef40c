#include "agent/log_places.hpp"

#include <utility>

#include "agent/base/files.hpp"
#include "agent/client_options.hpp"
#include "agent/net/aws_endpoint.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/logs/tag.hpp"

namespace nodeagent {

namespace {

using runtime::logs::LoggerConfig;

std::string log_option(const LoggerConfig& config, const std::string& key) {
    const auto found = config.options.find(key);
    return found == config.options.end() ? std::string() : found->second;
}

/// As far as a snapshot knows it.
LoggerConfig from_view(const model::ContainerView& container) {
    LoggerConfig config;
    config.driver = container.log_driver;
    config.options = container.log_options;
    config.container_id = container.docker_id;
    config.container_name = container.docker_name;
    config.image = container.image;
    config.image_id = container.image_id;
    return config;
}

/// The stream is the option's, or the tag's, which is the container's id without one.
void name_stream(const LoggerConfig& config, bool exact, metadata::ContainerLogs& out) {
    out.stream = log_option(config, "awslogs-stream");
    if (!out.stream.empty()) return;
    const std::string tag = log_option(config, "tag");
    // what a snapshot does not hold, or Docker says otherwise
    const bool unknown = tag.find(".Command") != std::string::npos || tag.find(".DaemonName") != std::string::npos;
    const auto stream = runtime::logs::log_tag(config, "{{.FullID}}");
    if (stream && (exact || !unknown)) {
        out.stream = *stream;
        return;
    }
    out.problem = "the name of its stream comes from the log option tag \"" + tag +
                  "\", which the agent cannot work out; set awslogs-stream or awslogs-stream-prefix, or ask CloudWatch "
                  "Logs for the streams of " +
                  out.group;
}

}  // namespace

LogSurroundings log_surroundings(const config::Environment& environment, const config::Config& config) {
    const auto docker = docker_options(environment, config);
    return {.region = config.region,
            .dualstack = config.ipv6_only,
            .docker_host = docker.host,
            .docker_cert_path = docker.cert_path,
            .docker_tls_verify = docker.tls_verify,
            .containerd_folder = containerd_data_folder(config) + "/containers",
            .containerd_run_folder = containerd_run_folder(config)};
}

LoggerConfigOf read_logger_configs(const LogSurroundings& surroundings) {
    return [folder = surroundings.containerd_run_folder](const std::string& id) -> std::optional<LoggerConfig> {
        const auto text = read_file(runtime::containerd::logger_config_file(folder + "/" + id));
        if (!text) return std::nullopt;
        auto config = runtime::logs::decode_config(*text);
        return config ? std::optional(*std::move(config)) : std::nullopt;
    };
}

metadata::TaskLogs task_logs(const model::TaskView& task, const std::string& runtime,
                             const LogSurroundings& surroundings, const LoggerConfigOf& logger_config_of) {
    metadata::TaskLogs out;
    out.arn = task.arn;
    out.known = model::to_string(task.known);
    out.runtime = runtime;
    const bool containerd = runtime == "containerd";
    if (!containerd) {
        out.docker_host = surroundings.docker_host;
        out.docker_cert_path = surroundings.docker_cert_path;
        out.docker_tls_verify = surroundings.docker_tls_verify;
    }
    for (const model::ContainerView& container : task.containers) {
        metadata::ContainerLogs& logs = out.containers.emplace_back();
        logs.name = container.name;
        logs.container_id = container.docker_id;
        logs.known = model::to_string(container.known);
        logs.internal = container.type != "NORMAL";
        logs.driver = container.log_driver;
        if (logs.container_id.empty()) continue;
        LoggerConfig config = from_view(container);
        auto told = containerd ? logger_config_of(logs.container_id) : std::nullopt;
        const bool exact = told.has_value();
        if (told) config = *std::move(told);
        if (containerd && config.driver.empty()) config.driver = "json-file";
        logs.driver = config.driver;
        if (containerd && config.driver == "json-file") {
            const std::string folder = surroundings.containerd_folder + "/" + logs.container_id;
            logs.path = runtime::containerd::json_log_file(folder, logs.container_id);
        }
        if (config.driver != "awslogs") continue;
        logs.group = log_option(config, "awslogs-group");
        logs.region = log_option(config, "awslogs-region");
        if (logs.region.empty()) logs.region = surroundings.region;
        logs.endpoint = log_option(config, "awslogs-endpoint");
        if (logs.endpoint.empty()) logs.endpoint = config.endpoint;
        if (logs.endpoint.empty() && surroundings.dualstack && !logs.region.empty()) {
            net::EndpointOptions dualstack;
            dualstack.dualstack = true;
            logs.endpoint = net::resolve_endpoint("logs", logs.region, dualstack);
        }
        name_stream(config, exact, logs);
    }
    return out;
}

}  // namespace nodeagent
