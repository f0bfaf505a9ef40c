#pragma once
// Task definition + overrides -> the task of an ACS PayloadMessage (control-plane.md 7), and what the task takes from
// its instance. Pure.

#include <optional>
#include <string>

#include "agent/base/json.hpp"
#include "agent/local/credential_issuer.hpp"
#include "agent/local/errors.hpp"
#include "agent/local/records.hpp"

namespace nodeagent::local {

/// A container definition with its override applied, except for the command, which travels apart.
struct EffectiveContainer {
    ContainerDefinition definition;
    std::optional<Strings> command_override;
};

/// In the definition's order. ClientException when an override names an unknown container.
[[nodiscard]] ApiOutcome<std::vector<EffectiveContainer>> effective_containers(const TaskDefinition& definition,
                                                                               const TaskOverride& overrides);

/// CPU, memory, static host ports and GPUs of one task. Task-level sizes win over the sum of the containers.
[[nodiscard]] ApiOutcome<Demand> demand_of(const TaskDefinition& definition, const TaskOverride& overrides);

struct PayloadInput {
    const Task& task;
    const TaskDefinition& definition;
    std::string region;                       ///< of secrets given by name
    const IssuedCredentials* role = nullptr;  ///< of the task role
    const IssuedCredentials* execution_role = nullptr;
};

/// The task as it stands in PayloadMessage.tasks, with the record's desired status.
[[nodiscard]] OrderedJson build_payload_task(const PayloadInput& input);

/// IAMRoleCredentials of a payload or an IAMRoleCredentialsMessage.
[[nodiscard]] OrderedJson role_credentials_json(const std::string& credentials_id,
                                                const IssuedCredentials& credentials);

}  // namespace nodeagent::local
