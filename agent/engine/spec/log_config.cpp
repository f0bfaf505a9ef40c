#include "agent/engine/spec/log_config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/base/strings.hpp"
#include "agent/net/aws_endpoint.hpp"

namespace nodeagent::engine {

namespace {

/// Docker's awslogs driver does not know the endpoints of these.
constexpr std::array<std::string_view, 8> kRegionsUnknownToDocker{"us-iso-east-1",  "us-iso-west-1",  "us-isob-east-1",
                                                                  "us-isob-west-1", "eu-isoe-west-1", "us-isof-south-1",
                                                                  "us-isof-east-1", "eusc-de-east-1"};

Json& object_member(Json& object, const char* name) {
    Json& member = object[name];
    if (!member.is_object()) member = Json::object();
    return member;
}

std::string option(const Json& options, const char* name) {
    const auto found = options.find(name);
    return found != options.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "18.09.0" or newer: the first whose driver takes the endpoint as an option for dual-stack hosts.
bool takes_dualstack_endpoint(std::string_view docker_version) {
    const auto parts = split(docker_version, '.');
    if (parts.size() < 2) return false;
    const long long major = parse_integer(parts[0]).value_or(0);
    return major > 18 || (major == 18 && parse_integer(parts[1]).value_or(0) >= 9);
}

void set_awslogs_endpoint(Json& options, const SpecContext& context) {
    const std::string region = option(options, "awslogs-region");
    if (context.ipv6_only && takes_dualstack_endpoint(context.docker_version) && !region.empty() &&
        option(options, "awslogs-endpoint").empty()) {
        net::EndpointOptions dualstack;
        dualstack.dualstack = true;
        options["awslogs-endpoint"] = net::resolve_endpoint("logs", region, dualstack);
        return;
    }
    const auto& unknown = kRegionsUnknownToDocker;
    if (std::find(unknown.begin(), unknown.end(), context.region) != unknown.end()) {
        options["awslogs-endpoint"] = net::resolve_endpoint("logs", context.region, {});
    }
}

}  // namespace

std::optional<SpecError> complete_log_config(Json& host_config, const core::TaskState& task,
                                             const core::ContainerState& container, const SpecContext& context) {
    if (container.definition->logs_auth_strategy == "ExecutionRole") {
        if (task.execution_credentials_id.empty()) {
            return SpecError{"HostConfigError", "No execution credentials set for the task"};
        }
        if (!context.execution_credentials_known) {
            return SpecError{"HostConfigError", "Unable to get execution role credentials for task"};
        }
        Json& options = object_member(object_member(host_config, "LogConfig"), "Config");
        options["awslogs-credentials-endpoint"] = "/v2/credentials/" + task.execution_credentials_id;
    }
    const auto log_config = host_config.find("LogConfig");
    if (log_config == host_config.end() || !log_config->is_object()) return std::nullopt;
    if (option(*log_config, "Type") == "awslogs") {
        set_awslogs_endpoint(object_member(*log_config, "Config"), context);
    }
    // Docker's own default buffer of 1 MB loses lines where the service promises 10
    if (const auto options = log_config->find("Config"); options != log_config->end() && options->is_object()) {
        if (option(*options, "mode") == "non-blocking" && !options->contains("max-buffer-size")) {
            (*options)["max-buffer-size"] = "10m";
        }
    }
    const std::string driver = option(*log_config, "Type");
    if (driver.empty() || driver == "awsfirelens") return std::nullopt;  // the FireLens container gets those itself
    for (const auto& [name, value] : log_driver_secrets(*container.definition, context.secrets)) {
        object_member(*log_config, "Config")[name] = value.reveal();
    }
    return std::nullopt;
}

}  // namespace nodeagent::engine
