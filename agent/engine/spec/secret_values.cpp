#include "agent/engine/spec/secret_values.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::string_view kEnvironmentVariable = "ENVIRONMENT_VARIABLE";

Secret value_of(const model::ContainerSecret& secret, const SecretValues& values) {
    const bool ssm = secret.provider == "ssm";
    if (!ssm && secret.provider != "asm") return {};
    const auto& fetched = ssm ? values.ssm : values.asm_secrets;
    const auto found = fetched.find(secret_key(secret));
    return found == fetched.end() ? Secret() : found->second;
}

}  // namespace

std::string secret_key(const model::ContainerSecret& secret) { return secret.value_from + "_" + secret.region; }

std::map<std::string, Secret> environment_secrets(const model::Container& container, const SecretValues& values) {
    std::map<std::string, Secret> variables;
    for (const model::ContainerSecret& secret : container.secrets) {
        if (secret.type == kEnvironmentVariable) variables[secret.name] = value_of(secret, values);
    }
    return variables;
}

std::map<std::string, Secret> log_driver_secrets(const model::Container& container, const SecretValues& values) {
    std::map<std::string, Secret> options;
    for (const model::ContainerSecret& secret : container.secrets) {
        if (secret.type == kEnvironmentVariable || secret.target != "LOG_DRIVER" || secret.name.empty()) continue;
        Secret value = value_of(secret, values);
        if (!value.empty()) options[secret.name] = std::move(value);
    }
    return options;
}

}  // namespace nodeagent::engine
