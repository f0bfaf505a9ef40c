#include "agent/engine/spec/environment.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/core/metadata_file.hpp"

namespace nodeagent::engine {

namespace {

/// Where containers reach the task server; the host's redirection leads it to the agent.
constexpr std::string_view kTaskServer = "http://169.254.170.2";

bool image_sets(const std::vector<std::string>& image_env, std::string_view name) {
    return std::any_of(image_env.begin(), image_env.end(), [name](const std::string& entry) {
        return std::string_view(entry).substr(0, entry.find('=')) == name;
    });
}

}  // namespace

std::vector<std::string> gpu_ids(const model::Task& task, const std::string& container) {
    std::vector<std::string> ids;
    for (const model::Association& association : task.associations) {
        if (association.type != "gpu") continue;
        const auto& owners = association.containers;
        if (std::find(owners.begin(), owners.end(), container) != owners.end()) ids.push_back(association.name);
    }
    return ids;
}

std::map<std::string, std::string> container_environment(const core::TaskState& task,
                                                         const core::ContainerState& container,
                                                         const SpecContext& context) {
    std::map<std::string, std::string> environment = container.definition->environment;
    if (core::is_internal(container)) return environment;  // nothing of the task is its business
    if (!task.credentials_id.empty()) {
        environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/" + task.credentials_id;
    }
    if (!container.endpoint_id.empty()) {
        const std::string server(kTaskServer);
        environment["ECS_CONTAINER_METADATA_URI"] = server + "/v3/" + container.endpoint_id;
        environment["ECS_CONTAINER_METADATA_URI_V4"] = server + "/v4/" + container.endpoint_id;
        environment["ECS_AGENT_URI"] = server + "/api/" + container.endpoint_id;
    }
    if (!context.metadata_file_source.empty()) {
        environment["ECS_CONTAINER_METADATA_FILE"] =
            core::metadata_file_folder(container) + "/" + std::string(core::kMetadataFileName);
    }
    if (context.gpu_support && !context.external) {
        const std::vector<std::string> ids = gpu_ids(*task.definition, container.name);
        if (!ids.empty()) environment["NVIDIA_VISIBLE_DEVICES"] = join(ids, ",");
    }
    for (const auto& [name, value] : environment_secrets(*container.definition, context.secrets)) {
        environment[name] = value.reveal();
    }
    environment.insert(context.file_environment.begin(), context.file_environment.end());  // only names not yet there
    // an image that chose a region keeps it
    const auto set = [&](const char* name) {
        return environment.contains(name) || image_sets(context.image_env, name);
    };
    if (!context.region.empty() && !set("AWS_REGION") && !set("AWS_DEFAULT_REGION")) {
        environment["AWS_REGION"] = context.region;
        environment["AWS_DEFAULT_REGION"] = context.region;
    }
    return environment;
}

}  // namespace nodeagent::engine
