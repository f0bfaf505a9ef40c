#pragma once
// Secrets Manager: secrets of containers, and the credentials of private registries. task-engine.md 3.8.

#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "agent/base/secret.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/model/payload.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

/// valueFrom of a secret: "arn:...:secret:<id>", or with ":<jsonKey>:<versionStage>:<versionId>" after it, each of
/// which may be empty.
struct SecretReference {
    std::string secret_id;  ///< the ARN up to the secret
    std::string json_key;   ///< "": the whole SecretString
    std::string version_stage;
    std::string version_id;
};
[[nodiscard]] Result<SecretReference> parse_secret_reference(std::string_view value_from);

/// The member `key` of the JSON object in `text`, as text: strings as they are, true, 1.5, null as "<nil>", lists and
/// objects in Go's notation ("[a b]", "map[k:v]"), which is what containers have always been given. Errors never quote
/// the text.
[[nodiscard]] Result<Secret> json_member(const Secret& text, const std::string& key);

/// {"username": ..., "password": ...}, both non-empty. Errors never quote the text.
[[nodiscard]] Result<runtime::RegistryAuth> parse_registry_credentials(const Secret& text);

/// The values of all asm secrets of the task, by secret_key(), fetched at the same time. The error is the task's stop
/// reason, with all failures.
asio::awaitable<Result<std::map<std::string, Secret>>> fetch_asm_secrets(const ServiceAccess& access,
                                                                         std::shared_ptr<const model::Task> task,
                                                                         credentials::AwsCredentials signer);

/// Registry credentials by credentialsParameter, for the containers that pull with them.
asio::awaitable<Result<std::map<std::string, runtime::RegistryAuth>>> fetch_registry_credentials(
    const ServiceAccess& access, std::shared_ptr<const model::Task> task, credentials::AwsCredentials signer);

}  // namespace nodeagent::engine
