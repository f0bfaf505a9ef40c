#pragma once
// Role credentials by credentials id, for the SDKs inside containers. endpoints.md 4.

#include <memory>
#include <string>

#include "agent/credentials/registry.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

struct CredentialsReply {
    Response response;
    std::shared_ptr<const credentials::TaskRoleCredentials> granted;  ///< null: refused
};

/// `version` is 1 or 2 and only shows in error texts. Whoever knows the id gets the credentials.
[[nodiscard]] CredentialsReply credentials_reply(const credentials::Registry& registry, int version,
                                                 const std::string& credentials_id);

}  // namespace nodeagent::metadata
