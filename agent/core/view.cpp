#include "agent/core/view.hpp"

#include "agent/base/json.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/stop_reason.hpp"

namespace nodeagent::core {

namespace {

/// What the payload's hostConfig has to show; a document that does not parse has nothing (create will say so).
void read_host_config(const model::Container& definition, model::ContainerView& view) {
    if (!definition.docker_config || definition.docker_config->host_config.empty()) return;
    const Result<Json> host_config = parse_json(definition.docker_config->host_config);
    if (!host_config || !host_config->is_object()) return;
    const Json* reservation = json_detail::member(*host_config, "MemoryReservation");
    if (reservation != nullptr && reservation->is_number_integer()) {
        view.memory_reservation = reservation->get<std::int64_t>() / (1024 * 1024);
    }
    const Json* log = json_detail::member(*host_config, "LogConfig");
    if (log == nullptr || !log->is_object()) return;
    if (const Json* type = json_detail::member(*log, "Type"); type != nullptr && type->is_string()) {
        view.log_driver = type->get_ref<const std::string&>();
    }
    const Json* options = json_detail::member(*log, "Config");
    if (options == nullptr || !options->is_object()) return;
    for (const auto& [key, value] : options->items()) {
        if (value.is_string()) view.log_options.emplace(key, value.get_ref<const std::string&>());
    }
}

model::ContainerView view(const ContainerState& container) {
    const model::Container& definition = *container.definition;
    model::ContainerView view{
        .name = container.name,
        .docker_id = container.runtime_id,
        .docker_name = container.runtime_id.empty() ? std::string() : container.docker_name,
        .endpoint_id = container.endpoint_id,
        .image = definition.image,
        .image_id = container.image_id,
        .container_arn = definition.container_arn,
        .type = std::string(to_string(container.kind)),
        .essential = container.essential,
        .pulled_only = container.known == ContainerStatus::Pulled,
        .desired = container.desired,
        .known = container.known,
        .exit_code = container.exit_code,
        .cpu = definition.cpu,
        .memory = definition.memory,
        .memory_reservation = 0,
        .ports = container.port_bindings,
        .payload_ports = definition.port_mappings,
        .labels = container.labels,
        .created_at = container.created_at,
        .started_at = container.started_at,
        .finished_at = container.finished_at,
        .networks = container.networks,
        .network_known = container.network_known,
        .health_checked = definition.health_check_type == "docker",
        .health = container.health,
        .volumes = container.volumes,
        .log_driver = {},
        .log_options = {},
        .restart_count = std::nullopt,
        .pid = container.pid,
        .last_error = container.error ? to_text(*container.error) : std::string(),
    };
    if (definition.restart_policy && definition.restart_policy->enabled) view.restart_count = container.restarts.count;
    read_host_config(definition, view);
    return view;
}

}  // namespace

model::TaskView view(const TaskState& task, std::string waiting_for, const PullViews& pulls) {
    const model::Task& definition = *task.definition;
    model::TaskView result{
        .arn = task.arn,
        .family = definition.family,
        .version = definition.version,
        .service_name = definition.service_name,
        .launch_type = definition.launch_type,
        .network_mode = definition.network_mode,
        .desired = task.desired,
        .known = task.known,
        .sent = task.sent,
        .cpu = definition.cpu,
        .memory = definition.memory,
        .internal = false,
        .fault_injection_enabled = definition.enable_fault_injection,
        .pull_started_at = task.pull_started_at,
        .pull_stopped_at = task.pull_stopped_at,
        .execution_stopped_at = task.execution_stopped_at,
        .stop_reason = task.stop_reason,
        .waiting_for = std::move(waiting_for),
        .credentials_id = task.credentials_id,
        .execution_credentials_id = task.execution_credentials_id,
        .associations = definition.associations,
        .containers = {},
    };
    result.containers.reserve(task.containers.size());
    for (const ContainerState& container : task.containers) {
        result.containers.push_back(view(container));
        if (const auto pull = pulls.find(container.name); pull != pulls.end()) {
            result.containers.back().pull = pull->second;
        }
    }
    return result;
}

}  // namespace nodeagent::core
