// CreateResource for what is fetched from AWS: secrets, registry credentials, environment files. task-engine.md 3.8.

#include <algorithm>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/resources/asm_secrets.hpp"
#include "agent/engine/resources/environment_files.hpp"
#include "agent/engine/resources/ssm_secrets.hpp"

namespace nodeagent::engine {

namespace {

using Kind = core::ResourceState::Kind;

/// How the reference calls each kind when the execution role is missing.
std::string_view called(Kind kind) {
    switch (kind) {
        case Kind::SsmSecrets: return "ssm secret resource";
        case Kind::AsmSecrets: return "ASM secret resource";
        case Kind::RegistryAuth: return "asm resource";
        default: return "environment file resource";
    }
}

credentials::AwsCredentials signer_of(const credentials::TaskRoleCredentials& role) {
    credentials::AwsCredentials signer;
    signer.access_key_id = role.role.access_key_id;
    signer.secret_access_key = role.role.secret_access_key;
    signer.session_token = role.role.session_token;
    signer.source = "execution role";
    return signer;
}

EnvironmentFilesWork files_of(const core::TaskState& task, const core::ContainerState& container,
                              const config::Config& config) {
    return {.directory = environment_files_directory(config.data_dir, config.cluster, task.arn),
            .sources = container.definition->environment_files,
            .region = config.region};
}

}  // namespace

asio::awaitable<core::ResourceSettled> Actions::fetch(LiveTask& task, core::ResourceState resource,
                                                      core::ResourceSettled settled) {
    const Result<void> fetched = co_await fetch_kind(task, resource);
    if (!fetched) {
        log::error(
            "not fetched",
            {{"task", task.state().arn}, {"what", core::describe_resource(resource)}, {"cause", fetched.error().what}});
        settled.error = core::NamedError{.name = "ResourceInitializationError", .message = fetched.error().what};
        settled.stop_reason = fetched.error().what;
    }
    co_return settled;
}

asio::awaitable<Result<void>> Actions::fetch_kind(LiveTask& task, core::ResourceState resource) {
    const std::string arn = task.state().arn;
    const auto role = tools_.credentials.get(task.state().execution_credentials_id);
    if (role == nullptr || tools_.services == nullptr) {
        co_return Error{.kind = ErrorKind::Denied,
                        .what = std::string(called(resource.kind)) + ": unable to find execution role credentials"};
    }
    const ServiceAccess& services = *tools_.services;
    credentials::AwsCredentials signer = signer_of(*role);
    std::shared_ptr<const model::Task> definition = task.state().definition;
    if (resource.kind == Kind::SsmSecrets) {
        auto values = co_await fetch_ssm_secrets(services, std::move(definition), std::move(signer));
        if (!values) co_return std::move(values).error();
        tools_.vault.of(arn).secrets.ssm = *std::move(values);
    } else if (resource.kind == Kind::AsmSecrets) {
        auto values = co_await fetch_asm_secrets(services, std::move(definition), std::move(signer));
        if (!values) co_return std::move(values).error();
        tools_.vault.of(arn).secrets.asm_secrets = *std::move(values);
    } else if (resource.kind == Kind::RegistryAuth) {
        auto registries = co_await fetch_registry_credentials(services, std::move(definition), std::move(signer));
        if (!registries) co_return std::move(registries).error();
        tools_.vault.of(arn).registries = *std::move(registries);
    } else {
        const auto& containers = task.state().containers;
        const auto owner = std::find_if(containers.begin(), containers.end(), [&](const auto& container) {
            return core::environment_files_resource(container.name) == resource.name;
        });
        if (owner == containers.end()) co_return Result<void>{};
        EnvironmentFilesWork work = files_of(task.state(), *owner, tools_.config);
        const Result<void> done =
            co_await fetch_environment_files(services, tools_.pool, std::move(work), std::move(signer));
        co_return done;
    }
    co_return Result<void>{};
}

asio::awaitable<Result<std::map<std::string, std::string>>> Actions::file_environment(LiveTask& task,
                                                                                      std::string container) {
    using Variables = std::map<std::string, std::string>;
    const core::ContainerState* found = task.state().find(container);
    if (found == nullptr || found->definition->environment_files.empty()) co_return Variables{};
    auto read = [work = files_of(task.state(), *found, tools_.config)] { return read_environment_files(work); };
    Result<Variables> variables = co_await tools_.pool.run(std::move(read));
    if (!variables) {
        co_return Error{.kind = variables.error().kind,
                        .what = core::resource_not_initialised(task.state().arn, variables.error().what)};
    }
    std::vector<Secret>& values = tools_.vault.of(task.state().arn).of_files[container];
    values.clear();
    for (const auto& [name, value] : *variables) values.emplace_back(value);
    co_return variables;
}

void Actions::conceal(const LiveTask& task, std::optional<core::NamedError>& error) const {
    if (error) error->message = tools_.vault.redacted(task.state().arn, std::move(error->message));
}

}  // namespace nodeagent::engine
