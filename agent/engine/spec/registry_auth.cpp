#include "agent/engine/spec/registry_auth.hpp"

#include <utility>

#include "agent/engine/spec/ecr_tokens.hpp"
#include "agent/engine/spec/engine_auth.hpp"

namespace nodeagent::engine {

namespace {

class RegistryAuths final : public RegistryAuthSource {
  public:
    RegistryAuths(EngineAuth engine_auth, EcrTokens* tokens) : engine_auth_(std::move(engine_auth)), tokens_(tokens) {}

    asio::awaitable<RegistryAuthResult> find(RegistryAuthRequest request) override {
        const std::string type = request.authentication ? request.authentication->type : std::string();
        if (type == "asm") {
            if (request.fetched) co_return *std::move(request.fetched);
            co_return core::NamedError{"CannotPullContainerAuthError",
                                       "engine docker private registry credentials: not found"};
        }
        if (type != "ecr") co_return engine_auth_.find(request.image);
        if (tokens_ == nullptr || !request.authentication->ecr_auth_data) {
            co_return core::NamedError{"CannotPullECRContainerError", "engine ecr credentials: not found"};
        }
        Result<runtime::RegistryAuth> token =
            co_await tokens_->get(*request.authentication->ecr_auth_data, std::move(request.execution_credentials_id));
        if (!token) co_return core::NamedError{"CannotPullECRContainerError", std::move(token).error().what};
        co_return std::move(*token);
    }

  private:
    EngineAuth engine_auth_;
    EcrTokens* tokens_;
};

}  // namespace

std::unique_ptr<RegistryAuthSource> make_registry_auth_source(EngineAuth engine_auth, EcrTokens* tokens) {
    return std::make_unique<RegistryAuths>(std::move(engine_auth), tokens);
}

}  // namespace nodeagent::engine
