#pragma once
// The fetched values of a task's secrets, and how they enter a container: as environment variables, or as options of
// its log driver. task-engine.md 3.8.

#include <map>
#include <string>

#include "agent/base/secret.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::engine {

/// By "<valueFrom>_<region>", as secret_key() makes it.
struct SecretValues {
    std::map<std::string, Secret> ssm;
    std::map<std::string, Secret> asm_secrets;
};

[[nodiscard]] std::string secret_key(const model::ContainerSecret& secret);

/// Names and values of the secrets of type ENVIRONMENT_VARIABLE; one without a value is "", as in the reference.
[[nodiscard]] std::map<std::string, Secret> environment_secrets(const model::Container& container,
                                                                const SecretValues& values);
/// Names and values of the other secrets for target LOG_DRIVER, without those that have no value.
[[nodiscard]] std::map<std::string, Secret> log_driver_secrets(const model::Container& container,
                                                               const SecretValues& values);

}  // namespace nodeagent::engine
