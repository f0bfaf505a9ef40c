#pragma once
// Which credentials a pull uses: those the container names (ECR, Secrets Manager), else those of ECS_ENGINE_AUTH_DATA,
// else none. task-engine.md 5.7.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include "agent/core/task_state.hpp"
#include "agent/model/payload.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

namespace asio = boost::asio;

/// Auth for one pull, or the error ECS users see by name (CannotPullECRContainerError, CannotPullContainerAuthError).
using RegistryAuthResult = boost::system::result<runtime::RegistryAuth, core::NamedError>;

struct RegistryAuthRequest {
    std::string image;                                            ///< as the payload spells it
    std::optional<model::RegistryAuthentication> authentication;  ///< the container's
    std::string execution_credentials_id;                         ///< the task's; "" when it has none
    std::optional<runtime::RegistryAuth> fetched = std::nullopt;  ///< from Secrets Manager, for type asm
};

/// What the engine asks before it resolves a digest or pulls. An empty RegistryAuth means anonymous.
class RegistryAuthSource {
  public:
    virtual ~RegistryAuthSource() = default;
    virtual asio::awaitable<RegistryAuthResult> find(RegistryAuthRequest request) = 0;
};

class EcrTokens;
class EngineAuth;

/// The real one. Lives on the engine's shard; `tokens` must outlive it and may be nullptr, then ECR images fail by
/// name.
[[nodiscard]] std::unique_ptr<RegistryAuthSource> make_registry_auth_source(EngineAuth engine_auth, EcrTokens* tokens);

}  // namespace nodeagent::engine
