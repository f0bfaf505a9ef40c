#include "agent/core/fetched.hpp"

#include <algorithm>

namespace nodeagent::core {

namespace {

using Kind = ResourceState::Kind;
using S = ContainerStatus;

constexpr std::string_view kEnvironmentFilesPrefix = "~envfile_";

bool has_secret_of(const model::Container& container, std::string_view provider) {
    return std::any_of(container.secrets.begin(), container.secrets.end(),
                       [provider](const model::ContainerSecret& secret) { return secret.provider == provider; });
}

bool pulls_with_asm(const model::Container& container) {
    const auto& auth = container.registry_authentication;
    return auth && auth->type == "asm" && auth->asm_auth_data;
}

ResourceState resource(Kind kind, std::string name) {
    ResourceState state;
    state.kind = kind;
    state.name = std::move(name);
    return state;
}

}  // namespace

std::string environment_files_resource(std::string_view container) {
    return std::string(kEnvironmentFilesPrefix).append(container);
}

bool is_fetched(Kind kind) {
    switch (kind) {
        case Kind::SsmSecrets:
        case Kind::AsmSecrets:
        case Kind::RegistryAuth:
        case Kind::EnvironmentFiles: return true;
        case Kind::Cgroup:
        case Kind::DockerVolume: return false;
    }
    return false;
}

std::vector<ResourceState> fetched_resources(const model::Task& task) {
    std::vector<ResourceState> all;
    const auto any = [&task](auto wanted) {
        return std::any_of(task.containers.begin(), task.containers.end(), wanted);
    };
    if (any(pulls_with_asm)) all.push_back(resource(Kind::RegistryAuth, std::string(kRegistryAuthResource)));
    if (any([](const auto& c) { return has_secret_of(c, "ssm"); })) {
        all.push_back(resource(Kind::SsmSecrets, std::string(kSsmSecretsResource)));
    }
    if (any([](const auto& c) { return has_secret_of(c, "asm"); })) {
        all.push_back(resource(Kind::AsmSecrets, std::string(kAsmSecretsResource)));
    }
    for (const model::Container& container : task.containers) {
        if (container.environment_files.empty()) continue;
        all.push_back(resource(Kind::EnvironmentFiles, environment_files_resource(container.name)));
    }
    return all;
}

bool needs_fetched(const model::Container& container, const ResourceState& resource, ContainerStatus status) {
    switch (resource.kind) {
        case Kind::SsmSecrets: return status == S::Created && has_secret_of(container, "ssm");
        case Kind::AsmSecrets: return status == S::Created && has_secret_of(container, "asm");
        case Kind::RegistryAuth:
            return (status == S::ManifestPulled || status == S::Pulled) && pulls_with_asm(container);
        case Kind::EnvironmentFiles:
            return status == S::Created && !container.environment_files.empty() &&
                   resource.name == environment_files_resource(container.name);
        case Kind::Cgroup:
        case Kind::DockerVolume: return false;
    }
    return false;
}

bool awaits_credentials(const TaskState& task, const ResourceState& resource) {
    return is_fetched(resource.kind) && resource.known == ResourceStatus::None && !task.execution_credentials_known &&
           !task.execution_credentials_id.empty();
}

void forget_fetched(TaskState& task) {
    if (task.desired > TaskStatus::Running) return;
    for (ResourceState& resource : task.resources) {
        if (!is_fetched(resource.kind) || resource.known != ResourceStatus::Created) continue;
        const bool needed =
            std::any_of(task.containers.begin(), task.containers.end(), [&](const ContainerState& container) {
                for (const S status : {S::ManifestPulled, S::Pulled, S::Created}) {
                    if (container.known < status && needs_fetched(*container.definition, resource, status)) return true;
                }
                return false;
            });
        if (needed) resource.known = ResourceStatus::None;
    }
}

std::string describe_resource(const ResourceState& resource) {
    switch (resource.kind) {
        case Kind::Cgroup: return "the task's cgroup";
        case Kind::DockerVolume: return "volume " + resource.name;
        case Kind::SsmSecrets: return "its secrets from Systems Manager";
        case Kind::AsmSecrets: return "its secrets from Secrets Manager";
        case Kind::RegistryAuth: return "registry credentials from Secrets Manager";
        case Kind::EnvironmentFiles:
            return "the environment files of container " + resource.name.substr(kEnvironmentFilesPrefix.size());
    }
    return resource.name;
}

}  // namespace nodeagent::core
